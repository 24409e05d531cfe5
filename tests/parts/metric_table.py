"""The metrics of the documentation: tests of the program, the chart and the README share it."""

from __future__ import annotations

TABLE = {
    "reconcile_total": ("counter", "kind result"),
    "reconcile_duration_seconds": ("histogram", "kind"),
    "queue_depth": ("gauge", ""),
    "work_in_progress": ("gauge", ""),
    "resource_ready": ("gauge", "kind namespace name"),
    "targets": ("gauge", "state"),
    "transfer_total": ("counter", "route result reason"),
    "transfer_duration_seconds": ("histogram", "route"),
    "transfer_bytes_total": ("counter", "route"),
    "collected_bytes_total": ("counter", "cache"),
    "transfers_in_progress": ("gauge", "route"),
    "fallback_total": ("counter", "reason"),
    "integrity_failures_total": ("counter", "where"),
    "drift_corrections_total": ("counter", ""),
    "insecure_endpoints": ("gauge", ""),
    "registry_up": ("gauge", "cache"),
    "registry_request_duration_seconds": ("histogram", "cache op code"),
    "docker_request_duration_seconds": ("histogram", "op code"),
    "kube_requests_total": ("counter", "verb resource code"),
    "watch_restarts_total": ("counter", ""),
    "last_event_age_seconds": ("gauge", ""),
    "leader": ("gauge", ""),
    "build_info": ("gauge", "version"),
}
"""Every metric, without its prefix `cyroid_`: type and labels."""

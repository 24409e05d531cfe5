"""What is told to people: statuses, events, readiness gates, and the lines of the audit log.

    status_writer    the newest status of each object, written only where it differs
    event_recorder   a log line at once, an event when it can; event_queue what waits for that
    readiness_gates  the condition `cyroid.io/images-ready` of pods
    audit, transfers, log_fields   lines about transfers, and what every line carries
    ports            what is asked of the Kubernetes API

Written from queues of their own: a pass hands over what is the case now and goes on. Only
the newest word on an object waits, and what is equal is not written. Not here: what is
said (`plan/status/range_report.py`, `plan/status/cache_report.py`).
"""

"""Clients of the Kubernetes API for tests that act as a certain account."""

from __future__ import annotations

from pathlib import Path

from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config


def client(kubeconfig: Path) -> ApiClient:
    """A client that is who this file says."""
    made: ApiClient = new_client_from_config(  # type: ignore[no-untyped-call] # has no types
        config_file=str(kubeconfig)
    )
    return made

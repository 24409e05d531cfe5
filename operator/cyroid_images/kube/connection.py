"""Authentication to the API server: a service account inside a pod, else a kubeconfig."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio import client
from kubernetes.aio import config as _config

from cyroid_images.errors import ApiUnavailable

config: Any = _config
"""Ships type information, but for other parts than these functions."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which operator this is."""

    namespace: str
    """Its own namespace: the only one whose Secrets it reads."""
    instance: str
    """This process among several, such as its pod's name; shown in events."""


async def connect(kubeconfig: Path | None) -> Any:
    """A client that has not called yet; raises ApiUnavailable when nobody says where to."""
    configuration = client.Configuration()
    # As kopf: proxies of the environment are for the world outside, not for the API server.
    configuration.client_session_kwargs = {"trust_env": False}
    try:
        await _configure(configuration, kubeconfig)
        return client.ApiClient(configuration)
    except (config.ConfigException, OSError, ValueError) as exc:
        raise ApiUnavailable(f"cannot find the Kubernetes API: {exc}") from exc


async def _configure(configuration: Any, kubeconfig: Path | None) -> None:
    if kubeconfig is None:
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            pass  # not in a pod
        else:
            return
    await config.load_kube_config(
        config_file=str(kubeconfig) if kubeconfig else None, client_configuration=configuration
    )

"""A kubeconfig becomes a client, as kubectl reads it: several files, contexts, tokens, client
certificates, exec plugins, CA, server name, proxy; in a pod the service account.

The reading is that of the official client; here stands what it leaves to its caller: which
file, whose current context, and what to say when a plugin gives no credentials.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from yaml import YAMLError

from cyroid_images.console.cluster.api_server import ApiServer
from cyroid_images.errors import CyroidError

USUAL = "~/.kube/config"
IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
CHECK = "kubectl config view shows what kubectl reads"


def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> ApiServer:
    """The cluster that is meant. Raises CyroidError where there is none, or no credentials."""
    configuration = Configuration()
    configuration.retries = False  # an error is told at once; who follows tries again by himself
    try:
        own = _load(configuration, kubeconfig, context)
        rest = RESTClientObject(configuration)
    except (ConfigException, YAMLError, OSError, ValueError, KeyError, TypeError) as exc:
        raise CyroidError(f"the kubeconfig cannot be used: {_short(exc)}; {CHECK}") from exc
    return ApiServer(configuration, rest.pool_manager, namespace or own or "default")


def _load(configuration: Configuration, kubeconfig: str | None, context: str | None) -> str | None:
    """Fill the configuration; the namespace of the context, where it names one."""
    if kubeconfig is not None and not Path(kubeconfig).expanduser().is_file():
        raise CyroidError(f"there is no kubeconfig {kubeconfig}: check --kubeconfig")
    paths = kubeconfig or os.environ.get("KUBECONFIG") or USUAL
    merged = KubeConfigMerger(paths)  # type: ignore[no-untyped-call] # as of kubernetes 37
    if merged.config is None:
        return _in_pod(configuration, paths)
    chosen = context or _current(merged)
    if not chosen:
        raise CyroidError("no context is chosen: kubectl config use-context NAME, or --context")
    loader = KubeConfigLoader(  # type: ignore[no-untyped-call]
        merged.config, active_context=chosen, config_base_path=None
    )
    heard = _Heard()
    logging.getLogger().addHandler(heard)
    try:
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    finally:
        logging.getLogger().removeHandler(heard)
    if heard.last:  # an exec plugin failed, and the client would go on as nobody
        raise CyroidError(f"no credentials for context {chosen}: {_short(heard.last)}")
    found: str | None = loader.current_context["context"].get("namespace")
    return found


def _in_pod(configuration: Configuration, paths: str) -> str | None:
    """As the service account of a pod; the error of somebody at a desk says what he lacks."""
    if "KUBERNETES_SERVICE_HOST" not in os.environ:
        raise CyroidError(
            f"no kubeconfig: {paths} does not exist; set KUBECONFIG or give --kubeconfig FILE"
        )
    load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return IN_POD.read_text().strip() if IN_POD.exists() else None


def _current(merged: KubeConfigMerger) -> str | None:
    """The current context: as kubectl has it, of the first file that names one."""
    named = (merged.config_files[path].get("current-context") for path in merged.paths)
    return next((name for name in named if name), None)


class _Heard(logging.Handler):
    """What the client only logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def _short(what: Any) -> str:
    return " ".join(str(what).split())[:300] or type(what).__name__

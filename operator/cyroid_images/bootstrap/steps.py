"""The two steps of an installation, against the API server that the pod's account leads to."""

from __future__ import annotations

import argparse

from kubernetes.client import CoreV1Api, CustomObjectsApi
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from cyroid_images.bootstrap import default_cache, registry_secrets
from cyroid_images.errors import CyroidError


def run(arguments: argparse.Namespace) -> str:
    """Do one step with the pod's account, else with KUBECONFIG; returns one line for people.

    Raises CyroidError, whose message says which call failed and why.
    """
    _connect()
    return act(arguments, CoreV1Api(), CustomObjectsApi())


def act(arguments: argparse.Namespace, core: CoreV1Api, custom: CustomObjectsApi) -> str:
    """The same through given clients."""
    if arguments.step == "cache":
        cache = default_cache.read(arguments.file)
        return f"ImageCache {cache['metadata']['name']}: {default_cache.apply(custom, cache)}"
    made = registry_secrets.run(
        registry_secrets.SecretStore(core, arguments.namespace),
        push_secret=arguments.push_secret or registry_secrets.PUSH_SECRET,
        push_must_exist=arguments.push_secret_must_exist,
    )
    return f"Secrets made: {', '.join(made)}" if made else "Secrets: all there already"


def _connect() -> None:
    try:
        load_incluster_config()  # type: ignore[no-untyped-call] # ships without types
    except ConfigException:
        try:
            load_kube_config()  # type: ignore[no-untyped-call] # ships without types
        except ConfigException as absent:
            raise CyroidError(f"no cluster to talk to: {absent}") from absent

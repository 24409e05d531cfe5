"""The arguments of `cyroid-images bootstrap`, and what each step prints."""

from __future__ import annotations

import argparse
from pathlib import Path

from kubernetes.client import CoreV1Api, CustomObjectsApi
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from cyroid_images.bootstrap import default_cache, registry_secrets
from cyroid_images.errors import CyroidError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two steps as sub-commands; `run` takes what this parser returned."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    make = steps.add_parser("secrets", help="make the registry's Secrets where they are absent")
    make.add_argument("--namespace", required=True, help="where the registry runs")
    make.add_argument(
        "--push-secret", default=registry_secrets.PUSH_SECRET, help="Secret with the push user"
    )
    make.add_argument(
        "--push-secret-must-exist", action="store_true", help="fail rather than make that one"
    )
    first = steps.add_parser("cache", help="apply an ImageCache unless people edited it")
    first.add_argument("--file", required=True, type=Path, help="its YAML")


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
        push_secret=arguments.push_secret,
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

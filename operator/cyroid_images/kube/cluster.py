"""What the operator asks of its cluster, and tells it: the face of this leaf."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cyroid_images.errors import ApiUnavailable, StatusConflict, StatusRejected
from cyroid_images.kube import events, leases, rights
from cyroid_images.kube.api import (
    APPLY,
    MERGE,
    STRATEGIC,
    Api,
    ApiResponse,
    NamespaceEnding,
    success,
)
from cyroid_images.kube.connection import Identity, connect
from cyroid_images.kube.event_correlator import EventCorrelator, Series
from cyroid_images.kube.resources import OWN_KINDS, RESOURCES
from cyroid_images.model.event import EventNote
from cyroid_images.model.lease import Lease
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved

FIELD_MANAGER = "cyroid-operator"
PAGE = 100
"""Objects of one page: its JSON is read in one piece, which holds everything else for some
milliseconds. The API server's own clients ask for 500."""
MOST_PAGES = 1000
"""100,000 objects: far above what one operator serves; a paging that never ends is cut."""

_log = logging.getLogger(__name__)


class Named(Protocol):
    """Whatever names one object: a key of the queue, for example."""

    @property
    def kind(self) -> str: ...

    @property
    def namespace(self) -> str:
        """Empty for kinds of the cluster."""
        ...

    @property
    def name(self) -> str: ...


class Cluster:
    """One per process and event loop. Every call takes at most ten seconds after its turn.

    All raise ApiUnavailable when there is no usable answer, which never means "nothing
    there", and AccessDenied (one of it) when a right is missing.
    """

    def __init__(self, api: Api, identity: Identity) -> None:
        self._api = api
        self._identity = identity
        self._correlator = EventCorrelator()

    @classmethod
    async def connect(
        cls,
        *,
        namespace: str,
        instance: str,
        kubeconfig: Path | None = None,
        on_request: RequestObserver = unobserved,
    ) -> Cluster:
        """As the service account of a pod, else by `kubeconfig` or the default one.

        `namespace` is the operator's own, `instance` names this process in events. Nothing
        is called yet; `on_request` is told of each call. Raises ApiUnavailable when no
        configuration is found.
        """
        return cls(
            Api(await connect(kubeconfig), on_request=on_request), Identity(namespace, instance)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def pages(self, kind: str) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Every object of a kind in all namespaces, a page at a time, as they were at one
        moment; of pods, those labelled as engines.

        Raises ApiUnavailable, also for a kind that is not served: that is not an empty list.
        """
        resource = RESOURCES[kind]
        query = {"labelSelector": resource.selector} if resource.selector else {}
        token = ""
        for _ in range(MOST_PAGES):
            page = {"limit": str(PAGE), **query, **({"continue": token} if token else {})}
            body = success(await self._api.get(resource.path(), **page), f"list {kind}")
            yield body.get("items") or ()
            token = (body.get("metadata") or {}).get("continue", "")
            if not token:
                return
        raise ApiUnavailable(f"list {kind}: more than {MOST_PAGES} pages of {PAGE}")

    async def apply_status(
        self, key: Named, resource_version: str, status: Mapping[str, Any]
    ) -> str | None:
        """Make the whole status that we own be this; the new resourceVersion, None if gone.

        An equal status raises no version; what an earlier status of ours had and this one
        lacks is removed. Raises StatusConflict when the object is no longer the one that
        had `resource_version` (edited, or made again), StatusRejected when it is no status.
        """
        resource = RESOURCES[key.kind]
        metadata = {"name": key.name, "resourceVersion": resource_version}
        body = {
            "apiVersion": resource.api_version,
            "kind": key.kind,
            "metadata": {**metadata, **({"namespace": key.namespace} if key.namespace else {})},
            "status": status,
        }
        path = f"{resource.path(key.namespace, key.name)}/status"
        answer = await self._api.patch(
            path, body, form=APPLY, fieldManager=FIELD_MANAGER, force="true"
        )
        return _version(answer, f"status of {key.kind} {key.namespace}/{key.name}")

    async def set_pod_condition(
        self, namespace: str, name: str, uid: str, condition: Mapping[str, Any]
    ) -> None:
        """Set one condition in a pod's status, of the pod with this UID only; gone is fine.

        A strategic merge, as the kubelet does it: other conditions stay as they are, and a
        `uid` that is another pod's is a 409.
        """
        path = f"{RESOURCES['Pod'].path(namespace, name)}/status"
        body = {"metadata": {"uid": uid}, "status": {"conditions": [condition]}}
        answer = await self._api.patch(path, body, form=STRATEGIC)
        if answer.code not in (404, 409):
            success(answer, f"condition of pod {namespace}/{name}")

    async def secret(self, name: str) -> Mapping[str, bytes] | None:
        """The contents of a Secret of the operator's own namespace; None only if absent."""
        path = RESOURCES["Secret"].path(self._identity.namespace, name)
        answer = await self._api.get(path)
        if answer.code == 404:
            return None
        data = success(answer, f"get Secret {name}").get("data") or {}
        try:
            return {key: base64.b64decode(value, validate=True) for key, value in data.items()}
        except (binascii.Error, TypeError):  # its text stands in the exception: not chained
            raise ApiUnavailable(f"get Secret {name}: a value is not base64") from None

    async def emit(self, note: EventNote) -> None:
        """Write an event, or count one that says the same, in turns that nobody else wants.

        Raises ApiUnavailable. Where the namespace ends nobody reads it: that is no failure.
        """
        try:
            await self._emit(note, datetime.now(UTC))
        except NamespaceEnding as exc:
            _log.debug("event %s on %s %s: %s", note.reason, note.kind, note.name, exc)

    def let_write(self, may_write: Callable[[], bool]) -> None:
        """From now on, ask this before each status, condition and event: is the Lease ours?"""
        self._api.may_write = may_write

    async def lease(self) -> Lease | None:
        """The operators' Lease; None: there is none. Raises ApiUnavailable."""
        answer = await self._api.at_once("GET", self._lease_path(leases.NAME))
        return None if answer.code == 404 else leases.read_lease(success(answer, "get Lease"))

    async def put_lease(self, lease: Lease) -> Lease | None:
        """Write it, if it is still at this version; None: somebody was faster."""
        body = leases.lease_body(lease, self._identity.namespace, datetime.now(UTC))
        if lease.version:
            answer = await self._api.at_once("PUT", self._lease_path(leases.NAME), body)
        else:
            answer = await self._api.at_once("POST", self._lease_path(), body)
        if answer.code in (404, 409):
            return None
        return leases.read_lease(success(answer, "write Lease"))

    def _lease_path(self, name: str | None = None) -> str:
        return RESOURCES["Lease"].path(self._identity.namespace, name)

    async def missing_rights(self) -> tuple[str, ...]:
        """What we may not do, as "verb resource"."""
        path = RESOURCES["SelfSubjectAccessReview"].path()
        missing: list[str] = []
        for right in rights.needed(self._identity.namespace):
            answer = success(await self._api.post(path, right.question()), "check permissions")
            if not (answer.get("status") or {}).get("allowed"):
                missing.append(str(right))
        return tuple(missing)

    async def crds_served(self) -> bool:
        """Does the API serve both of our kinds now?"""
        for kind in OWN_KINDS:
            answer = await self._api.get(RESOURCES[kind].path(), limit="1")
            if answer.code == 404:
                return False
            success(answer, f"look for {kind}")
        return True

    async def _emit(self, note: EventNote, now: datetime) -> None:
        series = self._correlator.find(note, now)
        if series is not None:
            series = replace(series, count=series.count + note.count, last=now)
            path, body = events.path_of_repeat(series), events.repeat(series, note, now)
            answer = await self._api.behind_all("PATCH", path, body, form=MERGE)
            if answer.code != 404:
                success(answer, "update Event")
                self._correlator.keep(note, series)
                return
            self._correlator.forget(note)  # it expired, or its namespace went
        await self._create(note, now)

    async def _create(self, note: EventNote, now: datetime) -> None:
        place = events.namespace_of(note)
        body = events.new_event(note, self._identity, now)
        answer = await self._api.behind_all("POST", RESOURCES["Event"].path(place), body)
        if answer.code != 404:  # its namespace is gone, and with it whoever would read it
            success(answer, "create Event")
            name = body["metadata"]["name"]
            self._correlator.keep(note, Series(place, name, note.count, now))


def _version(answer: ApiResponse, what: str) -> str | None:
    """The resourceVersion after an apply, or what its refusal means."""
    match answer.code:
        case 404:
            return None
        case 409:
            raise StatusConflict(f"{what}: {answer.message}")
        case 400 | 413 | 422:
            raise StatusRejected(f"{what}: {answer.message}")
        case 500 if "failed to create typed patch object" in answer.message:
            # What does not fit the schema (a field of a newer CRD, a wrong type) is no 422
            # in an apply, but this (seen with 1.34).
            raise StatusRejected(f"{what}: {answer.message}")
        case _:
            return str(success(answer, what)["metadata"]["resourceVersion"])

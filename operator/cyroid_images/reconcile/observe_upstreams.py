"""What upstream registries answer for the images that no earlier source has.

They are somebody else's: an image is asked for once per refresh interval, a host that
refuses is left alone until its pause is over (see `upstream_memory.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.model.image_cache import UpstreamSource
from cyroid_images.model.knowledge import UpstreamAsk, Wish
from cyroid_images.model.observed import SourceSeen, UpstreamShown
from cyroid_images.model.registry import Credentials, UpstreamEndpoint
from cyroid_images.model.upstream import normal_host, upstream_endpoint
from cyroid_images.plan import backoff
from cyroid_images.reconcile.cache_memory import CachePass
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.upstream_memory import Answer, UpstreamMemory

_OF_THE_IMAGE = frozenset(
    {Reason.PLATFORM_MISMATCH, Reason.PROTOCOL_ERROR, Reason.UNAUTHORIZED, Reason.IMAGE_NOT_FOUND}
)
"""Tells nothing of the host's other images: Docker Hub denies what it does not have."""


class UpstreamObserver:
    """Asks upstream registries, as seldom as will do."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def see(
        self, now: CachePass, name: str, upstream: UpstreamSource, wishes: Sequence[Wish]
    ) -> SourceSeen:
        """What one upstream source says of the wishes that are for its hosts."""
        hosts = frozenset(normal_host(host) for host in upstream.hosts)
        mine = [wish for wish in wishes if wish.reference.host in hosts]
        memory = now.memory.upstreams
        try:
            endpoints = await self._endpoints(upstream, hosts, memory) if mine else {}
        except TransferError as exc:
            return SourceSeen(name, fault=Fault.of(exc))
        await self._ask(now, self._due(name, endpoints, mine, memory))
        answers = {wish: memory.answer(name, wish) for wish in mine}
        return SourceSeen(name, UpstreamShown(hosts, answers))

    async def _endpoints(
        self, upstream: UpstreamSource, hosts: frozenset[str], memory: UpstreamMemory
    ) -> Mapping[str, UpstreamEndpoint]:
        """Where each host listens, with its credentials; raises what is wrong with a Secret."""
        secrets = self._site.secrets
        secret, authority = upstream.secret_ref, upstream.ca_secret_ref
        keys: Mapping[str, Credentials] = {}
        if secret is not None:
            keys = await secrets.upstream_credentials(secret.name, hosts)
        ca = await secrets.authority(authority.name) if authority else None
        for host in hosts:
            memory.present(host, keys.get(host))
        return {
            host: upstream_endpoint(
                host, hosts, credentials=keys.get(host), ca=ca, insecure=upstream.insecure
            )
            for host in hosts
        }

    def _due(
        self,
        name: str,
        endpoints: Mapping[str, UpstreamEndpoint],
        wishes: Sequence[Wish],
        memory: UpstreamMemory,
    ) -> dict[UpstreamAsk, Wish]:
        """The questions whose answers are too old, of hosts that may be asked."""
        now, at = self._site.clock.now(), self._site.queue.time()
        return {
            UpstreamAsk(
                name,
                endpoints[wish.reference.host],
                wish.reference,
                wish.platform,
                memory.known(name, wish),
            ): wish
            for wish in wishes
            if memory.is_due(name, wish, now, at)
        }

    async def _ask(self, now: CachePass, asks: Mapping[UpstreamAsk, Wish]) -> None:
        found = await self._site.upstreams.at(now.key, asks)
        memory, moment = now.memory.upstreams, self._site.queue.time()
        for ask, wish in asks.items():
            pause = self._pause(ask, found[ask], memory, now.item.spec.refresh.interval)
            memory.answers[ask.source, wish] = (found[ask], moment + pause.total_seconds())

    def _pause(
        self, ask: UpstreamAsk, answer: Answer, memory: UpstreamMemory, interval: float
    ) -> timedelta:
        """How long this answer is good."""
        host = ask.upstream.host
        if not isinstance(answer, Fault):
            memory.hosts.pop(host, None)
            return timedelta(seconds=interval)
        if answer.reason is Reason.PROGRESSING:
            return timedelta(0)  # it is on its way and will wake us
        if answer.reason in _OF_THE_IMAGE:
            return timedelta(seconds=backoff.TERMINAL_SECONDS)
        now, spread = self._site.clock.now(), self._site.clock.spread()
        memory.hosts[host] = backoff.failed(memory.hosts.get(host), answer, now, spread=spread)
        return memory.hosts[host].next_attempt - now

"""What a cache's passes remember: what was proven in the registry, what failed, how it answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.digest import Digest
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.image_cache import ImageCache
from cyroid_images.model.knowledge import Stored, Wish
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.upstream_memory import UpstreamMemory

BLIP = 1
"""One failed question is a blip; the second one in a row is an outage."""
BLIP_SECONDS = 4.0
"""Who was waited for so long has not just missed one question."""
_WRITE_SIDE = frozenset({Reason.REGISTRY_FULL, Reason.REGISTRY_READ_ONLY, Reason.UNAUTHORIZED})


@dataclass(slots=True)
class CacheMemory:
    """Of one ImageCache, by uid. All of it is found again by asking: a restart loses nothing."""

    uid: str
    generation: int
    token: str | None
    stored: dict[Wish, Stored] = field(default_factory=dict)
    checked: dict[Wish, float] = field(default_factory=dict)
    """When the registry was last asked for it, by the clock of the event loop."""
    distrusted: set[Wish] = field(default_factory=set)
    """An engine could not pull it: pushed again, whatever the registry claims to have."""
    doubted: set[Wish] = field(default_factory=set)
    """An engine was given other bytes: once pushed again, every byte of it is read."""
    failures: dict[Wish, Failure] = field(default_factory=dict)
    endpoint: RegistryEndpoint | None = field(default=None, repr=False)
    """How the registry was dialled last: with which credentials and CA."""
    registry: Fault | None = None
    write: Fault | None = None
    """The registry answers, but refused the last write."""
    misses: int = 0
    """Questions in a row that the registry did not answer."""
    has_looked: bool = False
    looked_at: int = -1
    """The generation of which somebody was told that it was looked at."""
    upstreams: UpstreamMemory = field(default_factory=UpstreamMemory)
    told: set[tuple[Wish, Digest]] = field(default_factory=set)
    """Moved tags that people were told of, until the new content is in the registry."""
    refilling: set[Wish] = field(default_factory=set)
    """Was in the registry and no longer is: on its way back."""
    foreign: dict[Wish, Digest] = field(default_factory=dict)
    """Tags that somebody else moved in the registry, and what they name now."""
    warned: set[tuple[Wish, Digest]] = field(default_factory=set)
    """Of `foreign`: what people were told of."""

    @classmethod
    def of(cls, item: ImageCache, now: datetime) -> CacheMemory:
        """What the status of the object still tells: the attempts of failing pushes."""
        memory = cls(item.metadata.uid, item.metadata.generation, item.metadata.reconcile_at)
        for row in item.status.failures:
            for each in item.spec.images:
                if str(each.reference) == row.image:
                    fault = Fault(row.reason, row.message)
                    wish = Wish(each.reference, each.platform)
                    memory.failures[wish] = Failure(
                        fault, row.attempts, row.next_attempt_time or now
                    )
        return memory

    def begin(self, item: ImageCache) -> None:
        """A changed spec or a manual token: everything is asked and tried anew."""
        asked = (item.metadata.generation, item.metadata.reconcile_at)
        if asked != (self.generation, self.token):
            self.generation, self.token = asked
            self.failures.clear()
            self.checked.clear()
            self.upstreams.clear()

    def dials(self, endpoint: RegistryEndpoint) -> None:
        """Other credentials, or another CA: what was refused so far is worth another try."""
        if self.endpoint not in (None, endpoint):
            self.failures = {
                wish: failure
                for wish, failure in self.failures.items()
                if failure.reason.mark is not Mark.TERMINAL
            }
            self.write = None
        self.endpoint = endpoint

    def answered(self) -> None:
        """The registry answered."""
        self.registry, self.misses, self.has_looked = None, 0, True

    def missed(self, fault: Fault, *, waited: float = 0.0) -> None:
        """The registry did not answer in `waited` seconds, or did not let us in."""
        self.misses += BLIP + 1 if waited > BLIP_SECONDS else 1
        if self.misses > BLIP or fault.reason.mark is Mark.TERMINAL or self.registry:
            self.registry, self.has_looked = fault, True

    def pushed(self, wish: Wish, stored: Stored, now: float) -> None:
        """An image is in the registry, proven."""
        self.stored[wish], self.checked[wish] = stored, now
        self.failures.pop(wish, None)
        self.distrusted.discard(wish)
        self.doubted.discard(wish)
        self.refilling.discard(wish)
        self.foreign.pop(wish, None)
        self.write = None

    def refused(self, wish: Wish, failure: Failure) -> None:
        """A push failed."""
        self.failures[wish] = failure
        if failure.reason in _WRITE_SIDE:
            self.write = failure.fault

    def looks_first(self) -> bool:
        """Is this the first look of this generation? Asked once per look."""
        before, self.looked_at = self.looked_at, self.generation
        return before != self.generation

    def keep_only(self, wishes: Collection[Wish]) -> None:
        """Forget what nobody wants any more; the registry keeps it all the same."""
        for held in (self.stored, self.checked, self.failures, self.foreign):
            for wish in [each for each in held if each not in wishes]:
                del held[wish]
        self.distrusted.intersection_update(wishes)
        self.doubted.intersection_update(wishes)
        self.refilling.intersection_update(wishes)
        self.upstreams.keep_only(wishes)

    def found(self, wish: Wish, stored: Stored, now: float) -> None:
        """The registry has it, as it says."""
        self.stored[wish], self.checked[wish] = stored, now
        self.refilling.discard(wish)

    def lost(self, wish: Wish) -> None:
        """The registry no longer has it, or it cannot be trusted."""
        self.checked.pop(wish, None)
        if self.stored.pop(wish, None) is not None:
            self.refilling.add(wish)

    def tagged(self, wish: Wish, digest: Digest | None) -> None:
        """What the tag of a stored image names now: what none of ours is, somebody else put."""
        ours = {d for each in self.stored.values() for d in each.content.identities}
        if digest is None or digest in ours:
            self.foreign.pop(wish, None)
        else:
            self.foreign[wish] = digest


@dataclass(frozen=True, slots=True)
class CachePass:
    """One pass of one cache: the object as it was read, and what is remembered of it."""

    key: Key
    item: ImageCache
    memory: CacheMemory

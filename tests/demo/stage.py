"""What the steps of the story share: the screen, the cluster, and what was built so far."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.demo import cache, engines, events
from tests.demo.archive import Content
from tests.demo.cluster import Cluster
from tests.demo.ranges import NAMESPACE, Range
from tests.demo.screen import Screen

_LONG_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


@dataclass(slots=True)
class Stage:
    """Shows commands with what they answered, and remembers what was told already."""

    screen: Screen
    cluster: Cluster
    busybox: bytes | None = None
    built: dict[str, Content] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _told: set[tuple[str, int]] = field(default_factory=set)

    def show(self, *words: str, timeout: float = 60) -> None:
        """A kubectl command and what it answers."""
        self.screen.command("kubectl", *words)
        self.screen.output(self.cluster.kubectl(*words, timeout=timeout))

    def show_events(self, namespace: str, *reasons: str) -> None:
        """What was told since this was last called: events with these reasons."""
        self.screen.command("kubectl get events --namespace", namespace, " # since the last step")
        news = [event for event in self._news(namespace) if event.reason in reasons]
        self.screen.output(_short(events.table(news)) or "(none)")

    def skip_events(self, *namespaces: str) -> None:
        """What was told until now is no news."""
        for namespace in namespaces:
            self._news(namespace)

    def show_conditions(self, shown: Range) -> None:
        """The conditions of a RangeImages, one line each."""
        where = ("--namespace", NAMESPACE)
        self.screen.command("kubectl describe", shown.rimg, *where, " # its conditions")
        rows = self.cluster.read(shown.rimg, *where)["status"]["conditions"]
        self.screen.output("\n".join(_condition(row) for row in rows))

    def show_identities(self, shown: Range, references: Sequence[str]) -> None:
        """Where each image is known by which digest; both IDs name the same layers."""
        cached, lines = cache.digests(self.cluster), []
        for reference in references:
            here = engines.held(self.cluster, shown, reference)
            built = engines.built(self.cluster, reference)
            row = (built.id, cached.get(reference, "-"), here.id)
            cells = "  ".join(f"{_short(cell):<19}" for cell in row)
            lines.append(f"{reference:<52}  {cells}  {len(here.layers)}")
        titles = "  ".join(f"{name:<19}" for name in ("BUILDER", "REGISTRY", shown.name.upper()))
        self.screen.output("\n".join([f"{'IMAGE':<52}  {titles}  LAYERS", *lines]))

    def _news(self, namespace: str) -> list[events.Event]:
        told = events.read(self.cluster, namespace=namespace)
        news = [event for event in told if (event.id, event.count) not in self._told]
        self._told |= {(event.id, event.count) for event in told}
        return news


def _condition(row: Mapping[str, str]) -> str:
    return f"{row['type']:<18} {row['status']:<6} {row['reason']:<20} {row['message']}"


def _short(text: str) -> str:
    return _LONG_DIGEST.sub(r"\1", text)

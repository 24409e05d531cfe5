"""The demo in its order: what is done, what is shown and what must be so at each step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.demo import cache, checks, engines, events, installation, lab_images, ranges
from tests.demo.archive import Content, Image
from tests.demo.builder import fill_builder
from tests.demo.cluster import Cluster, until
from tests.demo.errors import DemoError
from tests.demo.ranges import NAMESPACE, Range
from tests.demo.screen import Screen

_IN = ("--namespace", NAMESPACE)
_OBJECTS = "cic,rimg"


@dataclass(slots=True)
class Story:
    """What the steps hand on to one another."""

    screen: Screen
    cluster: Cluster
    busybox: bytes | None = None
    built: dict[str, Content] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def show(self, *words: str) -> None:
        """A kubectl command and what it answers."""
        self.screen.command("kubectl", *words)
        self.screen.output(self.cluster.kubectl(*words))

    def show_events(self, *namespaces: str, reasons: Sequence[str]) -> None:
        """The events with these reasons."""
        for namespace in namespaces:
            self.screen.command("kubectl get events --namespace", namespace)
            told = events.read(self.cluster, namespace=namespace)
            wanted = [event for event in told if event.reason in reasons]
            self.screen.output(events.table(wanted))


def tell(story: Story) -> None:
    """Everything after the cluster is there; raises DemoError at the first thing amiss."""
    _install(story)
    _build(story)
    _first_range(story)
    _second_range(story)
    _rebuild(story)
    _registry_stops(story)
    _registry_returns(story)


def _install(story: Story) -> None:
    with story.screen.step("The chart is installed: operator, registry, builder"):
        story.screen.command(*installation.command())
        installation.install(story.cluster)
        ranges.make_namespace(story.cluster)
        story.show("get", "pods", "--namespace", "cyroid")


def _build(story: Story) -> None:
    def make(architecture: str) -> list[Image]:
        story.busybox = installation.busybox(story.cluster, architecture)
        return lab_images.images(story.busybox)

    with story.screen.step("The builder has the images of red-team-training-lab-v2"):
        story.built, size = fill_builder(story.cluster, make)
        story.screen.note(f"{size / 1e6:.0f} MB of layers, one of them shared by all five images:")
        story.screen.command("docker images  # in the builder")
        where = ("exec", "--namespace=cyroid", "deploy/cyroid-builder", "--")
        story.screen.output(story.cluster.kubectl(*where, "docker", "images"))
        cache.look_now(story.cluster)  # of an earlier demo it may remember other content


def _first_range(story: Story) -> None:
    with story.screen.step("A first range: its images come by the registry"):
        first = _ask_and_wait(story, "range-one")
        story.show("get", _OBJECTS, *_IN)
        story.show_events(
            "default", NAMESPACE, reasons=("ImagePushed", "ImageDelivered", "AllImagesPresent")
        )
        _show_images(story, first)
        _check(story, first, tar=False)
        _run_one(story, first)


def _second_range(story: Story) -> None:
    with story.screen.step("A second range: nothing is pushed again"):
        before = (events.pushes(story.cluster), cache.digests(story.cluster))
        second = _ask_and_wait(story, "range-two")
        story.show("get", _OBJECTS, *_IN)
        _check(story, second, tar=False)
        after = (events.pushes(story.cluster), cache.digests(story.cluster))
        if before != after:
            raise DemoError(f"the registry changed for the second range: {before} became {after}")
        one, two = story.seconds["range-one"], story.seconds["range-two"]
        story.screen.passed(f"no push; Ready after {two:.1f} s, the first took {one:.1f} s")


def _rebuild(story: Story) -> None:
    with story.screen.step(f"{lab_images.REBUILT} is rebuilt under the same tag"):
        reference = lab_images.reference(lab_images.REBUILT)
        both = (Range("range-one"), Range("range-two"))
        before = {each: engines.held(story.cluster, each, reference).id for each in both}
        build = f"build of {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        rebuilt = lab_images.image(lab_images.REBUILT, build, story.busybox)
        content, _ = fill_builder(story.cluster, lambda _: [rebuilt])
        story.built |= content
        story.screen.note("no need to wait for the refresh interval:")
        story.screen.command("kubectl annotate cic/default cyroid.io/reconcile-at=now --overwrite")
        cache.look_now(story.cluster)
        for each in both:
            _wait_for_content(story, each, reference)
            after = engines.held(story.cluster, each, reference).id
            story.screen.note(f"{each.name}: {before[each][:19]} became {after[:19]}")
            checks.same_content(story.cluster, each, content)
            ranges.wait_ready(story.cluster, each, lambda _: None)
            checks.holds_exactly(story.cluster, each, lab_images.all_references())
        story.screen.passed("both engines hold the new build and no other name")
        story.show_events("default", NAMESPACE, reasons=("NewDigest",))
        story.show("get", _OBJECTS, *_IN)


def _registry_stops(story: Story) -> None:
    with story.screen.step("The registry is stopped; a third range comes up all the same, by tar"):
        story.screen.command("kubectl scale deploy/cyroid-registry --namespace cyroid --replicas=0")
        cache.stop_registry(story.cluster)
        third = _ask_and_wait(story, "range-three")
        story.show("get", _OBJECTS, *_IN)
        _show_conditions(story, third)
        warnings = ("TarFallback", "RegistryUnreachable", "AllImagesPresent", "ImageDelivered")
        story.show_events("default", NAMESPACE, reasons=warnings)
        _check(story, third, tar=True, reason="RegistryUnreachable")


def _registry_returns(story: Story) -> None:
    with story.screen.step("The registry is back; the record of the third range stays"):
        story.screen.command("kubectl scale deploy/cyroid-registry --namespace cyroid --replicas=1")
        cache.start_registry(story.cluster)
        wait = ("wait", "--for=condition=RegistryAvailable", "cic/default", "--timeout=90s")
        story.screen.command("kubectl", *wait)
        story.screen.output(story.cluster.kubectl(*wait, timeout=120))
        for name in ("range-one", "range-two", "range-three"):
            ranges.wait_ready(story.cluster, Range(name), lambda _: None)
        story.show("get", _OBJECTS, *_IN)
        third = Range("range-three")
        checks.came_by(story.cluster, third, tar=True, reason="RegistryUnreachable")
        checks.came_by(story.cluster, Range("range-one"), tar=False)
        story.screen.passed("every range is Ready; TarFallback tells how range-three was filled")


def _ask_and_wait(story: Story, name: str) -> Range:
    story.screen.command("kubectl apply --filename", f"{name}.yaml  # engine and RangeImages")
    asked = ranges.make_range(story.cluster, name, lab_images.all_references())
    story.screen.command("kubectl get", asked.rimg, "--watch")
    story.seconds[name] = ranges.wait_ready(story.cluster, asked, story.screen.output)
    return asked


def _check(story: Story, checked: Range, *, tar: bool, reason: str = "") -> None:
    wanted = lab_images.all_references()
    checks.holds_exactly(story.cluster, checked, wanted)
    story.screen.passed(f"the engine holds exactly the {len(wanted)} wanted names")
    checks.same_content(story.cluster, checked, story.built)
    story.screen.passed("layers and IDs are those of the builder's images")
    checks.came_by(story.cluster, checked, tar=tar, reason=reason)
    way = f"came by tar, and TarFallback says why: {reason}" if tar else "came by the registry"
    story.screen.passed(f"the images {way}")


def _show_images(story: Story, shown: Range) -> None:
    words = ("exec", *_IN, shown.pod, "--", "docker", "images", "--digests")
    story.show(*words)


def _run_one(story: Story, used: Range) -> None:
    if story.busybox is None:
        story.screen.note("(no static busybox on this machine, so the images cannot be run)")
        return
    reference = lab_images.reference("kali-attack")
    words = ("exec", *_IN, used.pod, "--", "docker", "run", "--rm", "--network=none", reference)
    story.show(*words)


def _show_conditions(story: Story, shown: Range) -> None:
    story.screen.command("kubectl describe", shown.rimg, *_IN, " # its conditions")
    status = story.cluster.read(shown.rimg, *_IN)["status"]
    rows = (
        f"{each['type']:<18} {each['status']:<6} {each['reason']:<20} {each['message']}"
        for each in status["conditions"]
    )
    story.screen.output("\n".join(rows))


def _wait_for_content(story: Story, waited: Range, reference: str) -> None:
    wanted = story.built[reference].layers
    until(
        f"{waited.name} holds the new {reference}",
        lambda: engines.held(story.cluster, waited, reference).layers == wanted,
        seconds=90,
    )

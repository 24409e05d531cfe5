"""The demo in its order: what is done, what is shown and what must be so at each step."""

from datetime import UTC, datetime

from tests.demo import cache, checks, engines, installation, lab_images, ranges
from tests.demo.archive import Image
from tests.demo.builder import fill_builder
from tests.demo.cluster import OPERATOR, until
from tests.demo.ranges import NAMESPACE, Range
from tests.demo.stage import Stage

_IN = ("--namespace", NAMESPACE)
_OBJECTS = ("get", "cic,rimg", *_IN)
_REGISTRY = ("deploy/cyroid-registry", "--namespace", OPERATOR)
_ALL = ("range-one", "range-two", "range-three")
_DEFAULT = "default"
"""Where events on things of the whole cluster are, such as an ImageCache."""


def tell(stage: Stage) -> None:
    """Everything after the cluster is there; raises DemoError at the first thing amiss."""
    _install(stage)
    _build(stage)
    _first_range(stage)
    _second_range(stage)
    _rebuild(stage)
    _registry_stops(stage)
    _registry_returns(stage)


def _install(stage: Stage) -> None:
    with stage.screen.step("The chart is installed: operator, registry, builder"):
        ranges.remove_namespace(stage.cluster)
        stage.screen.command(*installation.command())
        installation.install(stage.cluster)
        ranges.make_namespace(stage.cluster)
        stage.show("get", "pods", "--namespace", OPERATOR)
        stage.skip_events(_DEFAULT)


def _build(stage: Stage) -> None:
    def make(architecture: str) -> list[Image]:
        stage.busybox = installation.busybox(stage.cluster, architecture)
        return lab_images.images(stage.busybox)

    with stage.screen.step("The builder has the images of red-team-training-lab-v2"):
        stage.built, size = fill_builder(stage.cluster, make)
        stage.screen.note(f"{size / 1e6:.0f} MB of layers, one of them shared by all five images")
        stage.show(
            "exec", "--namespace", OPERATOR, "deploy/cyroid-builder", "--", "docker", "images"
        )
        cache.look_now(stage.cluster, _token())  # after an earlier demo it knows other content


def _first_range(stage: Stage) -> None:
    with stage.screen.step("A first range: its images come by the registry"):
        first = _ask_and_wait(stage, "range-one")
        stage.show(*_OBJECTS)
        stage.show_events(_DEFAULT, "ImagePushed")
        stage.show_events(NAMESPACE, "ImageDelivered", "AllImagesPresent")
        stage.show("exec", *_IN, first.pod, "--", "docker", "images", "--digests")
        stage.screen.note("every engine calls an image by the digest of its manifest or config:")
        stage.show_identities(first, lab_images.all_references())
        _check(stage, first)
        _run_one(stage, first)


def _second_range(stage: Stage) -> None:
    with stage.screen.step("A second range: nothing is pushed again"):
        before = checks.pushed_so_far(stage.cluster)
        second = _ask_and_wait(stage, "range-two")
        stage.show(*_OBJECTS)
        _check(stage, second)
        checks.nothing_pushed(stage.cluster, before)
        one, two = stage.seconds["range-one"], stage.seconds["range-two"]
        stage.skip_events(_DEFAULT, NAMESPACE)
        stage.screen.passed(f"no push; Ready after {two:.1f} s, the first took {one:.1f} s")


def _rebuild(stage: Stage) -> None:
    with stage.screen.step(f"{lab_images.REBUILT} is rebuilt under the same tag"):
        reference, token = lab_images.reference(lab_images.REBUILT), _token()
        both = (Range("range-one"), Range("range-two"))
        before = {each: engines.held(stage.cluster, each, reference).id for each in both}
        rebuilt = lab_images.image(lab_images.REBUILT, f"build of {token}", stage.busybox)
        content, _ = fill_builder(stage.cluster, lambda _: [rebuilt])
        stage.built |= content
        stage.screen.note("nobody needs to wait for the refresh interval:")
        note = f"cyroid.io/reconcile-at={token}"
        stage.screen.command("kubectl annotate cic/default --overwrite", note)
        cache.look_now(stage.cluster, token)
        for each in both:
            _wait_for_content(stage, each, reference)
            checks.same_content(stage.cluster, each, content)
            checks.holds_exactly(stage.cluster, each, lab_images.all_references())
            ranges.wait_ready(stage.cluster, each, lambda _: None)
            after = engines.held(stage.cluster, each, reference).id
            stage.screen.output(f"{each.name}  {before[each][:19]} became {after[:19]}")
        stage.screen.passed("both engines hold the new build under its name")
        stage.show_events(_DEFAULT, "NewDigest", "ImagePushed")
        stage.show_events(NAMESPACE, "ImageDelivered")
        stage.show(*_OBJECTS)


def _registry_stops(stage: Stage) -> None:
    with stage.screen.step("The registry is stopped; a third range comes up all the same, by tar"):
        stage.skip_events(_DEFAULT, NAMESPACE)
        stage.screen.command("kubectl scale", *_REGISTRY, "--replicas=0")
        cache.stop_registry(stage.cluster)
        third = _ask_and_wait(stage, "range-three")
        stage.show(*_OBJECTS)
        stage.show_conditions(third)
        stage.show_events(NAMESPACE, "RegistryUnreachable", "ImageDelivered", "AllImagesPresent")
        _check(stage, third, reason="RegistryUnreachable")


def _registry_returns(stage: Stage) -> None:
    with stage.screen.step("The registry is back; the record of the third range stays"):
        stage.screen.command("kubectl scale", *_REGISTRY, "--replicas=1")
        cache.start_registry(stage.cluster)
        wait = ("wait", "--for=condition=RegistryAvailable", cache.NAME, "--timeout=90s")
        stage.show(*wait, timeout=120)
        for name in _ALL:
            ranges.wait_ready(stage.cluster, Range(name), lambda _: None)
        stage.show(*_OBJECTS)
        *others, third = (Range(name) for name in _ALL)
        checks.came_by_tar(stage.cluster, third, reason="RegistryUnreachable")
        for each in others:
            checks.came_by_registry(stage.cluster, each)
        stage.screen.passed("every range is Ready; FALLBACK tells how range-three was filled")


def _ask_and_wait(stage: Stage, name: str) -> Range:
    stage.screen.command(f"kubectl apply --filename {name}.yaml  # its engine and RangeImages")
    asked = ranges.make_range(stage.cluster, name, lab_images.all_references())
    stage.screen.command("kubectl get", asked.rimg, *_IN, "--watch")
    stage.seconds[name] = ranges.wait_ready(stage.cluster, asked, stage.screen.output)
    return asked


def _check(stage: Stage, checked: Range, *, reason: str = "") -> None:
    """The range holds what was built; with a reason it came by tar, else by the registry."""
    wanted = lab_images.all_references()
    checks.holds_exactly(stage.cluster, checked, wanted)
    stage.screen.passed(f"the engine holds exactly the {len(wanted)} wanted names")
    checks.same_content(stage.cluster, checked, stage.built)
    stage.screen.passed("layers and IDs are those of the builder's images")
    if reason:
        checks.came_by_tar(stage.cluster, checked, reason=reason)
        stage.screen.passed(f"the images came by tar, and TarFallback says why: {reason}")
    else:
        checks.came_by_registry(stage.cluster, checked)
        stage.screen.passed("the images came by the registry")


def _run_one(stage: Stage, used: Range) -> None:
    if stage.busybox is None:
        stage.screen.note("(no static busybox on this machine, so the images cannot be run)")
        return
    reference = lab_images.reference("kali-attack")
    run = ("docker", "run", "--rm", "--network=none", reference)
    stage.show("exec", *_IN, used.pod, "--", *run)


def _wait_for_content(stage: Stage, waited: Range, reference: str) -> None:
    wanted = stage.built[reference].layers
    until(
        f"{waited.name} holds the new {reference}",
        lambda: engines.held(stage.cluster, waited, reference).layers == wanted,
        seconds=90,
    )


def _token() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""The command line of the demo: `python -m tests.demo --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.demo import evidence, installation, lab_images, people, ranges, story
from tests.demo.cluster import LAB, OPERATOR, Cluster, of_kubeconfig, of_lab
from tests.demo.errors import DemoError
from tests.demo.screen import Screen
from tests.demo.stage import Stage
from tests.lab import cache, lab
from tests.lab.errors import LabError

_INTERRUPTED = 130
_PROGRAMS = Path(sys.executable).parent
"""Where `kubectl-cyroid` is, which kubectl finds as `kubectl cyroid`."""
_OWN_CLUSTER = ("--set=builder.enabled=true", "--set=registry.persistence.enabled=false")
_EPILOG = """
Without --kubeconfig a one-node Kubernetes is made on the spot (Linux, root, Go; see tests/lab).

On a cluster that you have (kind, k3s, minikube), kubectl and helm are taken from PATH. The
operator's image is the only one that no registry has yet, so build it and bring it there:

  docker build -f operator/Dockerfile -t ghcr.io/cyroid/cyroid-images:dev .
  kind load docker-image ghcr.io/cyroid/cyroid-images:dev
  make demo KUBECONFIG=$HOME/.kube/config DEMO='--set operator.image.tag=dev'

k3s instead: docker save ghcr.io/cyroid/cyroid-images:dev | k3s ctr images import -
registry:3.1.1 and docker:29-dind come from Docker Hub; name others with --set registry.image...
and builder.image..., and --engine-image for the ranges. Pods of the demo are privileged. The
release cyroid in namespace cyroid is installed or upgraded, its registry is stopped for a while,
and namespace cyroid-demo is made anew: this is for a cluster to play with.
"""


def main(words: Sequence[str]) -> int:
    """Does what the words say; the exit code."""
    asked = _parser().parse_args(words)
    screen = Screen()
    try:
        return _end(asked, screen) if asked.down else _run(asked, screen)
    except (DemoError, LabError) as exc:
        screen.failed(str(exc))
        return 1
    except KeyboardInterrupt:
        screen.failed("interrupted before there was a cluster to look at")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        description="Images reach ranges: by the registry, and by tar when it is gone.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kubeconfig", type=Path, help="a cluster that you have")
    parser.add_argument("--values", action="append", default=[], help="for helm, as there")
    parser.add_argument("--set", action="append", default=[], help="for helm, as there")
    parser.add_argument("--engine-image", help="what runs a range's engine (docker:29-dind)")
    parser.add_argument("--down", action="store_true", help="end what the demo made")
    return parser


def _run(asked: argparse.Namespace, screen: Screen) -> int:
    cluster = _cluster(asked, screen)
    try:
        story.tell(Stage(screen, cluster))
    except DemoError as exc:
        screen.failed(str(exc))
        evidence.show(screen, cluster)
        screen.failed(str(exc))
        _say_how_to_look(screen, cluster)
        return 1
    except KeyboardInterrupt:
        screen.failed("interrupted")
        _say_how_to_look(screen, cluster)
        return _INTERRUPTED
    screen.summary()
    try:
        token = _show_people(screen, cluster)
    except DemoError as exc:
        screen.failed(str(exc))
        _say_how_to_look(screen, cluster)
        return 1
    _say_how_to_go_on(screen, cluster, token)
    return 0


def _cluster(asked: argparse.Namespace, screen: Screen) -> Cluster:
    given = [f"--values={file}" for file in asked.values] + [f"--set={each}" for each in asked.set]
    if asked.kubeconfig:
        options = {"engine_image": asked.engine_image} if asked.engine_image else {}
        cluster = of_kubeconfig(asked.kubeconfig, [*_OWN_CLUSTER, *given], **options)
        with screen.step("The cluster that you have"):
            screen.output(cluster.kubectl("get", "nodes"))
        return cluster
    with screen.step("A one-node Kubernetes is made on this machine"):
        running = lab.up(LAB, screen.output)
    return of_lab(running)


def _end(asked: argparse.Namespace, screen: Screen) -> int:
    if asked.kubeconfig:
        cluster = of_kubeconfig(asked.kubeconfig, ())
        ranges.remove_namespace(cluster)
        people.take_back(cluster, people.TRIES)
        installation.uninstall(cluster)
        screen.note("the demo is gone; the two CRDs stay, as the chart keeps them")
        return 0
    ended = lab.down(LAB)
    screen.note("the demo's Kubernetes is gone, without a trace" if ended else "there was none")
    return 0


def _say_how_to_look(screen: Screen, cluster: Cluster) -> None:
    screen.note("Everything stays as it is, to look at:")
    _say_how_to_reach(screen, cluster)
    screen.note(f"`make demo{_own(cluster)}` begins anew; `make demo-down{_own(cluster)}` ends it.")


def _show_people(screen: Screen, cluster: Cluster) -> str:
    """The same by the command line; a token for the page, which is tried."""
    screen.note("")
    screen.note("The same at a glance:")
    words = ("status", "--namespace", ranges.NAMESPACE)
    screen.command("kubectl cyroid", *words)
    screen.output(people.console(cluster, *words))
    token = people.token(cluster, people.TRIES, "cyroid-engineer")
    with people.reached(cluster) as url:
        people.look_at_page(url, token)
    return token


def _say_how_to_go_on(screen: Screen, cluster: Cluster, token: str) -> None:
    path = cache.root() / "demo" / "range-four.yaml"
    path.parent.mkdir(exist_ok=True)
    items = ranges.documents(cluster, "range-four", lab_images.all_references())
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2))
    screen.note("")
    screen.note("Go on by hand:")
    _say_how_to_reach(screen, cluster)
    screen.output(f"kubectl apply -f {path}  # a fourth range")
    screen.output(f"kubectl get rimg -n {ranges.NAMESPACE} -w")
    screen.output(f"kubectl describe rimg/range-three -n {ranges.NAMESPACE}")
    screen.output(f"kubectl port-forward -n {OPERATOR} {people.SERVICE} {people.PORT}  # the page")
    screen.note(
        f"and then http://127.0.0.1:{people.PORT}/, with a token that may push for 8 hours:"
    )
    screen.note(token)
    screen.note(f"`make demo-down{_own(cluster)}` ends it.")


def _own(cluster: Cluster) -> str:
    return "" if cluster.is_lab else f" KUBECONFIG={cluster.kubeconfig}"


def _say_how_to_reach(screen: Screen, cluster: Cluster) -> None:
    screen.output(f"export KUBECONFIG={cluster.kubeconfig}")
    if cluster.is_lab:
        screen.output(f"export PATH={cluster.kubectl_path.parent}:{_PROGRAMS}:$PATH")
    screen.output("kubectl get rimg -A")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a person needs to see when the demo failed."""

from tests.demo.cluster import OPERATOR, Cluster
from tests.demo.errors import DemoError
from tests.demo.ranges import NAMESPACE
from tests.demo.screen import Screen

_QUESTIONS = (
    ("get", "pods", "--all-namespaces", "--output=wide"),
    ("describe", "imagecaches.cyroid.io"),
    ("describe", "rimg", f"--namespace={NAMESPACE}"),
    ("logs", "deploy/cyroid-operator", f"--namespace={OPERATOR}", "--tail=40"),
)


def show(screen: Screen, cluster: Cluster) -> None:
    """Pods, both kinds and the end of the operator's log, as far as they answer."""
    for words in _QUESTIONS:
        screen.command("kubectl", *words)
        try:
            screen.output(cluster.kubectl(*words, timeout=20))
        except DemoError as exc:
            screen.output(str(exc))

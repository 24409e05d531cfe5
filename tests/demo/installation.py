"""The chart, installed with helm, and what this machine adds to the demo."""

from pathlib import Path

from tests.demo import busybox as programs
from tests.demo.cluster import OPERATOR, Cluster

CHART = "charts/cyroid-images"
RELEASE = "cyroid"
_ROOT = Path(__file__).parents[2]
_READY = 180  # seconds; pods of images that are there take about 10


def command() -> tuple[str, ...]:
    """The command as a person would type it, without the values."""
    where = ("--namespace", OPERATOR, "--create-namespace", "--wait")
    return ("helm", "upgrade", "--install", RELEASE, CHART, *where)


def install(cluster: Cluster) -> None:
    """Installs or upgrades the release and waits until all of it runs."""
    _, verb, option, release, _, *where = command()
    chart = str(_ROOT / CHART)
    arguments = [verb, option, release, chart, *where, f"--timeout={_READY}s"]
    cluster.helm(*arguments, *cluster.chart_arguments, timeout=_READY + 30)
    _wait_for_cache(cluster)


def uninstall(cluster: Cluster) -> None:
    """Removes the release; definitions and volumes that the chart keeps stay."""
    where = (f"--namespace={OPERATOR}", "--ignore-not-found", "--wait", "--timeout=120s")
    cluster.helm("uninstall", RELEASE, *where, timeout=150)


def busybox(cluster: Cluster, architecture: str) -> bytes | None:
    """The program for the demo's images; only for a lab is a package installed."""
    return programs.find(architecture, may_install=cluster.is_lab)


def _wait_for_cache(cluster: Cluster) -> None:
    cluster.kubectl("wait", "--for=condition=Ready", "cic/default", "--timeout=60s", timeout=90)

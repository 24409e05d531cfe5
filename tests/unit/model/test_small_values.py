"""The small values of engines and registries."""

from __future__ import annotations

import pytest

from cyroid_images.model.engine import ClientTLS, EngineEndpoint, EngineInfo, ImageStore
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.model.telemetry.progress import Progress, ignore
from cyroid_images.scheduling.cancel_scope import NEVER


@pytest.mark.parametrize(("api", "reads"), [((1, 41), False), ((1, 42), True), ((1, 51), True)])
def test_zstd_is_read_from_api_1_42_on(api: tuple[int, int], reads: bool) -> None:
    info = EngineInfo(
        "ID", "dind", "26.1.5", api, ImageStore.CLASSIC, Platform.parse("linux/amd64")
    )
    assert info.reads_zstd is reads
    assert str(info) == "26.1.5 classic linux/amd64"


def test_the_host_of_a_registry_is_what_stands_in_image_names() -> None:
    assert RegistryEndpoint("https://registry.example.com:5001").host == "registry.example.com:5001"


def test_no_secret_is_ever_printed() -> None:
    registry = RegistryEndpoint("https://r:1", Credentials("me", "s3cret"), ca="s3cret")
    engine = EngineEndpoint("tcp://e:2376", ClientTLS("s3cret", "s3cret", "s3cret", "dind"))
    assert "s3cret" not in f"{registry} {registry!r} {engine} {engine!r}"


def test_a_call_that_nobody_cancels_goes_on() -> None:
    NEVER.attach(lambda: None)()
    NEVER.raise_if_cancelled()
    ignore(Progress(1, total=2))

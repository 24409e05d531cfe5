"""Where a host of image names listens, and who may give out its tokens."""

from __future__ import annotations

import pytest

from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import Credentials
from cyroid_images.model.upstream import normal_host, upstream_endpoint


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "Docker.io"])
def test_docker_hub_listens_elsewhere(host: str) -> None:
    """The one host that does."""
    found = upstream_endpoint(host, frozenset({host}))
    assert (found.host, found.registry.url) == ("docker.io", "https://registry-1.docker.io")
    assert found.token_hosts == {"auth.docker.io"}


@pytest.mark.parametrize("name", ["bitnami/nginx", "nginx", "index.docker.io/x/y"])
def test_p_r8_an_image_without_a_host_is_docker_hubs(name: str) -> None:
    """P-R8: the predecessor took `bitnami/nginx` for a local image."""
    assert Reference.parse(name).host == normal_host("index.docker.io")


def test_docker_hub_is_never_spoken_to_without_tls() -> None:
    """`insecure` is for the hosts beside it."""
    assert upstream_endpoint("docker.io", frozenset(), insecure=True).registry.url.startswith(
        "https://"
    )


def test_another_host_listens_where_it_says() -> None:
    """With its port; without TLS only where that was written."""
    assert upstream_endpoint("Ghcr.io", frozenset({"ghcr.io"})).registry.url == "https://ghcr.io"
    plain = upstream_endpoint("10.0.0.1:5000", frozenset({"10.0.0.1:5000"}), insecure=True)
    assert plain.registry.url == "http://10.0.0.1:5000"
    assert plain.token_hosts == frozenset()


def test_the_hosts_of_one_source_may_give_out_each_others_tokens() -> None:
    """lscr.io sends whoever asks to ghcr.io."""
    hosts = frozenset({"lscr.io", "ghcr.io"})
    assert upstream_endpoint("lscr.io", hosts).token_hosts == {"ghcr.io"}
    assert upstream_endpoint("ghcr.io", hosts).token_hosts == {"lscr.io"}


def test_credentials_and_authority_go_with_the_endpoint() -> None:
    """And are not printed."""
    me = Credentials("me", "s3cret")
    found = upstream_endpoint("ghcr.io", frozenset(), credentials=me, ca="PEM")
    assert found.registry.credentials == me
    assert found.registry.ca == "PEM"
    assert "s3cret" not in repr(found)

"""A fault proxy between a client and the API server: TLS ends in it, so it can answer itself.

It shows the API server's own certificate; the client's token passes through unseen.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.parts.proxy import FaultProxy


@contextmanager
def before_api_server(kubeconfig: Path) -> Iterator[tuple[FaultProxy, Path]]:
    """The proxy, and a kubeconfig that leads the same identity through it.

    The kubeconfig must be one with a token: a client certificate would end at the proxy.
    """
    document = yaml.safe_load(kubeconfig.read_text())
    (entry,) = document["clusters"]
    authority = Path(entry["cluster"]["certificate-authority"])
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(authority.with_name("server.crt"), authority.with_name("server.key"))
    beyond = ssl.create_default_context(cafile=str(authority))
    peer = str(entry["cluster"]["server"]).removeprefix("https://")
    with FaultProxy(peer, tls=own, peer_tls=beyond) as proxy:
        entry["cluster"]["server"] = f"https://{proxy.host}"
        path = kubeconfig.with_suffix(".proxied")
        path.write_text(yaml.safe_dump(document))
        path.chmod(0o600)
        yield proxy, path

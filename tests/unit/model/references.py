"""Generated references and near-references, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

_LOWER = "abz019"
_COMPONENT = st.builds(
    lambda parts, by: by.join(parts),
    st.lists(st.text(_LOWER, min_size=1, max_size=5), min_size=1, max_size=3),
    st.sampled_from([".", "_", "__", "-", "---"]),
)
_LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,5}[A-Za-z0-9])?", fullmatch=True)
_PORTS = st.integers(0, 65535).map(lambda port: f":{port}")
_DOTTED = st.lists(_LABEL, min_size=2, max_size=3).map(".".join)

HOSTS = st.one_of(
    st.sampled_from(["localhost", "docker.io", "index.docker.io", "127.0.0.1:5000", "ghcr.io"]),
    st.builds(str.__add__, _LABEL, _PORTS),
    st.builds(str.__add__, _DOTTED, st.one_of(st.just(""), _PORTS)),
)
PATHS = st.lists(_COMPONENT, min_size=1, max_size=4).map("/".join)
LONG_PATHS = st.integers(190, 230).map(lambda length: "p" * length)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}", fullmatch=True).map(lambda tag: f":{tag}")
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda text: f"@sha256:{text}")
_NOTHING = st.just("")

NAMES = st.builds(
    lambda host, path, tag, digest: f"{host}/{path}{tag}{digest}",
    HOSTS,
    st.one_of(PATHS, LONG_PATHS),
    st.one_of(_NOTHING, TAGS),
    st.one_of(_NOTHING, DIGESTS),
)
"""References with a host."""

TEXTS = st.one_of(
    NAMES,
    st.lists(
        st.sampled_from(
            [*"aB0./:@_- \n", "..", "__", "localhost", "docker.io", "5000", "sha256:" + "0" * 64]
        ),
        max_size=9,
    ).map("".join),
    st.text(max_size=12),
)
"""References and texts that nearly are, or are not at all."""

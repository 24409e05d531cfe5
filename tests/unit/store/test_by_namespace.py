"""What is in one namespace follows what is in the whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.store.by_namespace import ByNamespace

KEYS = st.integers(0, 5)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.sampled_from(["a", "b", "c"])))


@given(CHANGES)
def test_each_namespace_has_what_a_look_at_everything_would_find(
    changes: list[tuple[int, str | None]],
) -> None:
    """A value is its own namespace here; None takes the key away."""
    held, plain = ByNamespace[int, str](str), dict[int, str]()
    for key, value in changes:
        if value is None:
            assert held.pop(key, None) == plain.pop(key, None)
        else:
            held[key] = plain[key] = value
    assert dict(held) == plain
    for namespace in "abc":
        found = {key: value for key, value in plain.items() if value == namespace}
        assert held.within(namespace) == found

"""A persistent dictionary is a dict that no addition changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.codec import decode, encode
from evonas_cli.core.persistent import PersistentDict

BATCHES = st.lists(st.dictionaries(st.integers(0, 30), st.integers(), max_size=6), max_size=12)


@given(BATCHES)
def test_it_is_at_every_moment_the_dict_of_the_same_additions(batches: list[dict[int, int]]) -> None:
    grown, expected = PersistentDict[int, int](), [{}]
    states = [grown]
    for batch in batches:
        grown = grown.with_entries(batch)
        states.append(grown)
        expected.append(expected[-1] | batch)
    for state, plain in zip(states, expected, strict=True):
        assert state == plain and len(state) == len(plain)
        assert list(state.items()) == list(plain.items()) and list(state) == list(plain)
        assert [state.get(key) for key in range(31)] == [plain.get(key) for key in range(31)]
        assert [key in state for key in range(31)] == [key in plain for key in range(31)]


@given(BATCHES)
def test_it_is_stored_as_a_dict_is(batches: list[dict[int, int]]) -> None:
    grown, plain = PersistentDict[int, int](), dict[int, int]()
    for batch in batches:
        grown, plain = grown.with_entries(batch), plain | batch
    data = encode(PersistentDict[int, int], grown, lambda genome: genome)
    assert data == encode(dict[int, int], plain, lambda genome: genome)
    assert decode(PersistentDict[int, int], data, lambda genome: genome) == plain


def test_single_additions_share_all_but_a_logarithmic_part() -> None:
    grown = PersistentDict[int, int]()
    for key in range(1000):
        grown = grown.with_entries({key: key})
    assert len(grown._layers) <= 10 and sum(map(len, grown._layers)) == 1000
    assert grown.with_entries({-1: 0})._layers[0] is grown._layers[0]

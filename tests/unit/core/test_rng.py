"""Streams depend on their names alone, and a lazy one draws what the eager one draws."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.rng import LazyStream, Seeded, derive, stream

DRAWS: dict[str, Callable[[Random], object]] = {
    "random": lambda rng: rng.random(),
    "getrandbits": lambda rng: rng.getrandbits(70),
    "randrange": lambda rng: rng.randrange(1000),
    "choice": lambda rng: rng.choice("abcdefg"),
    "choices": lambda rng: rng.choices(range(9), weights=range(9), k=4),
    "sample": lambda rng: rng.sample(range(50), 7),
    "shuffle": lambda rng: rng.shuffle(order := list(range(20))) or order,
    "gauss": lambda rng: rng.gauss(),
    "normalvariate": lambda rng: rng.normalvariate(),
    "randbytes": lambda rng: rng.randbytes(5),
    "getstate": lambda rng: rng.getstate(),
    "seed": lambda rng: rng.seed(7),
    "setstate": lambda rng: rng.setstate(Random(3).getstate()),
}


@given(st.integers(), st.lists(st.integers(0, 10**6), max_size=2), st.lists(st.sampled_from(sorted(DRAWS)), max_size=6))
def test_a_lazy_stream_draws_what_the_stream_of_its_name_draws(seed: int, index: list[int], draws: list[str]) -> None:
    eager, lazy = stream(seed, "tell", *index), LazyStream(seed, "tell", *index)
    for name in draws:
        assert DRAWS[name](lazy) == DRAWS[name](eager)
    assert lazy.getstate() == eager.getstate()


@given(st.integers(0, 2**64 - 1), st.lists(st.sampled_from(sorted(DRAWS)), max_size=6))
def test_a_seeded_generator_is_that_of_python(seed: int, draws: list[str]) -> None:
    ours, theirs = Seeded(seed), Random(seed)
    for name in draws:
        assert DRAWS[name](ours) == DRAWS[name](theirs)
    assert ours.getstate() == theirs.getstate()
    assert pickle.loads(pickle.dumps(ours)).getstate() == theirs.getstate()


def test_streams_differ_by_seed_purpose_and_index() -> None:
    names = [(0, "ask", 1), (0, "ask", 2), (0, "tell", 1), (1, "ask", 1), (0, "ask")]
    assert len({stream(*name).random() for name in names}) == len(names)
    assert derive(0, "ask", 12) == derive(0, "ask", 12)

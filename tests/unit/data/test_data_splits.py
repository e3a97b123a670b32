"""Stratified selection and channel moments."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.data.splits import moments, split_indices, stratified
from evonas_cli.data.targets import Targets


@st.composite
def selections(draw: st.DrawFn) -> tuple[np.ndarray, int, int]:
    counts = draw(st.lists(st.integers(2, 40), min_size=1, max_size=6))
    least = draw(st.integers(1, 2))
    n = draw(st.integers(least * len(counts), sum(counts) - (2 - least) * len(counts)))
    labels = np.repeat(np.arange(len(counts)), counts)
    Random(draw(st.integers(0, 99))).shuffle(labels)
    return labels, n, least


@given(selections(), st.integers(0, 2**32))
def test_stratified_is_an_exact_proportional_partition(selection, seed):
    labels, n, least = selection
    chosen, rest = stratified(labels, n, least, Random(seed), "part")
    assert len(chosen) == n
    assert sorted([*chosen, *rest]) == list(range(len(labels)))
    counts, taken = np.bincount(labels), np.bincount(labels[chosen], minlength=labels.max() + 1)
    assert taken.min() >= least
    assert (counts - taken).min() >= 2 - least
    spread, free = n - least * len(counts), counts - 2
    ideal = least + (free * spread / free.sum() if free.sum() else 0)
    assert np.abs(taken - ideal).max() < 1
    again, _ = stratified(labels, n, least, Random(seed), "part")
    assert np.array_equal(again, chosen)


def test_balanced_classes_share_equally():
    labels = np.arange(1000) % 10
    chosen, _ = stratified(labels, 250, 1, Random(0), "part")
    assert np.bincount(labels[chosen]).tolist() == [25] * 10


def test_seeds_choose_differently():
    labels = np.arange(1000) % 10
    assert not np.array_equal(
        stratified(labels, 250, 1, Random(0), "p")[0], stratified(labels, 250, 1, Random(1), "p")[0]
    )


@pytest.mark.parametrize(
    ("labels", "n", "text"),
    [
        ([0, 0, 1], 2, "part: class 1 has 1 of the 3 examples"),
        ([0, 0, 2, 2], 2, "part: class 1 has 0 of the 4 examples"),
        ([0, 0, 1, 1], 1, "part: 1 of 4 examples is too few for 2 classes; choose 2 to 2 of them"),
        ([0, 0, 0, 1, 1], 4, "part: 4 of 5 examples is too many for 2 classes; choose 2 to 3 of them"),
    ],
)
def test_what_cannot_be_split_is_refused(labels, n, text):
    with pytest.raises(UsageError) as error:
        stratified(np.array(labels), n, 1, Random(0), "part")
    assert text in str(error.value)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_moments_are_numpys(kind):
    x = np.random.default_rng(0).uniform(0, 200, (37, 3, 5, 4)).astype(kind)
    mean, std = moments(x, chunk=10)
    assert np.allclose(mean, x.astype(np.float64).mean(axis=(0, 2, 3)))
    assert np.allclose(std, x.astype(np.float64).std(axis=(0, 2, 3)))


def test_a_constant_channel_has_deviation_one():
    mean, std = moments(np.full((4, 1, 2, 2), 7, np.uint8))
    assert (mean.item(), std.item()) == (7.0, 1.0)


def numbers(n: int) -> Targets:
    return Targets(np.arange(n, dtype=np.float64)[:, None], "numbers", ("price",))


def test_parts_are_disjoint_and_complete_for_numbers_and_the_test_part_does_not_depend_on_the_limit():
    parts = split_indices(numbers(50), 0.25, 0.2, None, 3, "here")
    assert {part: len(indices) for part, indices in parts.items()} == {"test": 10, "valid": 10, "train": 30}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(50))
    assert all((np.diff(indices) > 0).all() for indices in parts.values())
    limited = split_indices(numbers(50), 0.25, 0.2, 20, 3, "here")
    assert np.array_equal(limited["test"], parts["test"])
    assert (len(limited["valid"]), len(limited["train"])) == (5, 15)
    assert set(split_indices(numbers(50), None, None, None, 3, "here")) == {"train"}
    assert not np.array_equal(split_indices(numbers(50), 0.25, 0.2, None, 4, "here")["test"], parts["test"])


def test_classes_are_split_stratified_and_messages_have_their_names():
    found = Targets(np.repeat([0, 1], [40, 20]), "classes", ("cat", "dog"))
    parts = split_indices(found, 0.25, 0.2, None, 0, "here")
    assert np.bincount(found.y[parts["test"]]).tolist() == [8, 4]
    rare = Targets(np.repeat([0, 1], [40, 1]), "classes", ("cat", "dog"))
    with pytest.raises(
        UsageError, match=r"here: class dog has 1 of the 41 examples, but they are divided into 3 parts"
    ):
        split_indices(rare, 0.25, 0.2, None, 0, "here")


@pytest.mark.parametrize(
    ("n", "limit", "text"),
    [
        (4, None, "here: dataset.test_fraction=0.1 x 4: 0 of 4 examples is too few; choose 1 to 3 of them"),
        (50, 51, "here: dataset.limit=51: 51 of 45 examples is too many; choose 2 to 45 of them"),
    ],
)
def test_numbers_too_few_to_be_split_are_refused(n, limit, text):
    with pytest.raises(UsageError) as error:
        split_indices(numbers(n), 0.1, 0.1, limit, 0, "here")
    assert str(error.value) == text

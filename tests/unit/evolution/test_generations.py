"""The state of a generational search: who counts as known, what is counted, and how training goes on."""

from __future__ import annotations

from random import Random

import pytest

from evonas_cli.core.codec import decode, encode
from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.evolution.generations import (
    Birth,
    Generation,
    Individual,
    best_first,
    births,
    figures,
    older,
    settle,
    train_on,
)

Text = Generation[str]


def children(*genomes: str) -> list[tuple[Proposal[str], int]]:
    return [(Proposal(genome, parents=(n,)), n) for n, genome in enumerate(genomes)]


def test_everything_is_new_without_an_archive() -> None:
    born, new = births(
        Generation(archive=PersistentDict({"a": (0, (1.0,), 0.0)})), children("a", "b", "b"), archive=False
    )
    assert [proposal.genome for proposal in new] == ["a", "b", "b"]
    assert born == (Birth("a", (0,), 0), Birth("b", (1,), 1), Birth("b", (2,), 2))


def test_told_and_asked_genomes_are_known_to_an_archive() -> None:
    state: Text = Generation(archive=PersistentDict({"a": (0, None, 0.0)}), pending=((Birth("c"),),))
    born, new = births(state, children("a", "b", "b", "c", "d"), archive=True)
    assert [proposal.genome for proposal in new] == ["b", "d"]
    assert [birth.known for birth in born] == [True, False, True, True, False]


def test_settling_by_hand() -> None:
    state: Text = Generation(number=2, best_id=1, best_loss=0.5, stale=1, n_failed=1, n_cached=3)
    born = [Birth("a"), Birth("b", (4,), 2), Birth("a", known=True), Birth("z", known=True)]
    told = [Evaluation(8, "a", (0.5, 9.0)), Evaluation(9, "b", None)]
    after, newborn = settle(state, born, told, archive=True)
    assert newborn == [
        (Individual(8, "a", (0.5, 9.0)), ()),
        (Individual(9, "b", None, 2), (4,)),
        (Individual(8, "a", (0.5, 9.0)), ()),  # "z" was asked in a step that is not told
    ]
    assert (after.number, after.stale, after.best_id, after.best_loss) == (3, 2, 1, 0.5)  # equal is no new best
    assert (after.n_failed, after.n_cached, after.archive) == (2, 5, {"a": (8, (0.5, 9.0), 0.0), "b": (9, None, 0.0)})
    better, _ = settle(
        after, [Birth("c"), Birth("d")], [Evaluation(10, "c", (0.1,)), Evaluation(11, "d", (0.1,))], archive=True
    )
    assert (better.stale, better.best_id, better.best_loss) == (0, 10, 0.1)


def test_the_best_come_first_and_the_failed_last() -> None:
    members = [
        Individual(0, "a", None),
        Individual(1, "b", (2.0,)),
        Individual(2, "c", (-1.0,)),
        Individual(3, "d", None),
    ]
    assert [member.id for member in best_first(members, Random(0))][:2] == [2, 1]
    assert {best_first(members, Random(seed))[2].id for seed in range(20)} == {0, 3}
    assert older(members[1]) == Individual(1, "b", (2.0,), 1)


def test_training_on_by_hand() -> None:
    members = [Individual(n, letter, (float(n),), age=n) for n, letter in enumerate("abcd")]
    bred = train_on(members, 0.25, lambda genome, rng: genome.upper(), Random(0))
    assert [(p.genome, p.continues, p.parents, p.operator, age) for p, age in bred] == [
        ("a", 0, (0,), "train_on", 1),
        ("b", 1, (1,), "train_on", 2),
        ("c", 2, (2,), "train_on", 3),
        ("A", 0, (0,), "exploit+mutation", 0),
    ]
    [*_, (copied, _)] = train_on(members, 0.25, lambda genome, rng: genome, Random(0))
    assert (copied.genome, copied.operator) == ("a", "exploit")


def test_figures_without_a_distance_have_no_diversity() -> None:
    state: Text = Generation((Individual(0, "a", (1.0, 3.0), 2), Individual(1, "a", None)), number=5, best_loss=0.5)
    assert figures(state, None) == {
        "generation": 4, "best": 0.5, "mean_loss": 1.0, "mean_age": 1.0, "unique_genomes": 1, "failed": 0, "cached": 0,
    }  # fmt: skip
    assert figures(state, lambda first, second: 0.25)["diversity"] == 0.25


def test_the_state_is_stored_with_all_it_knows() -> None:
    state: Text = Generation(
        (Individual(0, "a", None, 3),),
        4,
        ((Birth("b", (1, 2), 1, True),), ()),
        7,
        -2.5,
        3,
        2,
        1,
        PersistentDict({"a": (0, None, 0.0), "c": (3, (1.5, 2.0), 0.25)}),
    )
    written = encode(Text, state, lambda genome: {"letter": genome})
    assert decode(Text, written, lambda data: str(data["letter"])) == state
    with pytest.raises(ValueError, match="Generation"):
        decode(Text, {"individuals": []}, str)


def test_the_best_is_within_all_constraints() -> None:
    born = [Birth("a"), Birth("b"), Birth("c")]
    told = [Evaluation(0, "a", (0.1, 5.0), violation=0.5), Evaluation(1, "b", (0.3, 4.0)), Evaluation(2, "c", None)]
    state: Text = Generation()
    after, newborn = settle(state, born, told, archive=True)
    assert (after.best_id, after.best_loss, after.n_failed) == (1, 0.3, 1)
    assert [(i.losses, i.loss, i.violation) for i, _ in newborn] == [
        ((0.1, 5.0), 0.1, 0.5),
        ((0.3, 4.0), 0.3, 0.0),
        (None, None, 0.0),
    ]
    recalled, [(individual, _)] = settle(after, [Birth("a", known=True)], [], archive=True)
    assert individual == newborn[0][0] and recalled.best_id == 1

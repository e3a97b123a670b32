"""The whole comparison on runs made by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import EvonasError
from evonas_cli.report.comparison import compare
from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Sample

Make = Callable[..., Sample]


def runs(sample: Make, strategy: str, values: list[float], **more: Any) -> list[Sample]:
    return [sample(strategy, seed, (0.9, value, None, 0.95), **more) for seed, value in enumerate(values)]


def test_numbers_by_hand(sample: Make) -> None:
    found = compare([*runs(sample, "random", [0.5, 0.6]), *runs(sample, "genetic", [0.1, 0.3, 0.5])])
    assert (found["axis"], found["budget"], found["baseline"]) == ("trainings", 4, "random")
    random, genetic = found["groups"]
    assert random["n"] == 2 and genetic["seeds"] == [0, 1, 2] and genetic["values"] == [0.1, 0.3, 0.5]
    assert genetic["mean"] == pytest.approx(0.3) and genetic["sd"] == pytest.approx(0.2) and genetic["median"] == 0.3
    assert genetic["evaluations"] == 4 and genetic["failed_share"] == 0.25
    assert genetic["area"] == pytest.approx((0.9 + 2 * 0.3) / 3), "from the first training to the fourth"
    [pair] = found["pairs"]
    assert (pair["a"], pair["b"], pair["n"]) == ("genetic", "random", [3, 2])
    assert pair["a12"] == pytest.approx(5.5 / 6) and pair["p"] == pair["p_holm"] == pytest.approx(4 / 10)
    assert genetic["verdict"]["word"] == "undecidable" and random["verdict"] is None
    assert [run["incumbent"] for run in genetic["runs"]] == [1, 1, 1]


def test_better_worse_and_neither(sample: Make) -> None:
    same = [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]
    samples = runs(sample, "random", same)
    for name, shift in (("good", -0.3), ("bad", 0.3), ("alike", 0.001)):
        samples += runs(sample, name, [value + shift for value in same])
    words = {g["label"]: g["verdict"]["word"] for g in compare(samples)["groups"] if g["verdict"]}
    assert words == {"good": "better", "bad": "worse", "alike": "not better"}
    against = compare(samples, baseline="bad")
    assert against["groups"][0]["verdict"]["text"].startswith("better than bad (p = 0.0065, A12 = 1.00, n = 6 + 6)")
    least = [pair["p"] for pair in against["pairs"]]
    assert all(pair["p_holm"] >= pair["p"] for pair in against["pairs"]) and min(least) == pytest.approx(2 / 924)


def test_only_the_pairs_with_the_baseline_weigh_on_a_verdict(sample: Make) -> None:
    samples = runs(sample, "random", [0.5, 0.51, 0.52, 0.53, 0.54])
    for place in range(4):
        samples += runs(sample, f"other{place}", [0.1 + place / 100 + seed / 1000 for seed in range(5)])
    found = compare(samples)
    assert [g["verdict"]["word"] for g in found["groups"][1:]] == ["better"] * 4
    assert [pair["b"] for pair in found["pairs"][:4]] == ["random"] * 4
    assert found["pairs"][0]["p_holm"] == pytest.approx(4 * 2 / 252)
    assert all(pair["p_holm"] == pytest.approx(6 * 2 / 252) for pair in found["pairs"][4:])


def test_three_runs_each_are_undecidable_however_far_apart(sample: Make) -> None:
    found = compare([*runs(sample, "random", [0.7, 0.7, 0.7]), *runs(sample, "genetic", [0.1, 0.1, 0.1])])
    assert found["groups"][1]["verdict"]["text"] == (
        "undecidable: n = 3 + 3 runs cannot reach p < 0.05; run at least 4 + 4"
    )


def test_the_budget_is_what_every_run_has_reached(sample: Make) -> None:
    short, long = sample("random", 0, (0.5, 0.4)), sample("genetic", 0, (0.6, 0.5, 0.1), finished=False)
    found = compare([short, long])
    assert found["budget"] == 2 and [g["values"] for g in found["groups"]] == [[0.4], [0.5]]
    assert "genetic-0 is not finished, but stands at 3 (trainings), beyond the equal budget" in found["remarks"]
    assert [g["values"] for g in compare([short, long], budget=1)["groups"]] == [[0.5], [0.6]]


def test_a_strategy_that_was_done_has_reached_every_budget(sample: Make) -> None:
    random, grid = runs(sample, "random", [0.5, 0.4, 0.3]), runs(sample, "grid", [0.2, 0.2, 0.2])
    for one in grid:
        one.track.ended = True
    reached = min(one.track.reached("trainings") for one in random)
    for one in grid:
        del one.track.values[1:], one.track.trainings[1:], one.track.seconds[1:], one.track.cost[1:]
        del one.track.reports[1:]
    found = compare([*random, *grid])
    assert found["budget"] == reached > 1
    assert [group["evaluations"] for group in found["groups"]] == [reached, 1]


def test_cost_is_the_axis_where_every_run_has_a_budget_in_it(sample: Make) -> None:
    one, two = (sample(name, 0, (0.5, 0.4, 0.3), limit=limit) for name, limit in (("random", 2.5), ("genetic", 2.0)))
    found = compare([one, two])
    assert found["axis"] == "cost" and found["budget"] == 2.0
    assert compare([one, sample("genetic", 0, (0.5,))])["axis"] == "trainings"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"budget": 3.0}, "--budget 3 is more than every run has reached: random-0 ended at 2"),
        ({"budget": 0.0}, "--budget is 0"),
        ({"budget": float("nan")}, "--budget is nan"),
        ({"axis": "seconds"}, "random-0 has no seconds to compare along; compare along --axis trainings"),
        ({"baseline": "gentic"}, "--baseline 'gentic' is no group (groups: 'random', 'genetic')"),
        ({"baseline": ""}, "--baseline '' fits several groups"),
        ({"budget": 1.0}, "genetic-0 has no success within 1 (trainings)"),
    ],
)
def test_refusals(sample: Make, options: dict[str, Any], text: str) -> None:
    samples = [sample("random", 0, (0.5, 0.4), seconds=0.0), sample("genetic", 0, (None, 0.4, 0.3), seconds=0.0)]
    with pytest.raises(EvonasError, match=re.escape(text)) as caught:
        compare(samples, **options)
    assert "\n" not in str(caught.value)


def test_runs_without_a_success_and_without_a_common_metric(sample: Make) -> None:
    with pytest.raises(EvonasError, match="genetic-0 has no successful evaluation"):
        compare([sample(), sample("genetic", 0, (None, None))])
    other = Sample("x", 1, sample("genetic").identity, {"strategy": "genetic"}, Track("valid_accuracy", "max"))
    with pytest.raises(EvonasError, match="first objectives differ"):
        compare([sample(), other])


def test_which_random_search(sample: Make) -> None:
    two = [sample(), sample(window=8), sample("genetic")]
    with pytest.raises(EvonasError, match="2 groups are random search .*say which one with --baseline"):
        compare(two)
    assert compare(two, baseline="random window=8")["baseline"] == "random window=8"
    assert compare(two, baseline="g")["baseline"] == "genetic", "the beginning of a label is enough where it is unique"
    alone = compare([sample("genetic")])
    assert alone["baseline"] is None and "no group is random search" in alone["remarks"][0]
    assert "one group only" in compare([sample()])["remarks"][0]


def test_other_machines_are_told(sample: Make) -> None:
    pair = [sample(environment={"device": "cpu"}), sample("genetic", environment={"device": "cuda"})]
    assert "(device: cpu, cuda); last bits may differ" in compare(pair)["remarks"][0]
    policy = [sample("random", 0), sample("ppo", 0, environment={"strategy_cpu": "x"})]
    assert compare(policy)["remarks"] == []
    assert "seconds are not comparable" in compare(pair, "seconds")["remarks"][0]


errors = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8)


@given(st.lists(st.tuples(st.sampled_from(["random", "a", "b"]), errors), min_size=1, max_size=9))
def test_every_document_is_strict_json_and_does_not_depend_on_the_order(found: list[tuple[str, Any]]) -> None:
    samples = []
    for seed, (strategy, own) in enumerate(found):
        track = Track("e", "min")
        for error in (0.99, *own):
            track.add(error is not None, {} if error is None else {"e": error}, 1.0)
        samples.append(
            Sample(f"r{seed}", seed, {"seed": seed, "strategy._target_": strategy}, {"strategy": strategy}, track)
        )
    document = compare(samples)
    json.dumps(document, allow_nan=False)
    by_label = {g["label"]: g for g in document["groups"]}
    assert by_label == {g["label"]: g for g in compare(samples[::-1])["groups"]}

"""A candidate that is a strategy: what its inner searches find, and which settings can be searched among."""

from __future__ import annotations

import pickle
from statistics import fmean, stdev
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.searches import inner_seeds
from evonas_cli.core.types import Candidate, Failure, Proposal, Result, Unit
from evonas_cli.evaluation.serial import Serial
from evonas_cli.jobs.search import Search, quantile
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.inner import Inner, resolved
from evonas_cli.run.search import search
from evonas_cli.spaces.settings import Settings
from evonas_cli.store.recorder import Memory

WORDS = ("strategy=regularized_evolution", "space=bits", "space.length=20", "job=landscape", "job.noise=0.1")
GENES = {"population_size": {"low": 4, "high": 20, "integer": True}}


def inner(*more: str) -> Inner:
    given = {word.partition("=")[0] for word in more}
    words = [word for word in (*WORDS, "budget.evaluations=30") if word.partition("=")[0] not in given]
    return Inner(resolved([*words, *more], (), ()))


def job(searches: Inner, **settings: Any) -> Search:
    return Search(Settings(GENES), searches, 7, **settings)


def evaluated(found: Search, genome: tuple[int, ...], seed: int = 1) -> Result:
    [result] = found.open(Place()).evaluate(Unit((Candidate(0, 0, seed, Proposal(genome)),)), Nowhere())
    return result


def best(seed: int, metric: str, *words: str) -> float:
    """That metric of the best candidate of an ordinary search, as its front says."""
    parts = assemble(compose([*WORDS, "budget.evaluations=30", *words]).config)
    evaluator: Serial[Any] = Serial(parts.job, Nowhere())
    evaluator.start()
    results: dict[int, Result] = {}
    fold = parts.fold(seed)
    search(fold, evaluator, Memory(lambda candidate, result: results.update({candidate.id: result})))
    return results[fold.front.members[0][0]].metrics[metric]


@pytest.mark.parametrize("metric", [None, "true_error"])
def test_the_loss_is_the_mean_over_ordinary_searches_with_the_seeds_of_the_run(metric: str | None) -> None:
    expected = [
        best(seed, metric or "valid_error", "strategy.population_size=6") for seed in inner_seeds(7, "inner", 3)
    ]
    found = evaluated(job(inner(), metric=metric), (6,)).metrics
    assert found == {"loss": fmean(expected), "loss_sd": stdev(expected), "cost": 90.0}


def test_all_candidates_have_the_same_seeds_unless_each_has_its_own() -> None:
    common, own = job(inner()), job(inner(), common=False)
    assert evaluated(common, (6,), 1).metrics == evaluated(common, (6,), 2).metrics
    assert evaluated(own, (6,), 1).metrics != evaluated(own, (6,), 2).metrics
    assert evaluated(own, (6,), 1).metrics == evaluated(pickle.loads(pickle.dumps(own)), (6,), 1).metrics


def test_seeds_of_another_purpose_are_others() -> None:
    assert not set(inner_seeds(0, "inner", 50)) & set(inner_seeds(0, "check", 50))


def test_more_is_better_counts_negative_and_failures_count_nowhere() -> None:
    searches = inner("scalarize={form: weighted, weights: {valid_error: 1.0}}")
    [loss] = searches.losses({}, [3], None)
    [error] = searches.losses({}, [3], "valid_error")
    assert searches.objective(None).direction == "max" and loss == error


def test_one_search_has_no_deviation() -> None:
    assert set(evaluated(job(inner(), seeds=1), (6,)).metrics) == {"loss", "cost"}


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(0, 1))
def test_quantiles_are_interpolated(values: list[float], share: float) -> None:
    assert quantile(values, share) == pytest.approx(float(numpy.quantile(values, share)), abs=1e-12)


def test_settings_that_do_not_go_together_fail_with_the_reason() -> None:
    searches = inner("strategy.replacement=false")
    found = searches.losses({"population_size": 5, "sample_size": 9}, [1], None)
    assert isinstance(found, Failure) and found.kind == "unbuildable"
    assert "sample_size must be 1 to 5 (population_size) without replacement" in found.text
    searches.check({"population_size": (5, 20), "sample_size": (1, 20)}, None)  # 20 goes with a larger population


def test_a_search_without_a_success_fails() -> None:
    found = inner("constraints={true_error: '<= -1'}").losses({}, [4], None)
    assert found == Failure("error", "no candidate of the inner search with seed=4 succeeded")


def test_settings_of_a_strategy_within_the_strategy() -> None:
    searches = inner("strategy=screened", "strategy.proposer=regularized_evolution")
    assert searches.settings(["proposer.sample_size"]) == {"proposer.sample_size": 3}
    with pytest.raises(UsageError, match=r"gene proposer.sample_size: .*sample_size must be a whole number"):
        searches.check({"proposer.sample_size": (0, 5)}, None)
    with pytest.raises(UsageError, match=r"no setting proposer.sample_sizes; did you mean sample_size\?"):
        searches.settings(["proposer.sample_sizes"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("budget.seconds=3", "an inner search ends by budget.evaluations"),
        ("seed=3", "seed=3: seed is none of an inner search"),
        ("job=search", "job Search is too slow for inner searches"),
        ("jobs={other: {_target_: evonas_cli.jobs.size.Size}}", "jobs.other Size is too slow for inner searches"),
    ],
)
def test_searches_that_are_none_are_refused(words: str, message: str) -> None:
    kept = [word for word in WORDS if words != "job=search" or not word.startswith("job")]
    with pytest.raises(UsageError, match=message):
        resolved([*kept, "budget.evaluations=30", words], (), ())


def whole(*more: str) -> Parts:
    listed = ",".join(f"'{word}'" for word in (*WORDS, "budget.evaluations=70"))
    words = ["strategy=random", "space=settings", "job=search", f"job.inner=[{listed}]", *more]
    return assemble(compose(words).config)


def test_a_run_records_the_whole_inner_search() -> None:
    config = whole().config
    assert config["job"]["inner"]["strategy"]["population_size"] == 10
    assert assemble(config).config == config


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("budget.evaluations=9", "would take more than a tenth of the budget; raise it to at least 10"),
        ("budget.cost=2099", "take 210 evaluations, more than a tenth of it.*raise budget.cost to 2100"),
        ("space.genes={remove: {options: [oldest, youngest]}}", "gene remove: no search can begin with 'youngest'"),
        ("space.genes={}", "space.genes is empty; name at least one setting of the strategy"),
        ("job.metric=true_eror", "measures no true_eror; did you mean true_error"),
        ("job.seeds=0", "job.seeds is 0"),
        ("job.quantile=1.5", "job.quantile is 1.5"),
        ("job.inner=[space]", "job.inner: space: space is none|job.inner: 'space' is no override"),
        ("space=bits", "job Search needs a space that is Configuring"),
    ],
)
def test_bad_input_is_found_before_the_first_search(more: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        key = more.partition("=")[0]
        listed = ",".join(f"'{word}'" for word in (*WORDS, "budget.evaluations=70"))
        words = ["strategy=random", "space=settings", "job=search", f"job.inner=[{listed}]"]
        assemble(compose([*[word for word in words if word.partition("=")[0] != key], more]).config)

"""What is a group, how it is called, and which runs are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.report.groups import Sample, group

Make = Callable[..., Sample]


def labels(*samples: Sample, vary: tuple[str, ...] = ()) -> list[str]:
    return [found.label for found in group(samples, vary)]


def test_runs_that_differ_in_their_seed_are_a_group(sample: Make) -> None:
    found = group([sample("genetic", 3), sample("random", 0), sample("genetic", 1, evaluator__threads=4)])
    assert [(g.label, g.seeds) for g in found] == [("genetic", [1, 3]), ("random", [0])]


def test_labels_say_what_differs_within_a_strategy(sample: Make) -> None:
    small, large = (sample("genetic", strategy__population_size=n, strategy__elitism=1) for n in (20, 50))
    assert labels(small, large, sample("random", window=8)) == [
        "genetic strategy.population_size=20",
        "genetic strategy.population_size=50",
        "random",
    ]
    assert labels(sample(), sample(window=8)) == ["random window=1", "random window=8"]
    assert labels(sample(), sample("genetic", window=8)) == ["random", "genetic"]


def test_what_is_varied_by_name_is_in_every_label(sample: Make) -> None:
    other = {"space__length": 5, "space___target_": "evonas_cli.spaces.chain.Chain"}
    assert labels(sample(), sample("genetic", **other), vary=("space",)) == ["random space=bits", "genetic space=chain"]
    one, two = sample(space__length=5), sample(space__length=6)
    assert labels(one, two, vary=("space.length",)) == ["random space.length=5", "random space.length=6"]


def test_labels_are_never_the_same(sample: Make) -> None:
    long = [sample(strategy__words="x" * 60 + end) for end in "abc"]
    found = labels(*long)
    assert len(set(found)) == 3 and found[1].endswith("... #2")


def test_other_experiments_are_refused_key_by_key(sample: Make) -> None:
    one, other = sample(name="a", space__length=5), sample("genetic", name="b", space__length=6, dataset__limit=10)
    with pytest.raises(
        RunError, match=r"a and b are no comparable .*dataset.limit: null and 10; space.length: 5 and 6"
    ):
        group([one, other])
    with pytest.raises(RunError, match="space.length: 5 and 6"):
        group([one, other], ["dataset"])
    with pytest.raises(RunError, match="dataset.limit"):
        group([one, other], ["space"])
    for nonsense in ("data", "dataset.lim"):
        with pytest.raises(UsageError, match="is no key of these runs"):
            group([one, other], ["space", nonsense])
    assert len(group([one, other], ["space", "dataset.limit"])) == 2


def test_threads_count_on_the_axis_of_seconds_only(sample: Make) -> None:
    runs = [sample(), sample("genetic", evaluator__threads=4)]
    assert len(group(runs, (), "trainings")) == 2
    with pytest.raises(RunError, match="evaluator.threads: 1 and 4"):
        group(runs, (), "seconds")


def test_a_run_that_would_count_twice(sample: Make) -> None:
    with pytest.raises(RunError, match="a and b are the same experiment with the same seed 7"):
        group([sample(seed=7, name="a"), sample(seed=8), sample(seed=7, name="b", evaluator__threads=2)])
    with pytest.raises(RunError, match="there is no run"):
        group([])


def test_other_data_under_the_same_seed(sample: Make) -> None:
    one = sample(name="a", environment={"data": "1f"})
    with pytest.raises(RunError, match="a and b have the same seed but other data"):
        group([one, sample("genetic", name="b", environment={"data": "2f"})])
    assert group([one, sample("genetic", seed=1, environment={"data": "2f"})]), "the split depends on the seed"
    smaller = sample("genetic", dataset__limit=10, environment={"data": "3f"})
    assert group([one, smaller], ["dataset.limit"])

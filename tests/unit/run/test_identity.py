"""Which keys make two runs different experiments."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import RunError
from evonas_cli.run.assembly import assemble
from evonas_cli.run.identity import LATER, check_identity, identity, without_later


def identified(*overrides: str) -> dict[str, Any]:
    config = compose(["dataset=digits", *overrides]).config
    return identity(assemble(config, trial=False).config)


def test_runs_from_before_a_key_are_those_with_its_default() -> None:
    assert not set(LATER) & set(identified())


@pytest.mark.parametrize("word", ["dataset.mixup=0.2", "dataset.randaugment=2", "dataset.magnitude=15"])
def test_augmentation_is_part_of_the_identity(word: str) -> None:
    key = word.partition("=")[0]
    assert set(identified(word)) - set(identified()) == {key}


def test_the_batch_of_random_search_is_part_of_the_identity() -> None:
    assert set(identified("strategy=random", "strategy.batch=5")) - set(identified("strategy=random")) == {
        "strategy.batch"
    }


def test_the_unit_of_a_table_is_part_of_the_identity() -> None:
    table = ("job=table", "job.path=t.csv")
    assert "job.accuracy_unit" not in identified(*table)
    assert identified(*table, "job.accuracy_unit=fraction")["job.accuracy_unit"] == "fraction"


def test_where_images_are_kept_is_not() -> None:
    assert identified("dataset.memory=host") == identified()


def test_a_long_value_is_cut_in_the_message() -> None:
    before = compose(["strategy=listed", f"strategy.genomes={[['a' * 9] * 9] * 99}"]).config
    run: Any = SimpleNamespace(root="before", metadata=lambda: {"identity": identity(before)})
    now = compose(["strategy=listed", "strategy.genomes=[[b]]"]).config
    with pytest.raises(
        RunError, match=r"strategy.genomes: run has \[\['aaaaaaaaa', .*\.\.\., now \[\['b'\]\]"
    ) as raised:
        check_identity(run, now)
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("strategy", ["genetic", "regularized_evolution"])
def test_a_run_may_have_written_a_later_key_down_or_not(strategy: str) -> None:
    config = compose(["dataset=digits", f"strategy={strategy}"]).config
    for written in (identity(config), {**identity(config), "strategy.inherit": "none"}):
        run: Any = SimpleNamespace(root="run", metadata=partial(dict, identity=written))
        check_identity(run, config)
        assert without_later(written) == identity(config)
    warm = {**identity(config), "strategy.inherit": "weights"}
    other: Any = SimpleNamespace(root="run", metadata=partial(dict, identity=warm))
    with pytest.raises(RunError, match=r"strategy\.inherit: run has weights, now none"):
        check_identity(other, config)

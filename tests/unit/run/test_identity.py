"""Which keys make two runs different experiments."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.run.identity import LATER, identity


def identified(*overrides: str) -> dict[str, Any]:
    return identity(compose(["dataset=digits", *overrides]).config)


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

"""The same command gives the same run: in another process, with another hash seed, in another folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.config.folders import options

TOY = ("search", "job=landscape", "budget.evaluations=60", "--quiet", "--run-dir", "run")
SPACES = {
    "grid": ("space=chain_landscape", "space.length=6"),
    "listed": ("space=bits", "space.length=3", "strategy.genomes=[[0,1,1],[1,0,1]]", "strategy.repeats=3"),
}
# The job `landscape` is refused with these: both decide between trainings of several lengths.
SCHEDULED = ("halving", "population_based_training")
ASSEMBLED = ("codeepneat", "deepneat")
TRAINED = ("search", "space=codeepneat", "space.filters=[2,4]", "dataset.limit=80", "trainer.epochs=1", "device=cpu")


def words(strategy: str) -> tuple[str, ...]:
    if strategy in ASSEMBLED:
        more = ("dataset=digits", "evaluator=serial", "budget.evaluations=24", "--quiet", "--run-dir", "run")
        return (*TRAINED, *more, f"strategy={strategy}")
    return (*TOY, *SPACES.get(strategy, ("space=chain_landscape",)), f"strategy={strategy}")


@pytest.mark.parametrize("strategy", [name for name in options("strategy") if name not in SCHEDULED])
def test_hash_seed_and_folder_change_nothing(
    evonas: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, strategy: str
) -> None:
    digests = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        assert evonas(*words(strategy), cwd=folder, env={"PYTHONHASHSEED": seed}).returncode == 0
        document = json.loads(evonas("verify", "run", "--json", cwd=folder).stdout)
        assert document["ok"]
        digests.append(document["digest"])
    assert digests[0] == digests[1]

"""What the train job foresees of a training: counted on plans, without torch, in proportion to what will be done."""

from __future__ import annotations

import subprocess
import sys

import pytest
from training_jobs import GENOME, candidate, job

from evonas_cli.core.evaluating import Foreseeing, Stoppable
from evonas_cli.core.types import Unit
from evonas_cli.spaces.hyperparameters import Hyperparameters

ENVIRONMENT = {"task": {"shape": [1, 8, 8], "classes": 10}, "device": "cpu"}
LARGER = ("nor_conv_3x3", "nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_3x3")


def test_work_grows_with_network_epochs_and_width():
    what = job(epochs=4)
    assert isinstance(what, Foreseeing)
    small = what.work(Unit((candidate(),)), ENVIRONMENT)
    large = what.work(Unit((candidate(genome=LARGER),)), ENVIRONMENT)
    assert 0 < small < large
    assert what.work(Unit((candidate(fidelity=0.5),)), ENVIRONMENT) == small / 2
    assert what.work(Unit((candidate(),), 3, (1,)), ENVIRONMENT) == 3 * small


def test_a_unit_takes_as_long_as_its_longest_member():
    genes = {"epochs": {"options": [1, 5]}, "learning_rate": {"low": 0.01, "high": 0.1}}
    what = job(space=Hyperparameters(genes=genes, channels=[4, 6], hidden=16, dropout=0.25))
    unit = Unit((candidate(0, (1, 0.05)), candidate(1, (5, 0.05))), 2, (0, 1))
    assert what.work(unit, ENVIRONMENT) == 10 * what.work(Unit((candidate(0, (1, 0.05)),)), ENVIRONMENT)
    assert isinstance(what, Stoppable)
    assert what.epochs(unit, ENVIRONMENT) == 5 and what.epochs(Unit((candidate(0, (1, 0.05)),)), ENVIRONMENT) == 1


@pytest.mark.parametrize("changes", [{"max_parameters": 10}, {"max_multiply_adds": 10}])
def test_what_is_not_trained_takes_no_time(changes):
    assert job(**changes).work(Unit((candidate(),)), ENVIRONMENT) is None


def test_a_genome_without_a_network_is_left_to_its_evaluation():
    unit = Unit((candidate(genome=("no such operation",) * 6),))
    assert job().work(unit, ENVIRONMENT) is None and job().epochs(unit, ENVIRONMENT) is None


def test_without_torch():
    code = f"""
import sys
from evonas_cli.config.compose import compose
from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.run.assembly import assemble
job = assemble(compose([]).config).job
assert job.work(Unit((Candidate(0, 0, 0, Proposal({GENOME!r})),)), {ENVIRONMENT!r}) > 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

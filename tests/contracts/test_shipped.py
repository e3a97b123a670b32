"""The contracts run outside of the repository on a user's own parts, through the plugin of pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

MODULE = """
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Metric, Proposal, Result, Unit
from evonas_cli.evaluation.serial import Serial
from evonas_cli.spaces.bits import Bits


class Mine(Bits):
    def distanc(self, first, second):
        return 0.0


class Once:
    demands = Demands()
    least_evaluations = 1

    def __init__(self, space):
        self.space = space

    def init(self, rng) -> int:
        return 0

    def ask(self, state, rng):
        return [Proposal(self.space.sample(rng))], state

    def tell(self, state, told, rng):
        return state

    def population(self, state):
        return ()


class Ones:
    needs = ()
    metrics = {"ones": Metric("max")}

    def __init__(self, space):
        self.space = space

    def open(self, place):
        return self

    def environment(self):
        return {}

    def evaluate(self, unit, context):
        for candidate in unit.candidates:
            yield Result(candidate.id, "ok", {"one": float(sum(candidate.proposal.genome))})


class Here(Serial):
    def units(self, asked):
        return [Unit((candidate,)) for candidate in asked]
"""


WHICH = "own_space or own_job or own_evaluator"


def test_a_users_parts_are_put_to_the_laws(tmp_path: Path) -> None:
    (tmp_path / "my_parts.py").write_text(MODULE)
    more = {"job": "_objectives_: [ones]\n"}
    for group, name in (("space", "Mine"), ("strategy", "Once"), ("job", "Ones"), ("evaluator", "Here")):
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / f"own_{group}.yaml").write_text(
            f"_target_: my_parts.{name}\n{more.get(group, '')}"
        )
    words = ("-p", "evonas_cli.testing.plugin", "--pyargs", "evonas_cli.testing.test_parts", "-k", WHICH)
    own = (
        "--evonas-config-dir",
        "conf",
        "--evonas-allow",
        "my_parts",
        *("--evonas-set", "space=bits"),
        "-qp",
        "no:cacheprovider",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *own],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert sorted(line.partition("[")[2].partition("]")[0] for line in lines) == [
        "each_candidate_has_one_result_with_the_declared_metrics-own_job",
        "every_public_name_is_a_capability-own_space",
        "in_one_program_the_others_keep_their_places-own_evaluator",
        "units_are_a_partition_of_the_ask-own_evaluator",
        "what_a_job_puts_together_is_evaluated_together-own_evaluator",
    ], done.stdout
    failed, passed = re.search(r"(\d+) failed, (\d+) passed", done.stdout).groups()
    assert int(failed) == 5 and int(passed) > 20

"""A user's own parts through the real command: what they raise names their line, and what they break is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

MODULE = """
import random
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Metric, Proposal, Result


class Space:
    def __init__(self, how: str = "fine") -> None:
        self.how = how

    def sample(self, rng):
        return rng.randrange(1000)

    def to_json(self, genome):
        return genome

    def from_json(self, data):
        return data

    def score(self, genome):
        return 1 / (genome % 2)

    def decode(self, genome, task):
        if self.how == "never":
            return 1 / 0
        graph = Graph(task.inputs)
        return Phenotype(graph.plan(graph.add("linear", graph.add("flatten", graph.input), features=task.outputs)))


class Strategy:
    demands = Demands()
    least_evaluations = 1

    def __init__(self, space, how: str = "fine") -> None:
        self.space, self.how = space, how

    def init(self, rng) -> int:
        return 0

    def ask(self, state, rng):
        if self.how == "raises" and state == 4:
            raise ZeroDivisionError("by\\nzero")
        if self.how == "global" or (self.how == "late" and state > 3):
            return [Proposal(random.randrange(1000))], state
        return [Proposal(self.space.sample(rng))], state

    def tell(self, state, told, rng):
        return state + 1

    def population(self, state):
        return ()


class Job:
    needs = ()
    metrics = {"error": Metric("min")}
    work = abreast = units = probe = 3

    def open(self, place):
        return self

    def environment(self):
        return {}

    def evaluate(self, unit, context):
        for candidate in unit.candidates:
            if candidate.id == 2:
                raise ValueError("a bad candidate")
            yield Result(candidate.id, "ok", {"error": 1.0 / (1 + candidate.id)})
"""
TRUST = ("--allow-module", "mine")


@pytest.fixture
def own(tmp_path: Path, evonas: Run) -> Run:
    """Runs the command with the parts above at hand."""
    (tmp_path / "mine.py").write_text(MODULE)
    for group, text in (
        ("space", "_target_: mine.Space\nhow: fine\n"),
        ("strategy", "_target_: mine.Strategy\nhow: fine\n"),
        ("job", "_target_: mine.Job\n_objectives_: [error]\n"),
    ):
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / "mine.yaml").write_text(text)

    def run(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        extra = ["--config-dir", "conf"] if verb in ("search", "config") else []
        return evonas(verb, *words, *extra, *TRUST, env={"PYTHONPATH": str(tmp_path)})

    return run


def search(*words: str) -> Sequence[str]:
    return ("space=mine", "strategy=mine", "budget.evaluations=6", "device=cpu", "--run-dir", "run", "--quiet", *words)


def entries(tmp_path: Path) -> list[dict[str, object]]:
    return sorted(
        (json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()),
        key=lambda entry: int(entry["id"]),
    )


def test_a_strategy_that_raises_is_named_and_the_mended_one_goes_on(own: Run, tmp_path: Path) -> None:
    found = own("search", *search("job=mine", "evaluator=serial", "strategy.how=raises"))
    assert found.returncode == 2
    [line] = found.stderr.splitlines()
    assert line.startswith("evonas: mine.py:") and " in Strategy.ask: ZeroDivisionError: by zero; mend it" in line
    assert "report it" not in line and "`evonas resume run` goes on" in line
    assert len(entries(tmp_path)) == 4
    module = tmp_path / "mine.py"
    module.write_text(module.read_text().replace("state == 4", "state == 400"))
    resumed = own("resume", "run", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    assert len(entries(tmp_path)) == 6


@pytest.mark.parametrize("evaluator", [("evaluator=serial",), ("evaluator=pool", "evaluator.workers=1")])
def test_a_candidate_for_which_a_job_raises_fails(own: Run, tmp_path: Path, evaluator: Sequence[str]) -> None:
    found = own("search", *search("job=mine", *evaluator))
    assert found.returncode == 0, found.stderr
    assert [entry["status"] for entry in entries(tmp_path)] == ["ok", "ok", "failed", "ok", "ok", "ok"]
    error = entries(tmp_path)[2]["error"]
    assert isinstance(error, dict) and error["kind"] == "error"
    assert str(error["text"]).startswith("mine.py:") and "in Job.evaluate: ValueError: a bad cand" in str(error["text"])
    assert "a bad candidate" in (tmp_path / "run" / "candidates" / "2" / "traceback.txt").read_text()


def test_a_landscape_that_raises_for_some_genomes_goes_on(own: Run, tmp_path: Path) -> None:
    found = own("search", *search("job=landscape"))
    assert found.returncode == 0, found.stderr
    for entry in entries(tmp_path):
        assert entry["status"] == ("ok" if int(str(entry["genome"])) % 2 else "failed")


@pytest.mark.parametrize("words", [("search", *search("--dry-run")), ("config", "space=mine", "strategy=mine")])
def test_hidden_randomness_is_found_before_the_run(own: Run, tmp_path: Path, words: Sequence[str]) -> None:
    found = own(*words, "job=mine", "strategy.how=global")
    assert found.returncode == 2
    assert "strategy Strategy does not depend on its state and its generator alone" in found.stderr
    assert len(found.stderr.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_hidden_randomness_that_begins_later_is_no_other_version(own: Run, tmp_path: Path) -> None:
    assert own("search", *search("job=mine", "evaluator=serial", "strategy.how=late")).returncode == 0
    said = (
        "strategy Strategy does not depend on its generator alone: two folds of one journal give different proposals; "
        "draw from the rng that is given"
    )
    verified = own("verify", "run")
    assert verified.returncode == 1
    assert verified.stdout.startswith(said) and "version" not in verified.stdout and "--repair" not in verified.stdout
    repaired = own("verify", "run", "--repair")
    assert repaired.returncode == 3 and said in repaired.stderr
    resumed = own("resume", "run", "--quiet", "budget.evaluations=8")
    assert resumed.returncode == 3 and said in resumed.stderr


def test_a_space_without_networks_trains_nothing(own: Run, tmp_path: Path) -> None:
    found = own("search", *search("space.how=never", "trainer.batch_size=1", "evaluator=serial", "dataset.limit=200"))
    assert found.returncode == 2
    [line] = found.stderr.splitlines()
    assert "none of 20 samples of the space Space has a network for images 1x8x8: mine.py:" in line
    assert "in Space.decode: ZeroDivisionError" in line
    assert not (tmp_path / "run").exists()

"""One-shot search: its stages, how evolution chooses paths, the audit, refusals, and a run on digits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation
from evonas_cli.genomes.supernet import Scoring, Training, parse
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201
from evonas_cli.strategies.one_shot import OneShot, Search

SPACE = NasBench201(channels=2, cells_per_stage=1, nodes=3, operations=OPERATIONS[:4])
SMALL: dict[str, Any] = {
    "epochs": 2,
    "population_size": 5,
    "parents": 3,
    "crossovers": 2,
    "mutations": 2,
    "rounds": 3,
    "derive": 2,
    "audit": 4,
}


def wanted(path: tuple[int, ...]) -> float:
    """A loss without equals: the more work a path does the less."""
    return 1.0 / (1 + sum(n * 4**place for place, n in enumerate(path)))


def run(strategy: OneShot[Any], seed: int = 1, failing: frozenset[int] = frozenset()) -> tuple[list[Any], Search]:
    """All proposals, step by step, with scores and losses of `wanted`; the candidates `failing` fail."""
    state, asked, id = strategy.init(Random(0)), [], 0
    while True:
        proposals, state = strategy.ask(state, Random(seed * 1000 + id))
        if not proposals:
            return asked, state
        asked.append(proposals)
        told = []
        for proposal in proposals:
            metrics: dict[str, float] = {}
            payload: Any = None
            losses = None
            if id in failing:
                pass
            elif proposal.job:
                order, metrics = parse(proposal.options), {"supernet_loss": 1.0}
                payload = {"steps": 4} if isinstance(order, Training) else {"losses": [wanted(p) for p in order.paths]}
            else:
                path = tuple([OPERATIONS.index(op) for op in proposal.genome])
                losses, metrics = (wanted(path),), {"parameters": float(id)}
            told.append(Evaluation(id, proposal.genome, losses, payload, metrics))
            id += 1
        state = strategy.tell(state, told, Random(seed * 1000 + id))


def test_the_stages_of_a_search() -> None:
    strategy = OneShot(space=SPACE, **SMALL)
    asked, state = run(strategy)
    orders = [parse(step[0].options) if step[0].job else None for step in asked]
    assert [type(order) for order in orders] == [Training] * 2 + [Scoring] * 4 + [type(None)]
    assert [step[0].continues for step in asked] == [None, 0, 1, 1, 1, 1, None]
    assert [proposal.operator for proposal in asked[-1]].count("derived") == 2
    assert sum(len(step) for step in asked) <= strategy.least_evaluations == 2 + 3 + 1 + 2 + 4
    first, second = (order for order in orders[:2] if isinstance(order, Training))
    assert len(first.groups) == 64 and len(second.groups) == 4, "as many as the epoch before had steps"
    assert all(len(group) == 1 for group in second.groups)


def test_no_path_is_scored_twice_and_the_best_are_derived() -> None:
    asked, state = run(OneShot(space=SPACE, **{**SMALL, "rounds": 20}))
    scored = [path for step in asked if step[0].operator == "score" for path in parse(step[0].options).paths]
    audit = asked[-2][0]
    scored = scored[: -len(parse(audit.options).paths)]
    keys = [SPACE.function_key(SPACE.assigned(path)) for path in scored]
    assert len(set(keys)) == len(keys)
    best = sorted(scored, key=wanted)[:2]
    assert [p.genome for p in asked[-1] if p.operator == "derived"] == [SPACE.assigned(path) for path in best]
    assert len(keys) == 26, "all functions of the space, and then the search ends without empty rounds"


def test_strict_fairness_trains_each_operation_once_a_step() -> None:
    asked, _ = run(OneShot(space=SPACE, **SMALL, sampling="fair"))
    for group in parse(asked[0][0].options).groups:
        assert [sorted(column) for column in zip(*group, strict=True)] == [[0, 1, 2, 3]] * 3


def test_a_failed_epoch_or_score_is_asked_again_from_the_same_weights() -> None:
    asked, state = run(OneShot(space=SPACE, **SMALL), failing=frozenset({1, 4}))
    assert [step[0].continues for step in asked[:6]] == [None, 0, 0, 2, 2, 2]
    assert state.shared.failed == 2 and state.shared.stage == "done"


def test_figures_tell_how_well_scores_and_parameters_rank() -> None:
    strategy = OneShot(space=SPACE, **SMALL)
    _, state = run(strategy)
    figures = strategy.figures(state)
    assert figures["audited"] == 4
    assert figures["score_kendall"] == figures["score_spearman"] == pytest.approx(1.0), "scores are the losses here"
    assert -1.0 <= figures["parameters_kendall"] <= 1.0
    assert figures["score_top_best"] <= figures["parameters_top_best"]
    assert "score_kendall" not in strategy.figures(run(OneShot(space=SPACE, **{**SMALL, "audit": 0}))[1])


def test_the_supernet_and_what_was_trained_alone_is_kept() -> None:
    strategy = OneShot(space=SPACE, **SMALL)
    asked, state = run(strategy)
    alone = [one.id for one in state.shared.alone]
    assert strategy.keeps(state) == (1, *alone)
    members = strategy.population(state)
    assert len(members) == 2 and set(members) <= set(alone)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epochs": 0}, "strategy.epochs must be a whole number of at least 1"),
        ({"audit": 1}, "strategy.audit=1 ranks a single network"),
        ({"learning_rate_end": 0.5}, "exceeds strategy.learning_rate"),
        ({"sampling": "none"}, "strategy.sampling must be one of uniform, fair"),
        ({"gene_rate": 1.5}, r"strategy.gene_rate must be a number in \[0, 1\]"),
        ({"crossovers": 0, "mutations": 0}, "nothing to score after the first round"),
        ({"weight_decay": -1.0}, "strategy.weight_decay must be a number"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        OneShot(space=SPACE, **{**SMALL, **settings})


WORDS = (
    *("search", "strategy=one_shot", "space=nasbench201", "space.channels=2", "space.nodes=3", "dataset=digits"),
    *("dataset.limit=100", "trainer.epochs=1", "device=cpu", "evaluator=serial", "--quiet"),
    *(f"strategy.{key}={value}" for key, value in {**SMALL, "rounds": 2, "audit": 2}.items()),
)


def evonas(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "evonas_cli", *words], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize("lost", [False, True])
def test_a_run_that_ends_early_and_is_resumed_is_the_whole_run(lost: bool, tmp_path: Path) -> None:
    """Also where the supernet's files are lost: its epochs are then trained again, unrecorded."""
    whole = evonas(*WORDS, "--run-dir", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    code = (
        "import sys\nfrom evonas_cli.cli.app import run\nfrom evonas_cli.run import search\n"
        "told, kept = [0], search._Loop.receive\n"
        "def receive(self):\n    told[0] += 1\n    if told[0] == 4: raise KeyboardInterrupt\n    return kept(self)\n"
        "search._Loop.receive = receive\nrun(sys.argv[1:])"
    )
    subprocess.run([sys.executable, "-c", code, *WORDS, "--run-dir", "broken"], cwd=tmp_path, capture_output=True)
    assert 0 < len((tmp_path / "broken" / "journal.jsonl").read_text().splitlines()) < 8
    files = list((tmp_path / "broken" / "candidates").glob("*/state.pt"))
    assert files
    for file in files if lost else ():
        file.unlink()
    resumed = evonas("resume", "broken", "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert ("again: its weights are lost" in resumed.stderr) == lost
    verdicts = [json.loads(evonas("verify", name, "--json", cwd=tmp_path).stdout) for name in ("whole", "broken")]
    assert verdicts[0]["digest"] == verdicts[1]["digest"]
    assert (tmp_path / "whole/figures.jsonl").read_text() == (tmp_path / "broken/figures.jsonl").read_text()


def test_spaces_jobs_and_budgets_that_do_not_fit_are_refused_in_one_line(tmp_path: Path) -> None:
    for more, says in (
        (
            ("space=mlp",),
            "OneShot needs a space that is Relaxable, which Mlp is not; spaces that are: backbone, nasbench201",
        ),
        (("jobs={}",), "needs a further job named supernet"),
        (("budget.evaluations=8",), "smaller than the 9 evaluations"),
        (("window=2",), "set window=1"),
        (("space.operations=[none]",), "two or more different ones"),
    ):
        changed = {word.partition("=")[0] for word in more}
        if changed & {"space"}:
            changed |= {"space.channels", "space.nodes"}
        words = [word for word in WORDS if word.partition("=")[0] not in changed]
        done = evonas(*words, *more, "--run-dir", "run", cwd=tmp_path)
        assert done.returncode == 2 and says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr

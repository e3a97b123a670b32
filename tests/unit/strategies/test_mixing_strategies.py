"""DARTS, XNAS and BayesNAS as strategies: stages, what is derived from strengths, early stopping, refusals, a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation
from evonas_cli.genomes.supernet import Training, parse
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201
from evonas_cli.strategies.bayesnas import BayesNas
from evonas_cli.strategies.darts import BACK, Darts
from evonas_cli.strategies.xnas import Xnas

SPACE = NasBench201(channels=2, cells_per_stage=1, nodes=3)
FIRST = ((0.9, 0.01, 0.02, 0.03, 0.04),) * 3
SKIPPING = ((0.0, 0.8, 0.1, 0.1, 0.0), (0.0, 0.7, 0.1, 0.2, 0.0), (0.0, 0.1, 0.1, 0.7, 0.1))


def run(strategy: Any, strengths: Callable[[int], Sequence[Any]], eigenvalue: Callable[[int], float | None]) -> Any:
    """All proposals step by step, and the last state; epoch n is told strengths(n) and eigenvalue(n)."""
    state, asked, id = strategy.init(Random(0)), [], 0
    while True:
        proposals, state = strategy.ask(state, Random(id))
        if not proposals:
            return asked, state
        asked.append(proposals)
        told = []
        for proposal in proposals:
            payload: dict[str, Any] = {"losses": [0.5] * strategy.audit}
            if proposal.job and isinstance(order := parse(proposal.options), Training):
                number = order.epoch + 1
                payload = {"steps": 3, "strengths": strengths(number), "entropy": 1.0}
                payload |= {} if eigenvalue(number) is None else {"eigenvalue": eigenvalue(number)}
            losses = None if proposal.job else (0.1 * id,)
            metrics = {"supernet_loss": 1.0} if proposal.job else {"parameters": 5.0}
            told.append(Evaluation(id, proposal.genome, losses, payload, metrics))
            id += 1
        state = strategy.tell(state, told, Random(id))


def derived(asked: Any) -> list[tuple[str, ...]]:
    return [proposal.genome for proposal in asked[-1] if proposal.operator == "derived"]


def nothing(epoch: int) -> None:
    return None


@pytest.mark.parametrize("kind", [Darts, Xnas, BayesNas])
def test_the_strongest_operations_other_than_none_are_derived(kind: Any) -> None:
    asked, _ = run(kind(space=SPACE, epochs=3, derive=3, audit=0), lambda epoch: FIRST, nothing)
    assert [step[0].operator for step in asked] == ["epoch"] * 3 + ["derived"]
    assert derived(asked)[0] == ("avg_pool_3x3",) * 3 and len(derived(asked)) == 3
    assert all("none" not in genome for genome in derived(asked))


def test_the_last_epochs_strengths_count() -> None:
    asked, state = run(Darts(space=SPACE, epochs=4, derive=1, audit=3), lambda n: FIRST if n < 4 else SKIPPING, nothing)
    assert derived(asked) == [("skip_connect", "skip_connect", "nor_conv_3x3")]
    figures = Darts(space=SPACE, audit=3).figures(state)
    assert figures["skips"] == 2 and figures["audited"] >= 2 and figures["entropy"] == 1.0


def test_the_skip_limit_holds_at_derivation() -> None:
    asked, _ = run(Darts(space=SPACE, epochs=1, derive=4, audit=0, max_skips=1), lambda epoch: SKIPPING, nothing)
    assert derived(asked)[0] == ("skip_connect", "nor_conv_3x3", "nor_conv_3x3")
    assert all(genome.count("skip_connect") <= 1 for genome in derived(asked))


def test_skips_end_the_search() -> None:
    strategy = Darts(space=SPACE, epochs=20, derive=1, audit=0, early_stop="skips")
    asked, state = run(strategy, lambda epoch: FIRST if epoch < 7 else SKIPPING, nothing)
    assert len(asked) == 7 + 1 and state.stopped == 7 == strategy.figures(state)["stopped"]


def test_an_eigenvalue_that_grows_ends_the_search_and_takes_earlier_alphas() -> None:
    def strengths(epoch: int) -> Sequence[Any]:
        return SKIPPING if epoch > 12 else FIRST

    def growing(epoch: int) -> float | None:
        return None if epoch % 2 else 1.0 if epoch <= 14 else 5.0

    strategy = Darts(space=SPACE, epochs=40, derive=1, audit=0, early_stop="eigenvalue")
    asked, state = run(strategy, strengths, growing)
    assert parse(asked[0][0].options).settings["eigenvalue_every"] == 2
    assert state.stopped == 16, "the local mean was 1.0 and is 1.8 then"
    assert len(state.eigenvalues) == 8 and state.history[-1 - BACK] == FIRST
    assert derived(asked) == [("avg_pool_3x3",) * 3], "the alphas of epoch 8"
    calm, state = run(strategy, strengths, lambda epoch: None if epoch % 2 else 1.0)
    assert state.stopped is None and len(calm) == 41


def test_no_search_ends_by_its_eigenvalue_before_the_first_evaluations_are_there() -> None:
    strategy = Darts(space=SPACE, epochs=9, derive=1, audit=0, early_stop="eigenvalue")
    _, state = run(strategy, lambda epoch: FIRST, lambda epoch: None if epoch % 2 else 10.0**epoch)
    assert state.stopped is None


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        (Darts, {"xi": -0.1}, r"strategy.xi must be a number in \[0, inf\) or null; it is -0.1"),
        (Darts, {"order": "third"}, "strategy.order must be one of first, second"),
        (Darts, {"early_stop": "soon"}, "strategy.early_stop must be one of none, skips, eigenvalue"),
        (Xnas, {"bound": 0.0}, r"strategy.bound must be a number in \(0, inf\)"),
        (BayesNas, {"lambda_child": -0.01}, r"strategy.lambda_child must be a number in \[0, inf\)"),
        (BayesNas, {"lambda_origin": -1.0}, "strategy.lambda_origin must be"),
    ],
)
def test_settings_out_of_range_are_refused(kind: Any, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        kind(space=SPACE, **settings)


def test_operations_are_what_the_space_has() -> None:
    assert SPACE.relaxed.edges[0].operations == OPERATIONS


@pytest.mark.parametrize("name", ["darts", "xnas", "bayesnas"])
def test_a_run_on_digits(name: str, tmp_path: Path) -> None:
    words = (
        *("search", f"strategy={name}", "space=nasbench201", "space.channels=2", "space.nodes=3", "dataset=digits"),
        *("dataset.limit=100", "trainer.epochs=1", "device=cpu", "evaluator=serial", "--quiet", "--run-dir", "run"),
        *("strategy.epochs=2", "strategy.batch_size=16", "strategy.derive=2", "strategy.audit=2"),
    )
    done = subprocess.run([sys.executable, "-m", "evonas_cli", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    last = json.loads((tmp_path / "run" / "figures.jsonl").read_text().splitlines()[-1])
    assert last["stage"] == "done" and last["epoch"] == 2 and last["audited"] == 2
    assert 0 <= last["derived_best"] <= 1 and "score_kendall" in last and "parameters_kendall" in last
    again = [sys.executable, "-m", "evonas_cli", "verify", "run", "--replay"]
    assert subprocess.run(again, cwd=tmp_path, capture_output=True).returncode == 0

"""IRLAS: it writes what resembles its expert, experts come from patterns and files, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Figures, Particular, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation
from evonas_cli.network.patterns import pattern
from evonas_cli.network.task import Task
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.mlp import Mlp
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.strategies.irlas import Imitation, Irlas
from evonas_cli.walks.topology import expectations

SPACE = NasBench201(channels=4, cells_per_stage=1)
EXPERT = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
QUICK: dict[str, Any] = {
    "space": SPACE,
    "expert": "residual",
    "epsilons": [[1.0, 30], [0.5, 20], [0.1, 20]],
    "inputs": (3, 8, 8),
    "rounds": 2,
    "walks": 40,
    "learning_rate": 0.1,
    "replays": 20,
}


def strategy(**settings: Any) -> Irlas[Any]:
    return Irlas(**(QUICK | settings))


def run(of: Irlas[Any], asks: int, seed: int, loss: float = 0.3) -> Imitation:
    """The state after so many candidates of one and the same loss."""
    state = of.init(stream(seed, "init"))
    for step in range(asks):
        [proposal], state = of.ask(state, stream(seed, "ask", step))
        state = of.tell(state, [Evaluation(step, proposal.genome, (loss,))], stream(seed, "tell", step))
    return state


def test_it_has_the_interface() -> None:
    of = strategy()
    assert all(isinstance(of, part) for part in (Strategy, Figures, Particular))
    assert of.least_evaluations == 70


def test_with_a_weight_it_writes_what_resembles_the_expert() -> None:
    alike = {}
    for weight in (0.0, 4.0):
        of = strategy(mirror_weight=weight, walks=100, replays=50)
        states = [run(of, 120, seed) for seed in range(2)]
        alike[weight] = fmean([value for state in states for value in state.similarities[-30:] if value is not None])
    assert alike[4.0] > alike[0.0] + 0.01


def test_figures_tell_margins_and_similarity_and_the_state_survives() -> None:
    of = strategy(walks=8)
    state = run(of, 3, 0)
    figures = of.figures(state)
    assert len(figures["margins"]) == 3  # type: ignore[arg-type]
    assert figures["recent"] == 3 and 0 < figures["recent_similarity"] <= 1  # type: ignore[operator]
    hint = state_hint(of)
    data = json.loads(json.dumps(encode(hint, state, SPACE.to_json)))
    assert decode(hint, data, SPACE.from_json) == state


def test_rewards_are_a_weighted_mean_and_failures_are_not_mirrored() -> None:
    of = strategy(mirror_weight=1.0, walks=8, failure_reward=0.125)
    [proposal], state = of.ask(of.init(stream(0, "init")), stream(0, "ask"))
    assert state.mirror is not None
    plan = SPACE.decode(proposal.genome, Task((3, 8, 8), 10)).plan
    mirrored = state.mirror.of(expectations(plan, 0.9))
    told = [Evaluation(0, proposal.genome, (0.2,))]
    assert list(of.tell(state, told, stream(0, "tell")).memory.walks.values()) == [pytest.approx((0.8 + mirrored) / 2)]
    failed = of.tell(state, [Evaluation(0, proposal.genome, None)], stream(0, "tell"))
    assert list(failed.memory.walks.values()) == [0.125]


def test_experts_come_from_files_of_plans_and_of_genomes(tmp_path: Path) -> None:
    plan, genome = tmp_path / "plan.json", tmp_path / "genome.json"
    plan.write_text(json.dumps(pattern("residual", Task((3, 8, 8), 10)).to_json()))
    genome.write_text(json.dumps(EXPERT))
    states = [strategy(expert=str(name)).init(stream(0, "init")) for name in ("residual", plan, genome)]
    assert states[0].expert == states[1].expert != states[2].expert


def test_a_file_that_changes_during_a_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "genome.json"
    file.write_text(json.dumps(EXPERT))
    state = run(strategy(expert=str(file), walks=4), 2, 0)
    strategy(expert=str(file)).ask(state, stream(0, "ask", 2))
    file.write_text(json.dumps(EXPERT.replace("none", "nor_conv_1x1")))
    with pytest.raises(UsageError, match=r"genome\.json has changed since the run began"):
        strategy(expert=str(file)).ask(state, stream(0, "ask", 2))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"expert": "depthwise"},
            "expert=depthwise cannot be expressed by the space, which has no depthwise conv 3x3;",
        ),
        ({"expert": "dense"}, "which has no concat; choose another space or expert"),
        ({"space": Mlp(), "inputs": (3, 8, 8)}, "has no add, conv 1x1, conv 3x3, global_avg_pool;"),
        ({"inputs": (3, 7, 8)}, r"strategy.inputs=\[3, 7, 8\] fit no network of the space: nasbench201 needs"),
        ({"space": ChainCnn(layers=3)}, "which has no add;"),
        ({"space": ChainCnn(layers=3, filter_heights=(5,), filter_widths=(5,)), "expert": "plain"}, "no conv 3x3"),
        ({"inputs": (8,)}, "strategy.expert=residual on strategy.inputs: the pattern residual needs"),
    ],
)
def test_what_the_space_cannot_express_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        strategy(**settings).init(stream(0, "init"))


@pytest.mark.parametrize("text", ['"|none~0|"', '{"input": [3], "nodes": [["cony", [0], {}]]}', "[1, 2]"])
def test_a_file_without_a_network_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "expert.json").write_text(text)
    with pytest.raises(UsageError, match=r"expert\.json has no network that the space can express"):
        strategy(expert=str(tmp_path / "expert.json")).init(stream(0, "init"))


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "expert.json").write_text("{")
    with pytest.raises(UsageError, match=r"expert\.json cannot be read as JSON .*; give strategy\.expert a file, or"):
        strategy(expert=str(tmp_path / "expert.json")).init(stream(0, "init"))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"mirror_weight": -0.1}, "strategy.mirror_weight must be a number in"),
        ({"feature_discount": 1.5}, "strategy.feature_discount"),
        ({"rounds": 0}, "strategy.rounds"),
        ({"walks": 3}, "strategy.walks must be a whole number of at least 4"),
        ({"inputs": ()}, r"strategy.inputs=\[\] must be one to three whole numbers above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        strategy(**settings)

"""Captions are learned from the true words and made without them; the baseline is trained as candidates are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.rng import derive
from evonas_cli.core.types import Candidate, Proposal, Result, Unit
from evonas_cli.network.captioned import said_in
from evonas_cli.network.captions import BOUNDARY, PADDING
from evonas_cli.run.assembly import assemble
from evonas_cli.store.directory import RunDirectory
from evonas_cli.training.captions.greedy import captions
from evonas_cli.training.captions.teacher_forcing import relative

SMALL = ("dataset.n_train=96", "dataset.n_valid=20", "dataset.n_test=20", "job.scores=[bleu1,token_accuracy]")
BASELINE = {
    **{"convolutions": 2, "channels": 8, "pooling": "flatten", "embedding": 32, "join": "before", "layer 1": "lstm"},
    **{"width 1": 64, "skip 1": "none", "layer 2": "none", "width 2": 32, "skip 2": "none", "head": 0, "dropout": 0.0},
}
OTHER = {**BASELINE, "join": "each_concat", "layer 1": "gru", "dropout": 0.2}


def job(*overrides: str) -> Any:
    words = ["job=captions", "strategy=random", "device=cpu", "evaluator=serial", *SMALL, *overrides]
    given = {word.partition("=")[0]: word for word in words}
    return assemble(compose(list(given.values())).config).job


def trained(made: Any, genome: dict[str, Any], folder: Path, seed: int = 7, fidelity: float = 1.0) -> Result:
    candidate = Candidate(0, 0, seed, Proposal(made.equipment.space.from_json(genome), fidelity=fidelity))
    [result] = made.open(Place()).evaluate(Unit((candidate,)), RunDirectory(folder))
    assert result.status == "ok", result.error
    return result


class Scripted:
    """A network that gives the words of a script, whatever it reads, and remembers what it has read."""

    def __init__(self, script: Sequence[Sequence[int]], tokens: int) -> None:
        self.script, self.tokens = torch.tensor(script), tokens
        self.read: list[torch.Tensor] = []

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.read.append(x.clone())
        scores = torch.zeros(len(x), self.tokens, self.script.shape[1])
        scores[:, PADDING] = 5.0
        return scores.scatter_(1, self.script[:, None], 1.0)


def test_captions_are_made_of_the_words_so_far_and_end_at_the_boundary() -> None:
    made = Scripted([[3, 4, BOUNDARY, 4], [4, BOUNDARY, 3, 3]], tokens=5)
    pixels = torch.tensor([[0.5], [0.25]])
    assert captions(made, pixels, 4) == [[3, 4], [4]]
    assert len(made.read) == 3, "all captions have ended"
    assert made.read[0].tolist() == [[0.5, 1, 0, 0, 0], [0.25, 1, 0, 0, 0]]
    assert made.read[2].tolist() == [[0.5, 1, 3, 4, 0], [0.25, 1, 4, 1, 0]]


def test_a_caption_without_an_end_has_as_many_words_as_there_are_steps() -> None:
    assert captions(Scripted([[2, 2, 2]], tokens=4), torch.zeros(1, 1), 3) == [[2, 2, 2]]


def test_the_baselines_own_genome_with_its_own_seed_is_1(tmp_path: Path) -> None:
    made = job("trainer.epochs=3", "seed=4")
    found = trained(made, BASELINE, tmp_path, seed=derive(4, "baseline"))
    assert found.metrics["valid_relative"] == 1.0
    said = said_in(found.payload)
    assert said is not None and said.captions == said.baseline and len(said.captions) == 8


def test_a_candidate_is_measured_by_the_baseline_after_as_many_epochs(tmp_path: Path) -> None:
    made = job("trainer.epochs=4")
    whole, half = (trained(made, OTHER, tmp_path, fidelity=fidelity) for fidelity in (1.0, 0.5))
    own = derive(0, "baseline")
    for found, fidelity in ((whole, 1.0), (half, 0.5)):
        baseline = trained(made, BASELINE, tmp_path, seed=own, fidelity=fidelity).metrics
        scores = {name: baseline[f"valid_{name}"] for name in ("bleu1", "token_accuracy")}
        mine = {name: found.metrics[f"valid_{name}"] for name in scores}
        assert found.metrics["valid_relative"] == pytest.approx(relative(mine, scores))


def test_validation_changes_no_bit_of_the_training_and_gives_a_curve(tmp_path: Path) -> None:
    plain, looked = (
        trained(job("trainer.epochs=4", f"trainer.validate_every={every}"), OTHER, tmp_path) for every in ("null", "1")
    )
    unlike = {"train_seconds"}
    assert {k: v for k, v in plain.metrics.items() if k not in unlike} == {
        k: v for k, v in looked.metrics.items() if k not in unlike
    }
    assert len(looked.curves["valid_relative"]) == 4


def test_a_network_learns_to_tell_scenes_apart(tmp_path: Path) -> None:
    """On 96 images the captions of different images differ, and the loss of the training falls well below that of
    words drawn by their frequency, which is about 2.5 nats."""
    found = trained(job("trainer.epochs=40", "trainer.learning_rate=0.01"), OTHER, tmp_path)
    assert found.metrics["train_loss"] < 1.0
    said = said_in(found.payload)
    assert said is not None and len(set(said.captions)) > 4


def test_the_test_part_is_measured_when_it_is_asked_for(tmp_path: Path) -> None:
    made = job("trainer.epochs=2")
    assert not made.tests and "test_relative" not in made.metrics
    config = compose(["job=captions", "strategy=random", "device=cpu", "evaluator=serial", *SMALL]).config
    tested = assemble(
        {
            **config,
            "trainer": {**config["trainer"], "epochs": 2},
            "job": {**config["job"], "test": True},
            "strategy": {"_target_": "evonas_cli.strategies.listed.Listed", "genomes": [OTHER], "repeats": 1},
        }
    ).job
    assert tested.metrics["test_relative"].test
    found = trained(tested, OTHER, tmp_path)
    assert found.metrics["test_relative"] != found.metrics["valid_relative"]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ("trainer.epochs=1", "job.scores=[bleu4]", "dataset.n_train=40"),
            "the baseline's bleu4 over the valid part is 0",
        ),
        (("trainer.learning_rate=1e30",), "the baseline diverged"),
        (("dataset.n_train=2",), "CaptionScenes, validation part: a caption of image 0 has the word"),
        (("job.channels=[4,4,4,4,4]",), "the baseline does not fit the images"),
    ],
)
def test_what_no_candidate_can_be_measured_by_ends_the_run(
    overrides: tuple[str, ...], line: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=line):
        trained(job(*overrides), OTHER, tmp_path)


def test_a_network_that_is_too_large_is_not_trained(tmp_path: Path) -> None:
    made = job("trainer.max_parameters=100")
    candidate = Candidate(0, 0, 1, Proposal(made.equipment.space.from_json(OTHER)))
    [result] = made.open(Place()).evaluate(Unit((candidate,)), RunDirectory(tmp_path))
    assert result.error is not None and result.error.kind == "over_cap"


def test_the_job_knows_networks_without_training_them() -> None:
    made = job()
    environment = made.open(Place()).environment()
    space = made.equipment.space
    genome, other = space.from_json(BASELINE), space.from_json({**BASELINE, "width 2": 128})
    assert made.function_key(genome, environment) == made.function_key(other, environment) is not None
    sizes = made.static_metrics(genome, environment)
    assert sizes is not None and sizes["parameters"] > 10_000
    unit = Unit((replace(Candidate(0, 0, 1, Proposal(genome))),))
    assert made.work(unit, environment) == sizes["multiply_adds"] * made.epochs(unit, environment)

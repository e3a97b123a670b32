"""How jobs describe behaviour: the landscape by the space or the genome, the training by the network's size."""

from __future__ import annotations

from math import exp, log2
from pathlib import Path
from random import Random
from typing import Any

import pytest
from neurons_jobs import LINEAR, SOLVED, asked, results
from neurons_jobs import job as neurons_job
from training_jobs import DIGITS, GENOME, SPACE, candidate, run, trainer

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Describing, Place, Probing
from evonas_cli.core.types import Candidate, Descriptor, Proposal, Unit
from evonas_cli.genomes.choices import Choice, Genes, sample
from evonas_cli.genomes.ranges import Real
from evonas_cli.jobs.landscape import Landscape, coded, places
from evonas_cli.jobs.train import Train
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.maze import Maze
from evonas_cli.store.directory import RunDirectory


def described(job: Landscape, genome: Any) -> Descriptor:
    [result] = job.evaluate(Unit((Candidate(0, 0, 1, Proposal(genome)),)), RunDirectory(Path()))
    return result.descriptor


def test_a_landscape_says_what_the_space_says() -> None:
    space = Maze()
    job = Landscape(space, descriptor="behaviour")
    genome = space.sample(Random(2))
    assert isinstance(job, Describing) and job.descriptor == ("column", "row")
    assert described(job, genome) == space.behaviour(genome)
    assert Landscape(space).descriptor == described(Landscape(space), genome) == ()


def test_a_landscape_codes_genomes() -> None:
    job = Landscape(Bits(3), descriptor="genome")
    assert job.descriptor == ("bit_0", "bit_1", "bit_2") and described(job, (1, 0, 1)) == (1.0, 0.0, 1.0)
    loci = [Choice("one", ("only",)), Choice("two", ("a", "b")), Choice("three", (4, 5, 6))]
    assert places(loci) == ("one", "two", "three=4", "three=5", "three=6")
    assert coded(loci, ("only", "b", 5)) == (0.0, 1.0, 0.0, 1.0, 0.0)


class Ranged:
    """A scored space of one range."""

    choices = (Real("x", 0.0, 1.0),)

    def sample(self, rng: Random) -> Genes:
        return sample(self.choices, rng)

    def score(self, genome: Genes) -> float:
        return float(genome[0])


@pytest.mark.parametrize(
    ("space", "descriptor", "line"),
    [
        (Bits(3), "position", "job.descriptor must be behaviour or genome or null; it is 'position'"),
        (Ranged(), "genome", "job.descriptor=genome needs options, and x is a range"),
        (Bits(257), "genome", "job.descriptor=genome has 257 numbers here, and a descriptor at most 256"),
    ],
)
def test_what_cannot_be_described_is_refused(space: Any, descriptor: str, line: str) -> None:
    with pytest.raises(UsageError) as refused:
        Landscape(space, descriptor=descriptor)
    assert str(refused.value).startswith(line)


def train(descriptor: str | None) -> Train:
    given: dict[str, Any] = {"seed": 5, "device": "cpu", "deterministic": True, "threads": 1}
    return Train(space=SPACE, dataset=DIGITS, trainer=trainer(epochs=1), descriptor=descriptor, **given)


def test_trained_networks_are_described_by_their_size_and_failures_by_nothing() -> None:
    job = train("size")
    assert job.descriptor == ("log2_parameters", "depth")
    larger = ("nor_conv_3x3",) * 6
    results = {result.id: result for result in run(job, candidate(0), candidate(1), candidate(2, larger))}
    plan = SPACE.decode(GENOME, DIGITS.task()).plan
    assert results[0].descriptor == results[1].descriptor == (log2(1 + plan.parameters), plan.depth)
    assert all(more > less for more, less in zip(results[2].descriptor, results[0].descriptor, strict=True))
    [plain] = run(train(None), candidate(0))
    assert plain.descriptor == () and plain.metrics["valid_loss"] == results[0].metrics["valid_loss"]
    [failed] = run(job, candidate(3, genome="no cell"))
    assert failed.status == "failed" and failed.descriptor == ()
    with pytest.raises(UsageError, match=r"^job\.descriptor must be size or null; it is 'genome'$"):
        train("genome")


def test_neurons_are_described_by_their_answers_at_examples_of_the_training_part() -> None:
    made = neurons_job(weights="evolved", descriptor="outputs", probes=7)
    assert isinstance(made, Describing) and len(made.descriptor) == 7
    linear, solved = (result.descriptor for result in results(made, asked([LINEAR, SOLVED])))
    assert len(linear) == len(solved) == 7 and linear != solved
    assert all(0 <= answer <= 1 for answer in (*linear, *solved))
    [alone] = results(made, asked([SOLVED]))
    assert alone.descriptor == solved, "the neighbours change nothing"
    [plain] = results(neurons_job(weights="evolved"), asked([SOLVED]))
    assert plain.descriptor == () and plain.metrics["valid_loss"] == alone.metrics["valid_loss"]
    whole = neurons_job(weights="evolved", descriptor="outputs", probes=40)
    [result] = results(whole, asked([LINEAR]))
    weights, points = LINEAR.weights, made.equipment.dataset.prepare(0).x_train.tolist()
    expected = [1 / (1 + exp(-(weights[0] * x + weights[1] * y + weights[2]))) for x, y in points]
    assert result.descriptor == pytest.approx(expected, abs=1e-5)


def test_trained_neurons_answer_with_trained_weights() -> None:
    made = neurons_job(descriptor="outputs", probes=5, steps=20)
    [trained] = results(made, asked([LINEAR]))
    [evolved] = results(made, asked([LINEAR], options={"weights": "evolved"}))
    assert trained.descriptor != evolved.descriptor


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"descriptor": "size"}, "job.descriptor must be outputs or null; it is 'size'"),
        ({"descriptor": "outputs", "probes": 0}, "job.probes is 0; it must be an integer of at least 1"),
        ({"descriptor": "outputs", "probes": 257}, "job.probes=257 with 1 answers each makes 257 numbers"),
        ({"descriptor": "outputs", "probes": 41}, "job.probes=41 exceeds the 40 examples of the training part"),
    ],
)
def test_neurons_that_cannot_be_described_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as refused:
        neurons_job(**changes).open(Place()).environment()
    assert str(refused.value).startswith(line)


def test_a_describing_bench_still_probes() -> None:
    assert isinstance(train("size").open(Place()), Probing)

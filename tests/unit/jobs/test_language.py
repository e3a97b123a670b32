"""The language job: what it measures and counts, its randomness, its failures, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benches import bench
from language_jobs import EASY, GENOME, SPACE, Raising, candidate, job, result, unmeasured
from torch import Tensor

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.copying import Copy
from evonas_cli.data.sequences import Corpus, Sequences, fingerprint
from evonas_cli.data.text import Text
from evonas_cli.network.task import Task
from evonas_cli.training import criteria
from evonas_cli.training.device.errors import one_line
from evonas_cli.training.exercise import Diverged


class Letters:
    """A text in memory."""

    def __init__(self, train: str, valid: str) -> None:
        self.train, self.valid = train, valid

    def corpus(self, seed: int) -> Corpus:
        vocabulary = tuple(sorted(set(self.train)))
        train, valid = (self._part(part, vocabulary) for part in (self.train, self.valid))
        return Corpus(vocabulary=vocabulary, train=train, valid=valid, fingerprint=fingerprint(vocabulary, train))

    def test(self, seed: int) -> None:
        raise AssertionError("a search never reads the test part")

    def _part(self, part: str, vocabulary: tuple[str, ...]) -> Sequences:
        tokens = np.array([[vocabulary.index(letter) for letter in part]])
        scored = np.ones(len(part) - 1, dtype=np.bool_)
        return Sequences(inputs=tokens[:, :-1], targets=tokens[:, 1:], scored=scored, stream=True)


def test_it_learns_to_copy() -> None:
    words = replace(EASY, symbols=3, length=4, n_train=60, n_valid=15)
    measured = result(job(words, hidden=24, epochs=125, batch_size=30)).metrics
    assert measured["valid_perplexity"] < 2.8 and measured["valid_error"] < 0.55, "guessing gives 3 and 0.67"
    assert measured["train_loss"] < 0.9


def test_it_learns_a_text_that_repeats() -> None:
    measured = result(job(Letters("abcd" * 100, "abcd" * 10), epochs=6, unroll=7)).metrics
    assert measured["valid_perplexity"] < 1.2 and measured["valid_error"] == 0.0


def test_what_it_measures() -> None:
    found = result(job())
    assert found.status == "ok" and found.seconds > 0 and set(found.metrics) == set(job().metrics)
    assert found.metrics["valid_perplexity"] == exp(found.metrics["valid_loss"])
    assert found.metrics["valid_loss"] >= found.metrics["valid_error"] * log(2)
    cell = SPACE.decode_cell(GENOME)
    assert found.metrics["parameters"] == 5 * 12 + cell.parameters(12, 12) + 12 * 5 + 5
    assert found.metrics["multiply_adds"] == cell.multiply_adds(12, 12) + 12 * 5


@pytest.mark.parametrize(("unroll", "passes"), [(20, 6 * 60), (5, 6 * 60), (3, 6 * (12 + 24)), (2, 6 * (8 + 24 + 12))])
def test_cost_counts_what_was_computed(unroll: int, passes: int) -> None:
    """Six epochs with 4 sequences of 5 steps, of which the last two count; other windows cost one pass, not three."""
    measured = result(job(unroll=unroll)).metrics
    assert measured["cost"] == pytest.approx(passes * measured["multiply_adds"] / 1e9)


def test_fidelity_is_a_share_of_the_epochs() -> None:
    full, half = (result(job(), candidate(fidelity=fidelity)).metrics["cost"] for fidelity in (1.0, 0.5))
    assert full == pytest.approx(2 * half)
    assert result(job(), candidate(fidelity=0.01)).metrics["cost"] == pytest.approx(full / 6)


def test_randomness_is_that_of_both_seeds() -> None:
    first = unmeasured(result(job()))
    assert first == unmeasured(result(job()))
    assert first != unmeasured(result(job(), candidate(seed=4)))
    text = Letters("the quick brown fox jumps over the lazy dog " * 9, "the lazy dog " * 4)
    other, same = (unmeasured(result(job(text, seed=seed))) for seed in (1, 1))
    assert other == same != unmeasured(result(job(text, seed=2)))


def test_dropout_is_seeded_and_off_in_validation() -> None:
    dry, wet, again = (unmeasured(result(job(dropout=rate))) for rate in (0.0, 0.5, 0.5))
    assert wet == again != dry


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    result(job(dropout=0.5))
    assert torch.equal(torch.get_rng_state(), before)


def test_impossible_metrics_are_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def wrong(scores: Tensor, targets: Tensor, *given: Any, **more: Any) -> Tensor:
        return (scores * 0).sum(1) + 0.01

    monkeypatch.setattr(criteria.F, "cross_entropy", wrong)
    found = result(job(), root=tmp_path)
    assert found.error is not None and found.error.kind == "error" and "metric bug" in found.error.text
    assert "metric bug" in (tmp_path / "traceback.txt").read_text()


def test_a_loss_that_is_no_number_is_a_failure() -> None:
    found = result(job(learning_rate=1e30, clip_norm=None, epochs=60))
    assert found.status == "failed" and found.error is not None and found.error.kind == "diverged"
    assert not found.metrics and "\n" not in found.error.text


def test_a_perplexity_that_is_no_number_is_a_failure() -> None:
    found = result(job(learning_rate=4000.0, clip_norm=None, epochs=2))
    assert found.error is not None and found.error.kind == "diverged"
    assert found.error.text == "the perplexity over the valid part is inf"


def test_what_errors_mean(tmp_path: Path) -> None:
    made = job(space=Raising())
    assert result(made, candidate([torch.OutOfMemoryError("full")])).status == "ok"
    for raised, kind in (
        ([torch.OutOfMemoryError("full"), torch.OutOfMemoryError("full")], "oom"),
        ([Diverged("nan")], "diverged"),
        ([KeyError("x")], "error"),
    ):
        found = result(made, candidate(raised), tmp_path)
        assert found.error is not None and found.error.kind == kind
    assert "KeyError" in (tmp_path / "traceback.txt").read_text()
    for machine in (OSError("disk"), RuntimeError("CUDA error: device lost")):
        with pytest.raises(EnvironmentFailure, match=one_line(machine)):
            result(made, candidate([machine]))
    with pytest.raises(UsageError, match="wrong"):
        result(made, candidate([UsageError("wrong")]))


def test_environment(tmp_path: Path) -> None:
    first, other = job(), job(replace(EASY, blanks=2))
    found: Any = bench(first).environment()
    assert found["device"] == "cpu" and found["threads"] == 1 and found["task"] == Task((5,), 5, "tokens", 5).to_json()
    assert found["torch"] == torch.__version__ and found["device_name"]
    assert found == bench(job()).environment() and found["data"] != bench(other).environment()["data"]
    missing = Text(path=str(tmp_path / "no.txt"), valid_fraction=0.05, test_fraction=0.05, limit=None)
    with pytest.raises(UsageError, match="not found"):
        bench(job(missing)).environment()


def test_a_disk_error_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Copy, seed: int) -> Corpus:
        raise PermissionError("not yours")

    monkeypatch.setattr(Copy, "corpus", broken)
    with pytest.raises(EnvironmentFailure, match="the data cannot be read: not yours"):
        bench(job()).environment()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hidden": 0}, "job.hidden is 0; it must be an integer of at least 1"),
        ({"hidden": True}, "job.hidden is True"),
        ({"unroll": -1}, "job.unroll is -1"),
        ({"layers": 0}, "job.layers is 0; it must be an integer of at least 1"),
        ({"dropout": 1.0}, "job.dropout is 1.0; it must be a number from 0 to below 1"),
        ({"dropout": -0.1}, "job.dropout is -0.1"),
        ({"graph": True}, "trainer.graph=true means nothing to job=language; set trainer.graph=false"),
        ({"class_weights": "balanced"}, "trainer.class_weights=balanced means nothing to job=language; .*=none"),
        ({"layout": "contiguous"}, "trainer.layout=contiguous means nothing to job=language; set trainer.layout=auto"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(changes: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        job(**changes)
    assert "\n" not in str(raised.value)


def test_jobs_refuse_each_others_data_and_spaces(compose_parts: Any) -> None:
    config = compose_parts("job=language", "space=rnn_cell").config
    assert config["dataset"]["blanks"] == 10 and config["trainer"]["schedule"] == "constant"
    for overrides, reason in (
        (("job=language", "space=rnn_cell", "dataset=digits"), "Digits has not; pass dataset=copy or dataset=text"),
        (("job=train", "dataset=copy"), "classifies images.* Copy .*dataset=digits.*job=language"),
        (("job=train", "dataset=text", "dataset.path=x.txt"), "classifies images.* Text "),
        (("job=language", "space=nasbench201"), "Recurrent, which NasBench201 is not.* are: gp_cell, rnn_cell"),
        (("job=train", "space=rnn_cell"), "Buildable, which RnnCell is not"),
        (("job=language", "space=rnn_cell", "dataset=text"), "dataset.path must be given"),
    ):
        with pytest.raises(UsageError, match=reason):
            compose_parts(*overrides)

"""The trainer's settings and their ranges, and its configuration files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from evonas_cli.core.errors import UsageError
from evonas_cli.training.trainer import Trainer

FILES = sorted((Path(__file__).parents[3] / "conf/trainer").glob("*.yaml"))
OPTIMIZERS = {"captions": "adamw", "denoising": "adamw", "language": "adamw"}
"""Of files that are not named by it."""


def settings(name: str = "sgd") -> dict:
    (path,) = (path for path in FILES if path.stem == name)
    loaded = OmegaConf.to_container(OmegaConf.load(path))
    assert loaded.pop("_target_") == "evonas_cli.training.trainer.Trainer"
    return {**loaded, "save_state": False}  # in the file the strategy says it


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_sets_every_field(path):
    loaded = settings(path.stem)
    assert set(loaded) == {field.name for field in fields(Trainer)}
    assert Trainer(**loaded).optimizer == OPTIMIZERS.get(path.stem, path.stem)


def test_both_optimisers_have_a_file():
    assert {"sgd", "adamw"} <= {path.stem for path in FILES}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("epochs", [0, 1.0, "3", True, None]),
        ("batch_size", [0, -1, 2.5]),
        ("optimizer", ["adam", None, 3]),
        ("learning_rate", [0, -0.1, "0.1", float("nan"), float("inf"), None]),
        ("momentum", [-0.1, 1.0, "0.9"]),
        ("nesterov", [1, "true", None]),
        ("weight_decay", [-1e-9, float("inf")]),
        ("decoupled", [0]),
        ("schedule", ["linear", None]),
        ("step_size", [0, 0.5]),
        ("gamma", [0, 1.1]),
        ("warmup", [-1, float("nan")]),
        ("label_smoothing", [1, -0.1]),
        ("clip_norm", [0, -1, "1"]),
        ("precision", ["fp16", None]),
        ("layout", ["nchw"]),
        ("eval_batch_size", [0]),
        ("checkpoint_seconds", [-1, True]),
        ("save_state", [None, 1]),
        ("max_parameters", [0, 1e6]),
        ("max_multiply_adds", [0, "many"]),
        ("convolution", ["unfold", None, 3, ["auto"], {"8x12x12_to16_k5": "unfold"}]),
    ],
)
def test_values_out_of_range_are_refused_by_name(key, values):
    for value in values:
        with pytest.raises(UsageError) as error:
            Trainer(**{**settings(), key: value})
        assert str(error.value).startswith(f"trainer.{key} is {value!r}; it must be ")


def test_every_field_has_a_range():
    for field in fields(Trainer):
        with pytest.raises(UsageError, match=f"trainer.{field.name}( is|:) "):
            Trainer(**{**settings(), field.name: object()})


@pytest.mark.parametrize("key", ["clip_norm", "checkpoint_seconds", "max_parameters", "max_multiply_adds"])
def test_null_means_off(key):
    assert getattr(Trainer(**{**settings(), key: None}), key) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"momentum": 0, "nesterov": True}, "trainer.nesterov needs momentum"),
        ({"schedule": "one_cycle", "warmup": 1}, "trainer.schedule=one_cycle has its own rise"),
        ({"epochs": 2, "warmup": 3}, "trainer.warmup is 3; it must not exceed trainer.epochs=2"),
    ],
)
def test_contradictions_are_refused(changes, text):
    with pytest.raises(UsageError, match=text):
        Trainer(**{**settings(), **changes})


@pytest.mark.parametrize("value", ["implicit", {"8x12x12_to16_k5": "unfold"}])
def test_a_form_of_convolutions_that_was_removed_is_called_so(value):
    assert Trainer(**{**settings(), "convolution": "grouped"}).convolution == "grouped"
    with pytest.raises(UsageError, match="forms of convolutions were removed, and a run that uses one can be resumed"):
        Trainer(**{**settings(), "convolution": value})


def test_a_genome_overrides_in_part():
    trainer = Trainer(**settings())
    changed = trainer.override({"learning_rate": 0.5, "batch_size": 16})
    assert (changed.learning_rate, changed.batch_size, changed.epochs) == (0.5, 16, trainer.epochs)
    assert trainer.override({}) == trainer


def test_bad_overrides_are_refused():
    trainer = Trainer(**settings())
    with pytest.raises(UsageError, match="trainer.learn_rate, which does not exist; did you mean learning_rate?"):
        trainer.override({"learn_rate": 0.5})
    with pytest.raises(UsageError, match="trainer.qqq, which does not exist; known are epochs, batch_size"):
        trainer.override({"qqq": 0.5})
    with pytest.raises(UsageError, match="trainer.momentum is 2"):
        trainer.override({"momentum": 2})

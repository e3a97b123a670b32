"""The script that shows what searches find beside linear models: its linear models, and what it refuses."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.data.splits import Augmentation, Splits
from evonas_cli.network.task import Task

SCRIPT = str(Path(__file__).parents[2] / "scripts" / "data_figures")


def splits(x: Any, y: Any, task: Task) -> Splits:
    """The first half to train, the second to validate."""
    half, width = len(x) // 2, 0 if task.vocabulary else x.shape[1]
    return Splits(
        x_train=x[:half],
        y_train=y[:half],
        x_valid=x[half:],
        y_valid=y[half:],
        mean=np.zeros(width),
        std=np.ones(width),
        task=task,
        augmentation=Augmentation(),
        fingerprint="",
    )


def test_linear_models_find_linear_targets() -> None:
    linear = runpy.run_path(SCRIPT, run_name="figures")["linear"]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2, 3)).astype(np.float32)
    score = x.reshape(400, 6) @ rng.normal(size=(6, 3))
    assert linear(splits(x, score.argmax(axis=1), Task((2, 3), 3))) < 0.1
    assert linear(splits(x, score.astype(np.float32), Task((2, 3), 3, "numbers"))) < 0.01
    assert linear(splits(x, (score > 0).astype(np.float32), Task((2, 3), 3, "labels"))) > 0.95
    labels = (score > 0).astype(np.float32)
    assert linear(splits(x, labels, Task((2, 3), 3, "labels")), "valid_loss") < 0.3
    assert linear(splits(x, np.zeros_like(labels), Task((2, 3), 3, "labels")), "valid_loss") < 0.01
    ids = rng.integers(2, 9, (400, 5)) * (np.arange(5) < rng.integers(2, 6, (400, 1)))
    holds = (ids == 4).any(axis=1).astype(np.int64)
    assert linear(splits(ids, holds, Task((5,), 2, "classes", 9))) < 0.05


def test_the_nearest_series_is_found_by_warping_of_all_channels_together() -> None:
    warped = runpy.run_path(SCRIPT, run_name="figures")["warped"]
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(2, 2, 6)), rng.normal(size=(3, 2, 6))

    def plain(x: Any, y: Any) -> float:
        table = np.full((7, 7), np.inf)
        table[0, 0] = 0.0
        for i in range(6):
            for j in range(6):
                least = min(table[i, j], table[i, j + 1], table[i + 1, j])
                table[i + 1, j + 1] = least + np.square(x[:, i] - y[:, j]).sum()
        return float(table[6, 6])

    assert np.allclose(warped(left, right), [[plain(x, y) for y in right] for x in left])


@pytest.mark.parametrize(
    ("words", "said"), [(["sms_spam"], "sms_spam needs --root FOLDER"), (["wines"], "wines is none of the data sets")]
)
def test_names_are_checked_first(words: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.endswith(f"{said}\n") and not done.stdout

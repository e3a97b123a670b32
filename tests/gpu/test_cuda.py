"""On a CUDA device: real searches, equal bits on repetition, on any number of workers, and after `kill -9`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

SEARCH = (
    "space=nasbench201",
    "space.channels=8",
    "strategy=regularized_evolution",
    "strategy.population_size=4",
    "budget.evaluations=10",
    "trainer.epochs=3",
    "trainer.checkpoint_seconds=0",
    "device=cuda",
)


def evonas(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "evonas_cli", *words], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done


def digest(run: Path, *more: str) -> str:
    verdict = json.loads(evonas("verify", str(run), "--json", *more).stdout)
    assert verdict["ok"] and verdict["complete"]
    return str(verdict["digest"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("gpu") / "whole"
    evonas("search", *SEARCH, "--run-dir", str(run))
    return run


def test_candidates_train_on_the_card(whole: Path) -> None:
    metadata = json.loads((whole / "run.json").read_text())
    assert metadata["environment"]["device"] == "cuda"
    assert metadata["environment"]["device_name"] == torch.cuda.get_device_name()
    entries = [json.loads(line) for line in (whole / "journal.jsonl").read_text().splitlines()]
    assert all(entry["status"] == "ok" for entry in entries)
    assert min(entry["metrics"]["valid_error"] for entry in entries) < 0.15


def test_every_candidate_comes_out_again_bit_for_bit(whole: Path) -> None:
    assert digest(whole, "--replay") == digest(whole)


@pytest.mark.parametrize("place", [("evaluator=serial",), ("evaluator=pool", "evaluator.workers=3")])
def test_the_number_of_workers_changes_nothing(whole: Path, tmp_path: Path, place: tuple[str, ...]) -> None:
    evonas("search", *SEARCH, *place, "--run-dir", str(tmp_path / "run"))
    assert digest(tmp_path / "run") == digest(whole)


def test_killed_and_resumed_it_ends_the_same(whole: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "evonas_cli", "search", *SEARCH, "--run-dir", str(tmp_path / "run")]
    for count in (2, 5, 8):
        process = subprocess.Popen([*words, "--resume", "auto"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = tmp_path / "run" / "journal.jsonl"
        while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < count):
            time.sleep(0.02)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    evonas(*words[3:], "--resume", "auto")
    assert digest(tmp_path / "run") == digest(whole)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("space", ["nasbench201", "nasnet"])
def test_both_precisions_learn_colour_images(tmp_path: Path, precision: str, space: str) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    images = rng.integers(0, 60, (600, 32, 32, 3), dtype=np.uint8)
    images[np.arange(600), :, :, labels] += 120
    np.savez(tmp_path / "d.npz", x_train=images[:450], y_train=labels[:450], x_test=images[450:], y_test=labels[450:])
    size = ("space.channels=8",) if space == "nasbench201" else ("space.channels=8", "space.normal_cells=1")
    data = ("dataset=npz", f"dataset.path={tmp_path / 'd.npz'}", "trainer.epochs=6", f"trainer.precision={precision}")
    run = ("strategy=random", f"space={space}", *size, *data, "budget.evaluations=3", "device=cuda")
    evonas("search", *run, "--run-dir", str(tmp_path / "run"))
    front = json.loads(evonas("pareto", str(tmp_path / "run"), "--format", "json").stdout)["front"]
    assert front[0]["metrics"]["valid_error"] < 0.2
    digest(tmp_path / "run", "--replay")


def test_out_of_memory_is_a_failed_candidate(tmp_path: Path) -> None:
    """Activations, not weights, fill the card: few parameters on large images in one batch. None of them has more
    numbers than kernels can index with 32 bits, which would be another error."""
    import numpy as np

    labels = np.arange(1200) % 2
    images = np.zeros((1200, 256, 256), dtype=np.uint8)
    images[0] = 1
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels, x_test=images[:4], y_test=labels[:4])
    huge = ("space.channels=64", "space.cells_per_stage=5", "trainer.batch_size=400", "trainer.epochs=1")
    data = ("dataset=npz", f"dataset.path={tmp_path / 'd.npz'}", "trainer.precision=fp32", "strategy=random")
    words = ("search", *huge, *data, "budget.evaluations=1", "device=cuda", "--run-dir", str(tmp_path / "run"))
    done = subprocess.run([sys.executable, "-m", "evonas_cli", *words], capture_output=True, text=True)
    entries = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert len(entries) == 1, done.stderr
    if entries[0]["status"] == "ok":
        pytest.skip("the card is large enough for this network")
    assert done.returncode == 1 and entries[0]["error"]["kind"] == "oom"

"""`evonas evaluate` and `predict`: what exported models answer, and what is refused in one line."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from journals import best
from PIL import Image

from evonas_cli.cli.app import run
from evonas_cli.export.forms import FORMS
from evonas_cli.store.directory import RunDirectory


def validation_part(root: Path, path: Path) -> Path:
    """The run's own validation part as a file."""
    from evonas_cli.config.build import build
    from evonas_cli.run.stored import stored_config

    config = stored_config(RunDirectory(root))
    splits = build(config["dataset"], "dataset").prepare(config["seed"])
    np.savez(path, x=splits.x_valid, y=splits.y_valid)
    return path


def test_evaluating_the_validation_part_gives_what_the_search_measured(
    model: Path, saved_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = validation_part(saved_run, tmp_path / "valid.npz")
    for name in ("plan.json", "model.py"):
        assert run(["evaluate", str(model / name), str(data), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        metrics = best(saved_run)["metrics"]
        assert document["examples"] == 50
        for key, value in document["metrics"].items():
            assert value == pytest.approx(metrics[f"valid_{key}"], abs=1e-5)


def test_predictions_are_those_of_the_plain_file(
    model: Path, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["predict", str(model), str(examples), "-o", str(tmp_path / "p.csv")]) == 0
    assert run(["predict", str(model), str(examples)]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "p.csv").read_text()
    rows = list(csv.DictReader(printed.splitlines()))
    assert len(rows) == 50 and list(rows[0])[:3] == ["input", "class", "probability 0"]
    shares = np.array([[float(row[f"probability {n}"]) for n in range(10)] for row in rows])
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    assert [row["class"] for row in rows] == [str(n) for n in shares.argmax(1)]
    command = [sys.executable, "-I", str(model / "model.py"), str(examples)]
    alone = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    other = list(csv.DictReader(alone.splitlines()))
    assert [row["class"] for row in other] == [row["class"] for row in rows]
    theirs = np.array([[float(row[f"probability {n}"]) for n in range(10)] for row in other])
    np.testing.assert_allclose(shares, theirs, atol=1e-6)


def test_images_are_answered_by_a_model_of_bytes(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p" / "inner").mkdir(parents=True)
    for name in ("a.png", "inner/b.png"):
        Image.new("L", (8, 8), 120).save(tmp_path / "p" / name)
    assert run(["predict", str(model), str(tmp_path / "p"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert [row["input"] for row in found] == [str(tmp_path / "p" / name) for name in ("a.png", "inner/b.png")]
    assert found[0]["class"] == found[1]["class"]


@pytest.mark.parametrize(
    ("model_name", "data", "text"),
    [
        ("nothing", "digits.npz", "nothing not found; name a model that `evonas export` has written"),
        ("", "nothing.npz", "nothing.npz not found; name an image, a folder of images, or an .npz file with x"),
        ("", "notes.txt", "is no image and no .npz file; the model takes images 1x8x8"),
        ("README.md", "digits.npz", "README.md is no exported model; name a folder, or a file such as plan.json"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    model_name: str, data: str, text: str, refused: Callable[..., str], model: Path, examples: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no data")
    for verb in ("evaluate", "predict"):
        assert text in refused(2, verb, str(model / model_name), str(tmp_path / data))


def test_damaged_models_are_one_line(refused: Callable[..., str], model: Path, examples: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"damaged")
    assert "cannot be read as" in refused(2, "predict", str(copy), str(examples))
    (copy / "plan.json").write_text('{"schema": 99, "input": [1], "nodes": []}')
    assert "has the schema 99, and this evonas reads 1" in refused(2, "predict", str(copy), str(examples))
    run_like = tmp_path / "run"
    run_like.mkdir()
    (run_like / "run.json").write_text("{}")
    assert "a run is exported first, by `evonas export`" in refused(2, "predict", str(run_like), str(examples))


def test_inputs_are_never_replaced(refused: Callable[..., str], model: Path, examples: Path) -> None:
    before = examples.read_bytes()
    assert "would replace the inputs" in refused(2, "predict", str(model), str(examples), "-o", str(examples))
    assert examples.read_bytes() == before
    assert "its folder is not there" in refused(2, "predict", str(model), str(examples), "-o", "no/where.csv")


def test_the_order_of_the_forms_of_a_folder(model: Path) -> None:
    from evonas_cli.export.reading import open_model

    assert open_model(model).form == "dir" == next(iter(FORMS))
    assert open_model(model / "model.py").form == "py"
    torch.testing.assert_close(
        open_model(model).model(torch.ones(2, 1, 8, 8)), open_model(model / "model.py").model(torch.ones(2, 1, 8, 8))
    )


def test_the_latency_of_an_exported_file_is_measured_on_request(
    model: Path, saved_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, threads = validation_part(saved_run, tmp_path / "valid.npz"), torch.get_num_threads()
    found = {}
    for name in ("plan.json", "model.py"):
        assert run(["evaluate", str(model / name), str(data), "--latency", "--json"]) == 0
        found[name] = json.loads(capsys.readouterr().out)["metrics"]
    assert all(0 < metrics["latency_ms"] < 1000 and metrics["latency_spread_ms"] >= 0 for metrics in found.values())
    assert torch.get_num_threads() == threads
    assert run(["evaluate", str(model), str(data), "--json"]) == 0
    assert "latency_ms" not in json.loads(capsys.readouterr().out)["metrics"]

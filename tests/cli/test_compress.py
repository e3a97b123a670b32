"""`evonas compress`: a smaller model that is measured, and what is refused in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journals import best

from evonas_cli.cli.app import run
from evonas_cli.data.digits import Digits

FEW = ("--permutations", "2", "--examples", "20", "--device", "cpu", "-q")


@pytest.fixture
def own_run(saved_run: Path, tmp_path: Path) -> Path:
    """A copy of the search, in which readings of the test part are noted."""
    return Path(shutil.copytree(saved_run, tmp_path / "found"))


def compressed(capsys: Any, *words: object) -> dict[str, Any]:
    assert run(["compress", *map(str, words), "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_pruned_distilled_and_quantised(own_run: Path, model: Path, tmp_path: Path, capsys: Any) -> None:
    small = tmp_path / "small"
    what = ("--prune", "shapley", "--compare", "--distil", model, "--epochs", 1, "--quantize", "int8")
    found = compressed(capsys, own_run, *what, *FEW, "-o", small, "--format", "dir,py")
    names = ["given", "shapley 50 %", "magnitude 50 %", "random 50 %", "trained alone", "distilled", "int8"]
    assert [row["name"] for row in found["networks"]] == names
    given, *pruned, alone, distilled, int8 = found["networks"]
    sizes = {(row["bytes"], row["parameters"], row["multiply_adds"]) for row in (*pruned, alone, distilled)}
    assert len(sizes) == 1, "all methods leave networks of one size"
    assert int8["bytes"] < distilled["bytes"] < given["bytes"] and distilled["multiply_adds"] < given["multiply_adds"]
    assert all(row["latency_ms"] > 0 and 0 <= row["test"] <= 1 for row in found["networks"])
    assert given["valid"] == pytest.approx(1 - best(own_run)["metrics"]["valid_error"])
    kept = sum(path.stat().st_size for path in small.glob("model.safetensors"))
    assert int8["bytes"] <= kept < int8["bytes"] + 2000
    assert {path.name for path in small.iterdir()} == set(found["files"]) >= {"plan.json", "model.py", "README.md"}
    card = (small / "README.md").read_text()
    assert "| int8 |" in card and "computed in float32" in card and str(tmp_path) not in card
    assert answers(small, tmp_path, capsys) == int8["test"]


def answers(folder: Path, tmp_path: Path, capsys: Any) -> float:
    """The accuracy that `evaluate` finds on the test part of the search."""
    dataset = Digits(valid_fraction=0.2, test_fraction=0.2, limit=200, crop=0, flip=False, cutout=0)
    x, y = dataset.test(0)
    np.savez(tmp_path / "test.npz", x=x, y=y)
    assert run(["evaluate", str(folder), str(tmp_path / "test.npz"), "--json"]) == 0
    accuracy: float = json.loads(capsys.readouterr().out)["metrics"]["accuracy"]
    assert run(["predict", str(folder), str(tmp_path / "test.npz"), "-o", str(tmp_path / "said.csv")]) == 0
    assert len((tmp_path / "said.csv").read_text().splitlines()) == len(y) + 1
    capsys.readouterr()
    return accuracy


def test_readings_of_the_test_part_are_noted_and_can_be_left_out(own_run: Path, tmp_path: Path, capsys: Any) -> None:
    unread = compressed(capsys, own_run, "--prune", "random", *FEW, "--no-test", "-o", tmp_path / "a")
    assert {row["test"] for row in unread["networks"]} == {None}
    assert not (own_run / "test_openings.jsonl").exists()
    assert compressed(capsys, own_run, "--prune", "random", *FEW, "-o", tmp_path / "b")["test_openings"] == 1
    assert run(["compress", str(own_run), "--quantize", "int8", *FEW, "-o", str(tmp_path / "c")]) == 0
    said = capsys.readouterr().out
    assert "test opened 2 times" in said and "int8 weights" in said
    lines = [json.loads(line) for line in (own_run / "test_openings.jsonl").read_text().splitlines()]
    assert [line["candidates"] for line in lines] == [2, 2]


def test_a_model_is_compressed_with_its_runs_data(own_run: Path, model: Path, tmp_path: Path, capsys: Any) -> None:
    words = ("--prune", "magnitude", "--sparsity", "0.5", *FEW, "--no-test")
    found = compressed(capsys, model, "--data", own_run, *words, "-o", tmp_path / "a")
    assert found["networks"][1:] and found["networks"][1]["bytes"] < found["networks"][0]["bytes"]
    again = compressed(capsys, own_run, *words, "-o", tmp_path / "b")
    assert [row["valid"] for row in again["networks"]] == [row["valid"] for row in found["networks"]]


def test_the_same_seed_gives_the_same_network(own_run: Path, tmp_path: Path, capsys: Any) -> None:
    for name in "ab":
        words = ("--prune", "shapley", "--distil", "best", "--epochs", 1, *FEW, "--no-test", "-o", tmp_path / name)
        compressed(capsys, own_run, *words)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in "ab")
    assert one == two


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--prune", "shapley", "--sparsity", "1"], "--sparsity is 1; it must be at least 0 and below 1"),
        (["--prune", "shapley", "--sparsity", "-0.1"], "--sparsity is -0.1; it must be at least 0 and below 1"),
        (["--prune", "random", "--sparsity", "0.9"], "--sparsity 0.9 would prune all"),
        (["--prune", "weight"], "--prune is 'weight'; it must be one of shapley, magnitude, random"),
        (["--prune", "shapley", "--permutations", "0"], "--permutations is 0; it must be 1 or more"),
        (["--distil", "best", "--epochs", "0"], "--epochs is 0; it must be 1 or more"),
        (["--distil", "best", "--temperature", "0"], "--temperature is 0; it must be a number above 0"),
        (["--quantize", "int4"], "--quantize is 'int4'; it can be int8"),
        ([], "there is nothing to do; pass --prune, --distil or --quantize int8"),
        (["front", "--prune", "random"], "one is made smaller at a time"),
        (["--distil", "elsewhere"], "elsewhere not found"),
        (["--prune", "random", "--data", "latest"], "--data is for a model"),
    ],
)
def test_wrong_words_are_one_line(words: list[str], line: str, refused: Callable[..., str], saved_run: Path) -> None:
    assert line in refused(2, "compress", str(saved_run), *words, "-q", "-o", "small")
    assert not Path("small").exists() and not (saved_run / "test_openings.jsonl").exists()


def test_a_teacher_of_another_task_is_refused(
    refused: Callable[..., str], saved_run: Path, model: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(model, tmp_path / "other"))
    said = json.loads((other / "preprocessing.json").read_text())
    said["names"] = said["names"][::-1]
    (other / "preprocessing.json").write_text(json.dumps(said))
    line = refused(2, "compress", str(saved_run), "--distil", str(other), "-o", "small")
    assert f"the teacher {other} is of another task: its classes have other names or places" in line


def test_int8_models_are_not_compressed_again(
    refused: Callable[..., str], own_run: Path, tmp_path: Path, capsys: Any
) -> None:
    compressed(capsys, own_run, "--quantize", "int8", *FEW, "--no-test", "-o", tmp_path / "int8")
    line = refused(2, "compress", str(tmp_path / "int8"), "--data", str(own_run), "--prune", "random", "-o", "small")
    assert "has int8 weights, which are neither pruned nor trained" in line
    assert "by --data RUN" in refused(2, "compress", str(tmp_path / "int8"), "--prune", "random", "-o", "small")


def test_what_has_no_weights_or_no_layers_is_refused(
    refused: Callable[..., str], own_run: Path, tmp_path: Path
) -> None:
    id = best(own_run)["id"]
    shutil.rmtree(own_run / "candidates" / str(id), ignore_errors=True)
    for path in own_run.rglob("state.pt"):
        path.unlink()
    line = refused(3, "compress", str(own_run), "--prune", "random", "-o", "small")
    assert f"has no weights of candidate {id}; `evonas retrain" in line
    root = str(tmp_path / "bits")
    search = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=2", "--quiet")
    assert run([*search, "--run-dir", root]) == 0
    line = refused(2, "compress", root, "--prune", "random", "-o", "small")
    assert "are no networks of layers (its job is Landscape)" in line

"""`evonas export`: checked files, and what is refused in one line."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from journals import best, entries

from evonas_cli.cli.app import run
from evonas_cli.export import checking, source
from evonas_cli.run.artifacts import read_artifact
from evonas_cli.store.directory import RunDirectory
from evonas_cli.training import state


def test_an_export_says_what_it_is(model: Path, saved_run: Path) -> None:
    names = {"README.md", "model.py", "model.safetensors", "plan.json", "preprocessing.json", "weights.safetensors"}
    assert {path.name for path in model.iterdir()} == names
    card, entry = (model / "README.md").read_text(), best(saved_run)
    assert (
        f"candidate {entry['id']} of found" in card
        and f"| valid_error | {entry['metrics']['valid_error']:.4g} |" in card
    )
    assert f"data: SHA-256 {json.loads((saved_run / 'run.json').read_text())['environment']['data']}" in card
    assert "the 50 examples of the validation part" in card
    for path in model.iterdir():
        assert str(saved_run).encode() not in path.read_bytes() and not path.stat().st_mode & 0o111


def test_a_retrained_run_is_exported_and_checked_on_the_opened_test_part(
    saved_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retrain", str(saved_run), "best", "--seeds", "2", "-q", "--run-dir", str(tmp_path / "again")]) == 0
    root = capsys.readouterr().out.splitlines()[-1]
    assert run(["export", root, "best", "--format", "dir", "-o", str(tmp_path / "m"), "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["exported"]
    assert found["candidate"] == best(Path(root))["id"]
    assert found["checked_on"] == "test" and found["largest_difference"]["dir"] < 1e-4
    assert found["files"] == ["README.md", "model.safetensors", "plan.json", "preprocessing.json"]
    card = (tmp_path / "m" / "README.md").read_text()
    assert "This network is one of 2 trained with different seeds." in card
    assert "| test_error |" in card and "[" in card.split("| test_error |")[1].splitlines()[0]


def test_a_whole_front_gets_a_folder_for_each_member(saved_run: Path, tmp_path: Path, capsys: Any) -> None:
    assert run(["export", str(saved_run), "front", "--format", "py", "-o", str(tmp_path / "m")]) == 0
    front = json.loads(front_document(saved_run, capsys))
    assert {path.name for path in (tmp_path / "m").iterdir()} == {str(member["id"]) for member in front["front"]}


def front_document(root: Path, capsys: Any) -> str:
    capsys.readouterr()
    assert run(["pareto", str(root), "--json"]) == 0
    return str(capsys.readouterr().out)


@pytest.mark.parametrize("change", ["weights", "import", "accuracy"])
def test_an_export_that_differs_is_refused_and_removed(
    change: str, refused: Callable[..., str], saved_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = source.write

    def wrong(outgoing: Any, folder: Path) -> None:
        write(outgoing, folder)
        text = (folder / "model.py").read_text()
        if change == "import":
            text = text.replace("import csv", "import csv\nimport evonas_cli", 1)
        elif change == "weights":
            text = text.replace("        return x\n", "        return x + 0.001\n", 1)
        (folder / "model.py").write_text(text)

    monkeypatch.setattr(source, "write", wrong)
    if change == "accuracy":
        right = iter([7, 6])
        monkeypatch.setattr(checking, "_right", lambda *_: next(right))
    line = refused(1, "export", str(saved_run), "--format", "py", "-o", str(tmp_path / "m"))
    wanted = {
        "weights": "the export as py differs: outputs by up to 0.001, more than 0.0001, on the validation part",
        "import": "cannot be used without evonas: ModuleNotFoundError: the exported model imports evonas_cli",
        "accuracy": "the export as py differs: 6 instead of 7 right answers",
    }
    assert wanted[change] in line
    assert not (tmp_path / "m").exists() and not list(tmp_path.glob(".evonas-*"))


def test_a_candidate_without_weights_names_the_command_that_makes_them(
    refused: Callable[..., str], saved_run: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(saved_run, tmp_path / "copy"))
    shutil.rmtree(root / "candidates")
    id = best(root)["id"]
    line = refused(3, "export", str(root), "-o", str(tmp_path / "m"))
    assert (
        f"{root} has no weights of candidate {id}; `evonas retrain {root} {id}` trains it and keeps its weights" in line
    )


def test_weights_of_an_older_evonas_are_read_and_refused_with_the_cure(
    refused: Callable[..., str], saved_run: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(saved_run, tmp_path / "copy"))
    id = best(root)["id"]
    path = root / "candidates" / str(id) / "state.pt"
    held = dict(state.parse(path.read_bytes()))
    signature = json.loads(held["signature"])
    del signature["preparation"]
    state.write(path, {**held, "signature": json.dumps(signature)})
    assert read_artifact(RunDirectory(root), id).signature.mean
    line = refused(3, "export", str(root), "-o", str(tmp_path / "m"))
    assert "does not say how raw inputs are prepared" in line and f"`evonas retrain {root} {id}`" in line


def test_folders_in_use_are_left_alone(refused: Callable[..., str], saved_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "model.onnx").write_text("of an earlier export")
    words = ("export", str(saved_run), "--format", "dir", "-o", str(folder))
    assert f"{folder} is not empty; pass --force" in refused(2, *words)
    assert "is a file; -o names a folder" in refused(2, *words[:-1], str(folder / "notes.txt"))
    assert run([*words, "--force"]) == 0
    assert (folder / "notes.txt").read_text() == "mine" and not (folder / "model.onnx").exists()


def test_wrong_wishes_are_one_line(refused: Callable[..., str], saved_run: Path, tmp_path: Path) -> None:
    [failed, *_] = [*[entry["id"] for entry in entries(saved_run) if entry["status"] == "failed"], None]
    assert "name the folder to write into: -o PATH" in refused(2, "export", str(saved_run))
    line = refused(2, "export", str(saved_run), "-o", "m", "--format", "dir,tflite")
    assert "--format has 'tflite'; the forms are dir, py, onnx, pt2" in line
    if failed is not None:
        assert f"candidate {failed} of {saved_run} failed" in refused(
            3, "export", str(saved_run), str(failed), "-o", "m"
        )
    assert "has no candidate 99" in refused(3, "export", str(saved_run), "99", "-o", "m")


def test_the_missing_extra_is_named(
    refused: Callable[..., str], saved_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = refused(2, "export", str(saved_run), "-o", "m", "--format", "onnx")
    assert "install it with: pip install 'evonas[onnx]'" in line and not Path("m").exists()


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_an_extra_that_python_refuses_to_import_is_missing(
    name: str, refused: Callable[..., str], saved_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    line = refused(2, "export", str(saved_run), "-o", "m", "--format", "dir,onnx")
    assert "install it with: pip install 'evonas[onnx]'" in line and not Path("m").exists()


def test_data_that_changed_is_noticed(refused: Callable[..., str], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 2
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y)
    words = ("dataset=npz", f"dataset.path={tmp_path / 'd.npz'}", "space=mlp", "trainer.save_state=true", "--quiet")
    more = ("device=cpu", "evaluator=serial", "trainer.epochs=1", "trainer.batch_size=8", "strategy=random")
    assert run(["search", *words, *more, "budget.evaluations=1", "--run-dir", str(tmp_path / "run")]) == 0
    np.savez(tmp_path / "d.npz", x_train=x + 1, y_train=y)
    line = refused(3, "export", str(tmp_path / "run"), "-o", "m")
    assert "the data of" in line and "has changed since its trainings" in line


def test_a_candidate_of_folds_is_several_networks(refused: Callable[..., str], tmp_path: Path) -> None:
    folds = ("dataset=digits", "dataset.limit=90", "space=mlp", "trainer.epochs=1", "job.folds=2", "strategy=random")
    kept = ("trainer.save_state=true", "budget.evaluations=1", "evaluator=serial", "device=cpu", "-q")
    root = tmp_path / "run"
    assert run(["search", *folds, *kept, "--run-dir", str(root)]) == 0
    line = refused(2, "export", str(root), "-o", str(tmp_path / "m"))
    assert "candidate 0" in line and "is 2 networks, one for each fold (job.folds)" in line
    assert f"`evonas retrain {root} 0 --full`" in line and not (tmp_path / "m").exists()
    again = ("--full", "--seeds", "1", "evaluator=serial", "-q", "--run-dir", str(tmp_path / "again"))
    assert run(["retrain", str(root), "0", *again]) == 0
    assert run(["export", str(tmp_path / "again"), "-o", str(tmp_path / "m")]) == 0

"""`evonas export`, `evaluate` and `predict`: checked files, what they answer, and what is refused in one line."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from evonas_cli.cli.app import run
from evonas_cli.data.digits import Digits
from evonas_cli.export import checking, source
from evonas_cli.export.forms import FORMS
from evonas_cli.run.artifacts import read_artifact
from evonas_cli.store.directory import RunDirectory
from evonas_cli.training import state

SMALL = ("dataset=digits", "dataset.limit=200", "device=cpu", "evaluator=serial", "trainer.epochs=1", "--quiet")
SPACE = ("space=chain_cnn", "space.layers=2", "space.filters=[2,4]", "trainer.max_parameters=400")
SEARCH = ("search", *SMALL, *SPACE, "strategy=random", "strategy.batch=4", "budget.evaluations=4")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("searched") / "found"
    assert run([*SEARCH, "trainer.save_state=true", "--run-dir", str(root)]) == 0
    return root


@pytest.fixture(scope="module")
def model(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    assert run(["export", str(searched), "best", "--format", "dir,py", "-o", str(folder)]) == 0
    return folder


def entries(root: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return sorted(found, key=lambda entry: int(entry["id"]))


def best(root: Path) -> dict[str, Any]:
    able = [entry for entry in entries(root) if entry["status"] == "ok"]
    return min(able, key=lambda entry: (entry["metrics"]["valid_error"], entry["metrics"]["parameters"]))


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The first digits, as a person would save them."""
    arrays = Digits(valid_fraction=0.1, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0).read()
    np.savez(tmp_path / "digits.npz", x=arrays.x_train[:50, 0], y=arrays.y_train[:50])
    return tmp_path / "digits.npz"


def validation_part(root: Path, path: Path) -> Path:
    """The run's own validation part as a file."""
    from evonas_cli.config.build import build
    from evonas_cli.run.stored import stored_config

    config = stored_config(RunDirectory(root))
    splits = build(config["dataset"], "dataset").prepare(config["seed"])
    np.savez(path, x=splits.x_valid, y=splits.y_valid)
    return path


def test_an_export_says_what_it_is(model: Path, searched: Path) -> None:
    names = {"README.md", "model.py", "model.safetensors", "plan.json", "preprocessing.json", "weights.safetensors"}
    assert {path.name for path in model.iterdir()} == names
    card, entry = (model / "README.md").read_text(), best(searched)
    assert (
        f"candidate {entry['id']} of found" in card
        and f"| valid_error | {entry['metrics']['valid_error']:.4g} |" in card
    )
    assert f"data: SHA-256 {json.loads((searched / 'run.json').read_text())['environment']['data']}" in card
    assert "the 50 examples of the validation part" in card
    for path in model.iterdir():
        assert str(searched).encode() not in path.read_bytes() and not path.stat().st_mode & 0o111


def test_evaluating_the_validation_part_gives_what_the_search_measured(
    model: Path, searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = validation_part(searched, tmp_path / "valid.npz")
    for name in ("plan.json", "model.py"):
        assert run(["evaluate", str(model / name), str(data), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        metrics = best(searched)["metrics"]
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


def test_a_retrained_run_is_exported_and_checked_on_the_opened_test_part(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retrain", str(searched), "best", "--seeds", "2", "-q", "--run-dir", str(tmp_path / "again")]) == 0
    root = capsys.readouterr().out.splitlines()[-1]
    assert run(["export", root, "best", "--format", "dir", "-o", str(tmp_path / "m"), "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["exported"]
    assert found["candidate"] == best(Path(root))["id"]
    assert found["checked_on"] == "test" and found["largest_difference"]["dir"] < 1e-4
    assert found["files"] == ["README.md", "model.safetensors", "plan.json", "preprocessing.json"]
    card = (tmp_path / "m" / "README.md").read_text()
    assert "This network is one of 2 trained with different seeds." in card
    assert "| test_error |" in card and "[" in card.split("| test_error |")[1].splitlines()[0]


def test_a_whole_front_gets_a_folder_for_each_member(searched: Path, tmp_path: Path, capsys: Any) -> None:
    assert run(["export", str(searched), "front", "--format", "py", "-o", str(tmp_path / "m")]) == 0
    front = json.loads(subprocess_free_front(searched, capsys))
    assert {path.name for path in (tmp_path / "m").iterdir()} == {str(member["id"]) for member in front["front"]}


def subprocess_free_front(root: Path, capsys: Any) -> str:
    capsys.readouterr()
    assert run(["pareto", str(root), "--json"]) == 0
    return str(capsys.readouterr().out)


@pytest.mark.parametrize("change", ["weights", "import", "accuracy"])
def test_an_export_that_differs_is_refused_and_removed(
    change: str, refused: Callable[..., str], searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    line = refused(1, "export", str(searched), "--format", "py", "-o", str(tmp_path / "m"))
    wanted = {
        "weights": "the export as py differs: outputs by up to 0.001, more than 0.0001, on the validation part",
        "import": "cannot be used without evonas: ModuleNotFoundError: the exported model imports evonas_cli",
        "accuracy": "the export as py differs: 6 instead of 7 right answers",
    }
    assert wanted[change] in line
    assert not (tmp_path / "m").exists() and not list(tmp_path.glob(".evonas-*"))


def test_a_candidate_without_weights_names_the_command_that_makes_them(
    refused: Callable[..., str], searched: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(searched, tmp_path / "copy"))
    shutil.rmtree(root / "candidates")
    id = best(root)["id"]
    line = refused(3, "export", str(root), "-o", str(tmp_path / "m"))
    assert (
        f"{root} has no weights of candidate {id}; `evonas retrain {root} {id}` trains it and keeps its weights" in line
    )


def test_weights_of_an_older_evonas_are_read_and_refused_with_the_cure(
    refused: Callable[..., str], searched: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(searched, tmp_path / "copy"))
    id = best(root)["id"]
    path = root / "candidates" / str(id) / "state.pt"
    held = dict(state.parse(path.read_bytes()))
    signature = json.loads(held["signature"])
    del signature["preparation"]
    state.write(path, {**held, "signature": json.dumps(signature)})
    assert read_artifact(RunDirectory(root), id).signature.mean
    line = refused(3, "export", str(root), "-o", str(tmp_path / "m"))
    assert "does not say how raw inputs are prepared" in line and f"`evonas retrain {root} {id}`" in line


def test_folders_in_use_are_left_alone(refused: Callable[..., str], searched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "model.onnx").write_text("of an earlier export")
    words = ("export", str(searched), "--format", "dir", "-o", str(folder))
    assert f"{folder} is not empty; pass --force" in refused(2, *words)
    assert "is a file; -o names a folder" in refused(2, *words[:-1], str(folder / "notes.txt"))
    assert run([*words, "--force"]) == 0
    assert (folder / "notes.txt").read_text() == "mine" and not (folder / "model.onnx").exists()


def test_wrong_wishes_are_one_line(refused: Callable[..., str], searched: Path, tmp_path: Path) -> None:
    [failed, *_] = [*[entry["id"] for entry in entries(searched) if entry["status"] == "failed"], None]
    assert "name the folder to write into: -o PATH" in refused(2, "export", str(searched))
    line = refused(2, "export", str(searched), "-o", "m", "--format", "dir,tflite")
    assert "--format has 'tflite'; the forms are dir, py, onnx, pt2" in line
    if failed is not None:
        assert f"candidate {failed} of {searched} failed" in refused(3, "export", str(searched), str(failed), "-o", "m")
    assert "has no candidate 99" in refused(3, "export", str(searched), "99", "-o", "m")


def test_the_missing_extra_is_named(
    refused: Callable[..., str], searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = refused(2, "export", str(searched), "-o", "m", "--format", "onnx")
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

"""Runs and data from a stranger: nothing in them is executed, nothing outside them is written."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evonas_cli.cli.app import run

Evonas = Callable[..., subprocess.CompletedProcess[str]]
TOY = ("search", "job=landscape", "space=bits", "budget.evaluations=12", "evaluator=serial", "--quiet")


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    assert run([*TOY, "--run-dir", str(folder)]) == 0
    return folder


@pytest.fixture
def theirs(made: Path, tmp_path: Path) -> Path:
    """A copy of a finished run, to be made hostile."""
    return Path(shutil.copytree(made, tmp_path / "run"))


def refused(evonas: Evonas, *words: str) -> str:
    """Runs a command that must fail in order; returns its one line."""
    done = evonas(*words)
    assert done.returncode in (2, 3), (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("evonas: ")
    return lines[0]


@pytest.mark.parametrize("verb", ["resume", "show", "verify", "report"])
def test_no_tag_of_yaml_is_obeyed(verb: str, evonas_here: Evonas, theirs: Path, tmp_path: Path) -> None:
    with (theirs / "config.yaml").open("a") as file:
        file.write(f'x: !!python/object/apply:os.system ["touch {tmp_path}/mark"]\n')
    more = ("budget.evaluations=14",) if verb == "resume" else ("-o", "r.html") if verb == "report" else ()
    assert "config.yaml is damaged" in refused(evonas_here, verb, "run", *more)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["os.system", "own_parts.Anything"])
def test_no_class_of_the_configuration_is_taken(name: str, evonas_here: Evonas, theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "own_parts.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
    for file in ("config.yaml", "run.json"):
        text = (theirs / file).read_text()
        assert "evonas_cli.spaces.bits.Bits" in text
        (theirs / file).write_text(text.replace("evonas_cli.spaces.bits.Bits", name))
    refused(evonas_here, "show", "run")
    refused(evonas_here, "resume", "run", "budget.evaluations=14")
    assert not (tmp_path / "mark").exists()


def test_no_pickle_is_opened(evonas_here: Evonas, theirs: Path, tmp_path: Path) -> None:
    weights = theirs / "candidates" / "0" / "state.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(pickle.dumps(Payload(tmp_path / "mark")))
    refused(evonas_here, "export", "run", "0", "-o", "model")
    array = io.BytesIO()
    np.save(array, np.array([Payload(tmp_path / "mark")], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        for key in ("x_train", "y_train"):
            file.writestr(f"{key}.npy", array.getvalue())
    assert "plain arrays" in refused(evonas_here, "search", "dataset=npz", "dataset.path=data.npz", "--dry-run")
    assert not (tmp_path / "mark").exists() and not (tmp_path / "model").exists()


def test_an_array_that_claims_to_be_huge_is_not_made_room_for(evonas_here: Evonas, tmp_path: Path) -> None:
    header, targets = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**3)})
    np.save(targets, np.arange(4) % 2)
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("x_train.npy", header.getvalue() + bytes(1000))
        file.writestr("y_train.npy", targets.getvalue())
    refused(evonas_here, "search", "dataset=npz", "dataset.path=data.npz", "space=mlp", "budget.evaluations=2")


def test_a_deep_line_ends_no_command(evonas_here: Evonas, theirs: Path) -> None:
    with (theirs / "journal.jsonl").open("a") as file:
        file.write("[" * 200_000 + "\n")
    assert evonas_here("show", "run").returncode == 0, "a torn tail is left out"
    assert evonas_here("verify", "run").returncode in (0, 1)


def test_links_lead_nowhere(evonas_here: Evonas, theirs: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "1").mkdir(parents=True)
    (outside / "1" / "checkpoint.pt").write_bytes(b"mine")
    for name in ("candidates", "populations"):
        shutil.rmtree(theirs / name, ignore_errors=True)
        (theirs / name).symlink_to(outside)
    assert evonas_here("clean", "run", "--delete").returncode == 0
    evonas_here("resume", "run", "budget.evaluations=30", "--quiet")
    assert [path.name for path in outside.rglob("*")] == ["1", "checkpoint.pt"]

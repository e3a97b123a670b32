"""Runs that are in the way, not there, damaged, or another experiment: one line, the documented code."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from evonas_cli.cli.app import run

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5")


def test_runs_that_are_in_the_way_or_not_there(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    assert "pass --resume auto" in refused(2, *TOY, "--run-dir", "run")
    Path("full").mkdir()
    Path("full/thesis.tex").touch()
    assert "exists and is not empty" in refused(2, *TOY, "--run-dir", "full")
    assert "holds no run to resume" in refused(3, *TOY, "--run-dir", "other", "--resume", "must")
    for verb in ("resume", "show", "pareto", "verify"):
        assert "no run 'nothing'" in refused(3, verb, "nothing")
        assert "there is no run under outputs/ yet" in refused(3, verb, "latest")
        assert "is no run: it has no run.json" in refused(3, verb, "full")
    assert "has no candidate 77" in refused(3, "show", "run", "77")
    assert "nothing was left to do: the run has its 5 evaluations" in refused(0, "resume", "run", "--quiet")


def test_another_experiment_is_refused_key_by_key(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    changed = refused(3, *TOY, "seed=4", "space.length=50", "--run-dir", "run", "--resume", "auto")
    assert "seed: run has 0, now 4" in changed and "space.length: run has 100, now 50" in changed
    assert "seed: run has 0, now 1" in refused(3, "resume", "run", "seed=1")
    assert "a run keeps its strategy" in refused(2, "resume", "run", "strategy=genetic")
    assert run(["resume", "run", "budget.evaluations=7", "--quiet"]) == 0
    assert "less than the 7 that run has" in refused(2, "resume", "run", "budget.evaluations=6", "--quiet")


def test_corrupt_and_newer_runs_are_exit_3(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    metadata = json.loads(Path("run/run.json").read_text())
    Path("run/run.json").write_text(json.dumps({**metadata, "format": 99, "evonas": "9.0"}))
    assert "use evonas 9.0 or newer" in refused(3, "resume", "run")
    Path("run/run.json").write_text("{")
    assert "run.json is damaged" in refused(3, "resume", "run")
    Path("run/run.json").write_text(json.dumps(metadata))
    config = Path("run/config.yaml").read_text()
    Path("run/config.yaml").write_text("seed: [")
    assert "config.yaml is damaged" in refused(3, "resume", "run")
    Path("run/config.yaml").write_text(config)
    lines = Path("run/journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"id":1', b'"id":7')
    Path("run/journal.jsonl").write_bytes(b"".join(lines))
    assert "line 2 is damaged" in refused(3, "resume", "run")


def test_an_edited_configuration_is_another_experiment(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    path = Path("run/config.yaml")
    path.write_text(path.read_text().replace("noise: 0.01", "noise: 0.91"))
    for verb in ("resume", "show", "pareto", "verify"):
        assert "job.noise: run has 0.01, now 0.91" in refused(3, verb, "run")


def test_runs_with_a_form_of_convolutions_that_was_removed_can_be_read(
    refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    small = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "trainer.nesterov=false")
    short = ("dataset.limit=200", "trainer.epochs=1", "evaluator=serial", "device=cpu", "strategy=random")
    given = "trainer.convolution=grouped"
    assert run(["search", *small, *short, given, "budget.evaluations=1", "--run-dir", "outputs/run", "--quiet"]) == 0
    for choice in ("unfold", {"2x8x8_to2_k3_p1": "implicit"}):
        metadata = json.loads(Path("outputs/run/run.json").read_text())
        identity = {key: value for key, value in metadata["identity"].items() if "trainer.convolution" not in key}
        added = {f".{key}": form for key, form in choice.items()} if isinstance(choice, dict) else {"": choice}
        identity |= {f"trainer.convolution{key}": value for key, value in added.items()}
        Path("outputs/run/run.json").write_text(json.dumps({**metadata, "identity": identity}))
        config = yaml.safe_load(Path("outputs/run/config.yaml").read_text())
        config["trainer"]["convolution"] = choice
        Path("outputs/run/config.yaml").write_text(yaml.safe_dump(config))
        for words in (["list"], ["show", "run"], ["show", "run", "0"], ["pareto", "run"], ["compare", "outputs/run"]):
            assert run(words) == 0, words
        capsys.readouterr()
        for verb in ("resume", "verify"):
            assert "a run that uses one can be resumed with an evonas 0.1.0" in refused(2, verb, "run")


def test_lost_journals_are_not_taken_for_a_fresh_start(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    journal = Path("run/journal.jsonl")
    lines = journal.read_bytes()
    journal.write_bytes(lines.replace(b"\n", b"\r\n"))
    assert "line 1 is damaged" in refused(3, "resume", "run")
    journal.write_bytes(b"")
    assert run(["verify", "run"]) == 1
    journal.unlink()
    assert "journal.jsonl is missing" in refused(3, "resume", "run")
    Path("run/status.json").write_text('{"elapsed_seconds": "x", "state": 5}')
    journal.write_bytes(lines)
    assert run(["resume", "run", "budget.evaluations=6", "--quiet"]) == 0
    assert run(["list", "--outputs", "."]) == 0
    assert run(["resume", "run", "evaluator=fake", "budget.evaluations=7", "--quiet"]) == 0


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_journal_that_is_no_file_is_exit_3(refused: Callable[..., str], make: Callable[[Path], None]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    Path("run/journal.jsonl").unlink()
    make(Path("run/journal.jsonl"))
    what = "a folder" if make is Path.mkdir else "no regular file"
    for words in (("resume", "--quiet"), ("show",), ("pareto",), ("compare",), ("verify",), ("verify", "--repair")):
        assert f"run/journal.jsonl is {what}; put the journal back" in refused(3, words[0], "run", *words[1:])


def test_list_finds_runs_at_any_depth_and_says_which_are_damaged(
    refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("near", "a/b/c/far", "two/levels"):
        assert run([*TOY, "--run-dir", f"outputs/{place}", "--quiet"]) == 0
    whole = Path("outputs/near")
    for name, damage in (("empty", b""), ("garbage", b"{"), ("list", b"[]"), ("bare", b'{"format": 1}')):
        shutil.copytree(whole, f"outputs/s/{name}")
        Path(f"outputs/s/{name}/run.json").write_bytes(damage)
    shutil.copytree(whole, "outputs/s/cut")
    Path("outputs/s/cut/journal.jsonl").write_bytes(b"")
    shutil.copytree(whole, whole / "candidates/inner")
    shutil.copytree(whole, "outputs/.draft/x")
    newer = json.loads((whole / "run.json").read_text()) | {"format": 99}
    shutil.copytree(whole, "outputs/s/newer")
    Path("outputs/s/newer/run.json").write_text(json.dumps(newer))
    capsys.readouterr()
    assert run(["list", "--json"]) == 0
    found = {row["run"]: row["state"] for row in json.loads(capsys.readouterr().out)["runs"]}
    damaged = {f"s/{name}": "damaged" for name in ("empty", "garbage", "list", "bare", "cut")}
    assert found == damaged | dict.fromkeys(("near", "a/b/c/far", "two/levels", "s/newer"), "done")
    assert run(["show", "a/b/c/far"]) == 0 and run(["show", "far"]) == 0 and run(["show", "near"]) == 0
    assert run(["list", "--outputs", "outputs/near"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" near")


def test_a_configuration_that_is_nested_or_no_file_is_exit_3(refused: Callable[..., str]) -> None:
    assert run([*TOY, "--run-dir", "run"]) == 0
    path = Path("run/config.yaml")
    for content in (b"[" * 5000, b"\xff\xfe\x00", b"seed: .nan\n", None):
        path.unlink()
        os.mkfifo(path) if content is None else path.write_bytes(content)
        assert "run/config.yaml is" in refused(3, "resume", "run")

"""`evonas retrain`: a run of its own that measures the test part, which is noted where the search lies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from journals import entries
from scipy import stats

from evonas_cli.cli.app import run
from evonas_cli.config.build import build
from evonas_cli.run.artifacts import load_network, read_artifact
from evonas_cli.run.stored import stored_config
from evonas_cli.store.directory import RunDirectory

SMALL = ("dataset=digits", "dataset.limit=200", "device=cpu", "evaluator=serial", "trainer.epochs=1", "--quiet")
SPACE = ("space=chain_cnn", "space.layers=3", "space.filters=[2,4]")
SEARCH = ("search", *SMALL, *SPACE, "strategy=random", "strategy.batch=4", "budget.evaluations=4")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("searched") / "run"
    assert run([*SEARCH, "trainer.max_parameters=400", "--run-dir", str(root)]) == 0
    return root


@pytest.fixture
def source(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "source"))


def openings(root: Path) -> list[dict[str, Any]]:
    path = root / "test_openings.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def error_on_test(root: Path, id: int) -> float:
    """Of the kept network on the data set's test part, computed anew."""
    directory = RunDirectory(root)
    config = stored_config(directory)
    images, labels = build(config["dataset"], "dataset").test(config["seed"])
    signature = read_artifact(directory, id).signature
    mean, std = (torch.tensor(values)[:, None, None] for values in (signature.mean, signature.std))
    with torch.no_grad():
        guesses = load_network(directory, id)((torch.tensor(images).float() - mean) / std).argmax(1)
    return (guesses != torch.tensor(labels)).float().mean().item()


def succeeded(root: Path) -> list[int]:
    return [entry["id"] for entry in entries(root) if entry["status"] == "ok"]


def test_a_search_reads_no_test_part(searched: Path) -> None:
    assert not any(name.startswith("test") for entry in entries(searched) for name in entry["metrics"])
    assert openings(searched) == []


def test_candidates_are_trained_again_with_several_seeds(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids, made = succeeded(source)[:2], tmp_path / "made"
    assert (
        run(["retrain", str(source), *map(str, ids), "trainer.epochs=2", "--run-dir", str(made), "-q", "--json"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    genomes = {entry["id"]: entry["genome"] for entry in entries(source)}
    again = entries(made)
    assert [entry["genome"] for entry in again] == [genomes[id] for id in ids for _ in range(3)]
    assert len({entry["seed"] for entry in again}) == 6 and len({entry["labels"]["state"] for entry in again}) == 6
    assert all(entry["metrics"]["epochs"] == 2 for entry in again)
    for place, found in enumerate(document["retrained"]):
        own = again[3 * place : 3 * place + 3]
        assert found["id"] == ids[place] and found["candidates"] == [entry["id"] for entry in own]
        assert list(found["metrics"]) == ["valid_error", "test_error"]
        for name, measured in found["metrics"].items():
            values = [entry["metrics"][name] for entry in own]
            mean, error = sum(values) / 3, stats.sem(values)
            assert measured["mean"] == pytest.approx(mean)
            expected = stats.t.interval(0.95, 2, mean, error) if error else (mean, mean)
            assert measured["interval"] == pytest.approx(expected)
    assert document["test_openings"] == 1
    assert again[4]["metrics"]["test_error"] == pytest.approx(error_on_test(made, 4))


def test_the_best_is_trained_again_when_nothing_is_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retrain", str(source), "--seeds", "1", "--run-dir", str(tmp_path / "made"), "-q"]) == 0
    head, row, said, path = capsys.readouterr().out.splitlines()
    able = [entry for entry in entries(source) if entry["status"] == "ok"]
    best = min(able, key=lambda entry: (entry["metrics"]["valid_error"], entry["metrics"]["parameters"]))
    assert head.split() == ["id", "seeds", "valid_error", "test_error"]
    assert row.split()[:2] == [str(best["id"]), "1"]
    assert said == f"test opened 1 time ({source}/test_openings.jsonl)"
    assert path == str(tmp_path / "made")


def test_each_reading_is_noted_in_the_search(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(["retrain", str(source), "front", "--seeds", "1", "--run-dir", str(first), "-q"]) == 0
    assert run(["retrain", str(first), "0", "--seeds", "2", "--run-dir", str(second), "-q"]) == 0
    noted = openings(source)
    assert [(line["run"], line["candidates"]) for line in noted] == [
        (str(first), len(entries(first))),
        (str(second), 2),
    ]
    assert all(line["when"] and isinstance(line["command"], list) for line in noted)
    assert openings(first) == openings(second) == []
    assert f"test opened 2 times ({source}/test_openings.jsonl)" in capsys.readouterr().out
    assert run(["verify", str(second), "--replay"]) == 0
    assert openings(source)[2]["command"] == ["verify", "--replay"]


def test_an_interrupted_one_is_resumed_like_any_other_run(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    words = ["retrain", str(source), "best", "--seeds", "2", "-q"]
    assert run([*words, "--run-dir", str(whole)]) == 0
    shutil.copytree(whole, broken)
    lines = (broken / "journal.jsonl").read_text().splitlines(keepends=True)
    (broken / "journal.jsonl").write_text(lines[0])
    capsys.readouterr()
    assert run(["resume", str(broken), "-q"]) == 0
    out = capsys.readouterr().out
    assert [e["metrics"]["test_error"] for e in entries(broken)] == [e["metrics"]["test_error"] for e in entries(whole)]
    assert openings(source)[1]["candidates"] == 1
    assert "test opened 2 times" in out and out.splitlines()[-1] == str(broken)
    assert run(["resume", str(broken), "-q"]) == 0
    assert len(openings(source)) == 2, "nothing was left to do, so nothing was read"


def test_a_space_may_scale_up_as_long_as_the_genome_stays_one(
    refused: Callable[..., str], source: Path, tmp_path: Path
) -> None:
    [id, *_] = succeeded(source)
    line = refused(2, "retrain", str(source), str(id), "space.filters=[64]", "--run-dir", str(tmp_path / "made"))
    assert f"candidate {id} has no network in the space with these settings: " in line
    assert not (tmp_path / "made").exists() and openings(source) == []


def test_nothing_is_read_where_it_cannot_be_noted(refused: Callable[..., str], source: Path, tmp_path: Path) -> None:
    (source / "test_openings.jsonl").mkdir()
    line = refused(3, "retrain", str(source), "--run-dir", str(tmp_path / "made"), "-q")
    assert "test_openings.jsonl is a folder" in line and not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("code", "words", "text"),
    [
        (2, ("foo",), "'foo' is no candidate; name ids, best, knee or front"),
        (2, ("-1",), "No such option: -1"),
        (3, ("99",), "has no candidate 99; it has 4, from id 0 on"),
        (3, ("9" * 18,), "has no candidate 9"),
        (2, ("--seeds", "0"), "--seeds is 0; it must be 1 or more"),
        (2, ("seed=1",), "seed decides which examples are the test part"),
        (2, ("dataset.test_fraction=0.3",), "dataset.test_fraction decides which examples are the test part"),
        (2, ("objectives=[test_error]",), "test_error is measured on the test part"),
        (2, ("strategy=random",), "a run keeps its strategy"),
        (2, ("trainer.nosuch=1",), "trainer has no key nosuch"),
    ],
)
def test_wrong_wishes_are_one_line(
    refused: Callable[..., str], source: Path, code: int, words: tuple[str, ...], text: str
) -> None:
    assert text in refused(code, "retrain", str(source), *words)
    assert openings(source) == [] and not Path("outputs").exists()


def test_failed_candidates_are_refused(refused: Callable[..., str], source: Path) -> None:
    [failed, *_] = [entry["id"] for entry in entries(source) if entry["status"] == "failed"]
    line = refused(3, "retrain", str(source), str(failed))
    assert f"candidate {failed} of {source} failed (over_cap: " in line


def test_a_run_without_success_has_nobody_to_train(
    refused: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(tmp_path / "vain")
    assert run([*SEARCH, "trainer.max_parameters=10", "--run-dir", root]) == 1
    capsys.readouterr()
    for word in ("best", "front"):
        assert "no candidate of" in refused(3, "retrain", root, word)


def test_jobs_without_networks_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    root = str(tmp_path / "toy")
    words = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=3", "-q")
    assert run([*words, "--run-dir", root]) == 0
    assert "the job Landscape of the run trains no networks" in refused(2, "retrain", root)


def test_a_search_must_not_measure_the_test_part(refused: Callable[..., str]) -> None:
    line = refused(2, *SEARCH, "job.test=true", "--run-dir", "run")
    assert "no search may see" in line and "`evonas retrain RUN`" in line
    assert not Path("run").exists()


def test_listed_genomes_without_a_source_note_readings_in_their_own_run(searched: Path, tmp_path: Path) -> None:
    genome = entries(searched)[succeeded(searched)[0]]["genome"]
    text = json.dumps([genome]).replace('"', "")
    words = [*("search", *SMALL, *SPACE, "strategy=listed", f"strategy.genomes={text}", "job.test=true")]
    assert run([*words, "--run-dir", str(tmp_path / "run")]) == 0
    [line] = openings(tmp_path / "run")
    assert line["candidates"] == 1


def test_all_parts_but_the_test_are_trained_on(
    refused: Callable[..., str], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made"
    assert run(["retrain", str(source), "--full", "--seeds", "2", "--run-dir", str(made), "-q"]) == 0
    head, row, legend, _, path = capsys.readouterr().out.splitlines()
    assert legend == "[low, high]: 95 % CI of the mean over the seeds (Student's t)"
    assert head.split() == ["id", "seeds", "test_error"] and row.split()[1] == "2" and path == str(made)
    again = entries(made)
    assert not any(name.startswith("valid") for entry in again for name in entry["metrics"])
    assert again[1]["metrics"]["test_error"] == pytest.approx(error_on_test(made, 1))
    assert run(["verify", str(made), "--replay"]) == 0
    assert run(["retrain", str(made), "0", "--seeds", "1", "--run-dir", str(tmp_path / "kept"), "-q"]) == 0
    assert "valid_error" in entries(tmp_path / "kept")[0]["metrics"]

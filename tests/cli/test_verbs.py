"""Every verb on a real run: what it prints, in which form, and with which code."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from evonas_cli.cli.app import run

TRAIN = (
    "search",
    "space=nasbench201",
    "space.channels=4",
    "strategy=regularized_evolution",
    "strategy.population_size=3",
    "budget.evaluations=6",
    "dataset.limit=300",
    "trainer.epochs=1",
    "evaluator=serial",
    "device=cpu",
    "snapshot.every=3",
    "window=1",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run of real trainings in outputs/ and one toy run."""
    folder = tmp_path_factory.mktemp("home")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run([*TRAIN, "run.name=real", "--quiet"]) == 0
        toy = ["search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=4", "run.name=toy"]
        assert run([*toy, "--quiet"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in that folder; returns stdout."""
    monkeypatch.chdir(home)

    def call(*words: str, code: int = 0) -> str:
        assert run(list(words)) == code, capsys.readouterr().err
        return capsys.readouterr().out

    return call


def real(home: Path) -> Path:
    [found] = home.glob("outputs/*/*-real")
    return found


def prefix(home: Path) -> str:
    return real(home).name[:6]


def test_the_last_line_of_search_is_the_runs_path(
    evonas: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = evonas("search", "space=bits", "job=landscape", "strategy=genetic", "budget.evaluations=30")
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"outputs/\d{4}-\d\d-\d\d/\d{6}-genetic-bits", last)
    assert (tmp_path / last / "run.json").exists()
    results = [text for text in done.stderr.splitlines() if "  candidate " in text]
    assert len(results) == 30
    assert re.search(r"\] [\d,.]+ candidates an hour, .* s each, workers idle \d+%$", done.stderr, re.MULTILINE)
    assert re.match(r"\[\d\d:\d\d:\d\d\] 1/30  candidate 0  valid_error 0\.\d+", results[0])
    quiet = evonas("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=3", "--quiet")
    assert quiet.stderr == ""


def test_search_json(say: Callable[..., str], tmp_path: Path) -> None:
    words = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=3")
    document = json.loads(say(*words, "--json", "--run-dir", str(tmp_path / "r")))
    assert document["schema"] == 1 and document["evaluations"] == 3 and document["run"] == str(tmp_path / "r")
    assert len(document["front"]) == 1


def test_a_run_holds_what_the_documentation_names(home: Path) -> None:
    names = {path.name for path in real(home).iterdir()}
    derived = {"populations", "fronts", "pareto.csv", "status.json", "snapshots"}
    assert names >= {"run.json", "config.yaml", "journal.jsonl", "lock"} | derived
    assert sorted(p.name for p in (real(home) / "populations").iterdir()) == ["2.json", "5.json"]
    population = json.loads((real(home) / "populations/5.json").read_text())
    assert [member["id"] for member in population["population"]] == [3, 4, 5]
    assert population["population"][0]["genome"].startswith("|")
    front = json.loads((real(home) / "fronts/5.json").read_text())
    assert front["objectives"] == ["valid_error", "parameters"]
    assert front["directions"] == {"valid_error": "min", "parameters": "min"}
    status = json.loads((real(home) / "status.json").read_text())
    assert status["state"] == "done" and status["evaluations"] == 6
    throughput = status["throughput"]
    assert set(throughput) == {
        "candidates_per_hour",
        "device_seconds_per_candidate",
        "share_training",
        "idle_share",
    }
    assert throughput["candidates_per_hour"] > 0 and 0 < throughput["share_training"] <= 1
    steps = [json.loads(line)["step"] for line in (real(home) / "throughput.jsonl").read_text().splitlines()]
    assert steps == list(range(6)) and 0 <= throughput["idle_share"] <= 1
    metadata = json.loads((real(home) / "run.json").read_text())
    assert metadata["environment"]["device"] == "cpu" and len(metadata["environment"]["data"]) == 64
    assert metadata["identity"]["evaluator.threads"] == 1 and "evaluator.workers" not in metadata["identity"]
    entries = [json.loads(line) for line in (real(home) / "journal.jsonl").read_text().splitlines()]
    assert all(0 <= e["metrics"]["valid_error"] <= 1 and e["metrics"]["epochs"] == 1 for e in entries)


def test_list_and_the_ways_to_name_a_run(say: Callable[..., str], home: Path) -> None:
    listed = json.loads(say("list", "--json"))["runs"]
    assert [r["run"].rpartition("-")[2] for r in listed][:2] == ["real", "toy"]
    assert "done" in say("list")
    by_path = say("pareto", str(real(home)), "--format", "json")
    relative = str(real(home).relative_to(home / "outputs"))
    for name in (real(home).name, relative, relative[:-2]):
        assert say("pareto", name, "--format", "json") == by_path
    assert json.loads(say("pareto", "latest", "--format", "json"))["front"] != json.loads(by_path)["front"]
    date = real(home).parent.name
    assert run(["pareto", date]) == 3


def test_pareto_in_three_forms(say: Callable[..., str], home: Path) -> None:
    document = json.loads(say("pareto", prefix(home) + "-real", "--format", "json"))
    assert document["schema"] == 1
    assert document["objectives"] == ["valid_error", "parameters"]
    assert json.loads(say("pareto", str(real(home)), "--json")) == document
    front = document["front"]
    assert all(set(m) >= {"id", "genome", "metrics"} for m in front)
    errors = [m["metrics"]["valid_error"] for m in front]
    sizes = [m["metrics"]["parameters"] for m in front]
    assert errors == sorted(errors) and sizes == sorted(sizes, reverse=True)
    text = say("pareto", str(real(home)), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["id"]) for row in rows] == [m["id"] for m in front]
    assert text == (real(home) / "pareto.csv").read_text()
    table = say("pareto", str(real(home))).splitlines()
    assert table[0].split()[:3] == ["id", "valid_error", "parameters"] and len(table) == len(front) + 1


def test_show_a_run_and_a_candidate(say: Callable[..., str], home: Path) -> None:
    text = say("show", str(real(home)))
    assert "state           done" in text and "strategy regularized_evolution" in text
    assert re.search(r"^throughput      [\d,.]+ candidates an hour, .*% of it training", text, re.MULTILINE)
    shown = json.loads(say("show", str(real(home)), "--json"))
    assert shown["evaluations"] == 6
    status = json.loads((real(home) / "status.json").read_text())
    assert shown["throughput"] == pytest.approx(status["throughput"], rel=0.02)
    candidate = say("show", str(real(home)), "4")
    assert "valid_error" in candidate and "parents" in candidate and "conv(" in candidate
    entry = json.loads(say("show", str(real(home)), "4", "--json"))["candidate"]
    assert entry["id"] == 4 and entry["parents"]


def test_verify_replays_to_the_same_bits(say: Callable[..., str], home: Path) -> None:
    document = json.loads(say("verify", str(real(home)), "--json", "--replay"))
    assert document["schema"] == 1 and document["ok"] is True and document["evaluations"] == 6
    assert re.fullmatch(r"[0-9a-f]{64}", document["digest"])
    assert say("verify", str(real(home))).startswith("ok: 6 evaluations, complete, digest ")


def test_verify_finds_a_result_that_does_not_come_out_again(
    say: Callable[..., str], home: Path, tmp_path: Path
) -> None:
    from evonas_cli.store.journal import line, parse

    copied = tmp_path / "copied"
    shutil.copytree(real(home), copied)
    lines = (copied / "journal.jsonl").read_bytes().splitlines(keepends=True)
    last: Any = parse(lines[-1])
    last.pop("crc", None)
    last["metrics"]["valid_loss"] += 1e-12
    (copied / "journal.jsonl").write_bytes(b"".join([*lines[:-1], line(last)]))
    say("verify", str(copied), "--repair")
    document = json.loads(say("verify", str(copied), "--replay", "--json", code=1))
    assert not document["ok"] and "valid_loss" in document["problems"][0]


def test_config_prints_what_search_would_use(say: Callable[..., str]) -> None:
    config = OmegaConf.create(say("config", "strategy=random", "seed=7"))
    assert config.seed == 7 and config.strategy._target_.endswith("RandomSearch") and config.window == 8
    assert say("search", "strategy=random", "seed=7", "--cfg", "job") == say("config", "strategy=random", "seed=7")
    everything = OmegaConf.create(say("search", "--cfg", "all"))
    assert everything.choices.strategy == "nsga2" and "seed" in everything.identity
    assert json.loads(say("config", "--json"))["window"] == 1
    assert "objectives  valid_error (min), parameters (min)" in say("search", "--dry-run")


def test_the_catalogue(say: Callable[..., str]) -> None:
    assert "genetic" in say("strategies") and "nasnet" in say("spaces") and "svhn" in say("datasets")
    shown = say("strategies", "genetic")
    assert "population_size: 20" in shown
    assert json.loads(say("datasets", "--json"))["dataset"]["digits"]["settings"]["flip"] is False


def test_sixty_four_candidates_with_workers_and_caps(say: Callable[..., str], tmp_path: Path) -> None:
    words = [word for word in TRAIN if word != "evaluator=serial"]
    say(*words, "--workers", "2", "trainer.max_parameters=6000", "--run-dir", str(tmp_path / "r"), "--quiet")
    entries = [json.loads(line) for line in (tmp_path / "r" / "journal.jsonl").read_text().splitlines()]
    failed = [e for e in entries if e["status"] == "failed"]
    assert len(entries) == 6 and failed
    assert all(e["error"]["kind"] == "over_cap" and "6000" in e["error"]["text"] for e in failed)
    assert all(e["metrics"]["parameters"] <= 6000 for e in entries if e["status"] == "ok")


def test_a_run_without_a_success_is_exit_1(say: Callable[..., str], tmp_path: Path) -> None:
    say(*TRAIN, "trainer.max_parameters=1", "--run-dir", str(tmp_path / "r"), "--quiet", code=1)
    assert json.loads((tmp_path / "r" / "status.json").read_text())["state"] == "failed"


def on_a_terminal(folder: Path, columns: int, *words: str) -> tuple[str, str]:
    """What is shown on stderr, without colours, and what is printed on stdout."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "evonas_cli", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=follower,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    out, _ = process.communicate(timeout=60)
    os.close(leader)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace")).replace("\r", ""), out.decode()


def test_the_board_on_a_terminal(tmp_path: Path) -> None:
    text, out = on_a_terminal(tmp_path, 120, *TRAIN, "--run-dir", "run")
    assert "best valid_error so far" in text and "evaluations/s" in text and "1 worker " in text
    assert "candidates an hour" in text and "of it training" in text
    assert out.splitlines()[-1] == "run"
    last = text.rpartition("╯")[2].split("\n")
    assert any(line.startswith("evonas: run: 6 evaluations in ") for line in last)


@pytest.mark.parametrize("columns", [60, 80])
def test_the_board_of_a_resumed_run_shows_its_whole_front(columns: int, home: Path, tmp_path: Path) -> None:
    shutil.copytree(real(home), tmp_path / "run")
    text, out = on_a_terminal(tmp_path, columns, "resume", "run", "budget.evaluations=8")
    board = text.rpartition("╭")[2].partition("╯")[0]
    front = [line.split()[:3] for line in out.splitlines()[:-1]]
    rows = [line.strip("│ ").split()[:3] for line in board.splitlines()]
    assert front[0] == ["id", "valid_error", "parameters"] and all(row in rows for row in front)

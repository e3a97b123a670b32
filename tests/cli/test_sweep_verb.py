"""`evonas sweep` on real searches: its table, its lines, its refusals, failing children, and one process at a time."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store.lock import Lock

TOY = ("space=chain_landscape", "job=landscape", "budget.evaluations=30")
FOUR = (*TOY, "strategy=random,regularized_evolution", "seed=0,1")
NAMES = [
    "000-strategy-random_seed-0",
    "001-strategy-random_seed-1",
    "002-strategy-regularized_evolution_seed-0",
    "003-strategy-regularized_evolution_seed-1",
]
BREAKING = (*TOY, "strategy=random", "evaluator=fake", "evaluator.break_after=5,null")
FAILING = """
from evonas_cli.core.types import Failure, Result
from evonas_cli.jobs.landscape import Landscape


class Hard(Landscape):
    def evaluate(self, unit, context):
        for candidate in unit.candidates:
            yield Result(candidate.id, "failed", error=Failure("hard", "too hard"))
"""

Evonas = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs words in an empty folder; returns stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        found = run(list(words))
        captured = capsys.readouterr()
        assert found == code, captured.err
        return captured.out, captured.err

    return call


def test_four_searches_from_one_line(evonas: Evonas, say: Callable[..., Any], tmp_path: Path) -> None:
    done = evonas("sweep", *FOUR, "--jobs", "2", "--name", "one")
    assert done.returncode == 0, done.stderr
    head, *rows, counts, last = done.stdout.splitlines()
    assert last == "outputs/sweep-one" and counts == "4 children: 4 done; 120 evaluations"
    assert head.split() == ["state", "evaluations", "best", "seconds", "child"]
    assert [row.split()[-1] for row in rows] == NAMES
    assert all(re.match(r" *done +30  valid_error 0\.\d+ +\d+\.\d  ", row) for row in rows)
    timed = [re.fullmatch(r"\[\d\d:\d\d:\d\d\] (\S+) (starts|done)\b(.*)", line) for line in done.stderr.splitlines()]
    assert sorted((m[1], m[2]) for m in timed if m) == sorted((n, e) for n in NAMES for e in ("starts", "done"))
    assert len(timed) == 8 and all(re.search(r"valid_error 0\.\d+  \d+\.\d s", m[3]) for m in timed if m[2] == "done")  # type: ignore[index]
    listed = json.loads(say("list", "--json")[0])["runs"]
    assert sorted(entry["run"] for entry in listed) == [f"sweep-one/{name}" for name in NAMES]
    assert all((tmp_path / last / f"{name}.log").read_text() == "" for name in NAMES)
    manifest = json.loads((tmp_path / last / "sweep.json").read_text())
    assert manifest["format"] == 1 and manifest["command"][:2] == ["sweep", TOY[0]]
    assert manifest["children"][1]["overrides"] == [*TOY, "strategy=random", "seed=1"]
    document = json.loads(say("sweep", "status", "one", "--json")[0])
    assert document["states"] == {"done": 4} and document["evaluations"] == 120 and not document["active"]
    for child in document["children"]:
        front = json.loads(say("pareto", child["run"], "--json")[0])["front"]
        assert child["best"] == front[0]["metrics"]["valid_error"] and child["objective"] == "valid_error"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("journal.jsonl")}
    out, err = say("sweep", "resume", str(tmp_path / last), "--quiet")
    assert err == "" and out.splitlines()[-2] == counts
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("journal.jsonl")}


def test_a_dry_run_starts_nothing(say: Callable[..., Any], tmp_path: Path) -> None:
    out, _ = say("sweep", *TOY, "strategy=random", "evaluator=pool", "seed=3,4", "--dry-run", "--workers=2")
    assert out.splitlines() == [
        *(
            f"{n:03d}-seed-{s}  {' '.join(TOY)} strategy=random evaluator=pool seed={s} evaluator.workers=2"
            for n, s in ((0, 3), (1, 4))
        ),
        "2 children",
    ]
    assert list(tmp_path.iterdir()) == []


def test_no_sweep_in_it_is_one_child(say: Callable[..., Any]) -> None:
    out, _ = say("sweep", *TOY, "strategy=random", "--json")
    document = json.loads(out)
    assert re.fullmatch(r"outputs/sweep-\d{4}-\d\d-\d\d-\d{6}", document["sweep"])
    [child] = document["children"]
    assert child["name"] == "000" and child["state"] == "done" and child["evaluations"] == 30


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (2, ("lr=interval(0,1)",), "is continuous"),
        (2, ("strategy=glob(zz*)",), "fits no strategy"),
        (2, ("strategy=random,genetik",), "child 001-strategy-genetik (strategy=genetik): there is no strategy"),
        (2, ("seed=1,2", "seed=3"), "seed is given twice"),
        (2, ("+seed=1,2",), "keys are neither added nor removed"),
        (2, (*TOY, "strategy=random", "window=1,0"), "window is 0"),
        (2, ("strategy=random", "space=nasbench201,bits"), "space=bits): job Train needs a space that is Buildable"),
        (2, ("seed=range(0,10001)",), "10,001 children"),
        (2, ("hydra.x=1,2",), "not used here"),
        (2, ("seed=1,2", "--jobs", "0"), "--jobs"),
        (2, ("seed=1,2", "--name", "a/b"), "--name is 'a/b'"),
        (2, ("seed=1,2", "--name", "a" * 101), "--name has 101 characters; 100 is the most"),
        (2, (*TOY, "window=0", "--keep-going"), "child 000 (space=chain_landscape job=landscape"),
        (2, (*TOY, "window=0,-1", "--keep-going"), "no child can run; child 000-window-0 ("),
        (2, (*TOY, "window=0,-1", "--keep-going", "--dry-run"), "no child can run; child 000-window-0 ("),
        (2, ("seed=1,2", "--config-dir", "nowhere"), "--config-dir nowhere is no folder"),
        (2, ("status",), "takes a sweep's name"),
        (2, ("resume", "a", "seed=1"), "takes a sweep's name"),
        (2, ("resume", "a", "--workers", "2"), "--workers does not go with `evonas sweep resume`"),
        (2, ("status", "a", "--keep-going"), "--keep-going does not go with"),
        (3, ("status", "a"), "no sweep 'a'"),
        (3, ("resume", "latest"), "there is no sweep under outputs/"),
    ],
)
def test_refused(code: int, words: tuple[str, ...], expected: str, refused: Callable[..., str], tmp_path: Path) -> None:
    assert expected in refused(code, "sweep", *words)
    assert list(tmp_path.iterdir()) == []


def test_search_points_to_sweep(refused: Callable[..., str]) -> None:
    assert "`evonas sweep`" in refused(2, "search", "seed=1,2")


def test_a_name_in_use(say: Callable[..., Any], refused: Callable[..., str]) -> None:
    say("sweep", *TOY, "strategy=random", "--name", "one", "--quiet")
    assert "`evonas sweep resume one` goes on" in refused(2, "sweep", "seed=1,2", "--name", "one")


def test_combinations_that_cannot_run_are_skipped_when_asked(say: Callable[..., Any]) -> None:
    words = ("sweep", *TOY, "strategy=random", "window=0,1", "--keep-going", "--name", "s")
    out, err = say(*words, "--dry-run")
    assert out.splitlines()[-1] == "1 children, 1 skipped" and out.startswith("001-window-1  ")
    out, err = say(*words)
    assert "child 000-window-0" in err and "is skipped: window is 0" in err
    assert "2 children: 1 done, 1 skipped; 30 evaluations" in out
    child = json.loads(say("sweep", "status", "s", "--json")[0])["children"][0]
    assert child["state"] == "skipped" and "window is 0" in child["refused"]
    assert "1 done, 1 skipped" in say("sweep", "resume", "s")[0]


def test_a_failure_stops_the_sweep_and_keep_going_does_not(say: Callable[..., Any], tmp_path: Path) -> None:
    out, err = say("sweep", *BREAKING, "--name", "b", "--quiet", code=4)
    assert "2 children: 1 interrupted, 1 waiting; 5 evaluations" in out
    assert "child 000-break_after-5 ended with code 4: the fake evaluator broke down" in err
    assert "1 children were not started; `evonas sweep resume b` starts them" in err
    assert "fake evaluator broke down" in (tmp_path / "outputs/sweep-b/000-break_after-5.log").read_text()
    out, err = say("sweep", "resume", "b", "--keep-going", "--quiet", code=1)
    assert "1 done, 1 interrupted; 40 evaluations" in out and "not started" not in err


def test_a_search_without_success_is_over_and_its_module_has_to_be_allowed_again(
    evonas: Evonas, tmp_path: Path
) -> None:
    (tmp_path / "hard_job.py").write_text(FAILING)
    (tmp_path / "own/job").mkdir(parents=True)
    text = "defaults:\n  - override /evaluator@_global_.evaluator: serial\n_target_: hard_job.Hard\nnoise: 0.0\n"
    (tmp_path / "own/job/hard.yaml").write_text(f"{text}_objectives_: [valid_error]\n")
    job = ("space=chain_landscape", "strategy=random", "budget.evaluations=5", "job=hard,landscape")
    trust = ("--allow-module", "hard_job")
    done = evonas("sweep", *job, "--config-dir", "own", *trust, "--name", "h", "--keep-going")
    assert done.returncode == 1, done.stderr
    assert "2 children: 1 done, 1 failed; 10 evaluations" in done.stdout
    assert "child 000-job-hard ended with code 1: none of the 5 candidates succeeded" in done.stderr
    refused = evonas("sweep", "resume", "h")
    assert refused.returncode == 2 and "pass --allow-module hard_job" in refused.stderr
    again = evonas("sweep", "resume", "h", *trust)
    assert again.returncode == 1 and "1 done, 1 failed; 10 evaluations" in again.stdout and "starts" not in again.stderr


def test_one_process_at_a_time(say: Callable[..., Any], refused: Callable[..., str]) -> None:
    say("sweep", *TOY, "strategy=random", "--name", "one", "--quiet")
    lock = Lock(Path("outputs/sweep-one/lock"))
    try:
        assert "outputs/sweep-one is in use by process" in refused(75, "sweep", "resume", "one")
        assert json.loads(say("sweep", "status", "one", "--json")[0])["active"] is True
    finally:
        lock.release()
    say("sweep", "resume", "one")


def test_values_with_spaces_and_quotes_reach_the_children(say: Callable[..., Any]) -> None:
    say(
        "sweep", *TOY, "strategy=random", "objectives=[valid_error],[valid_error, true_error]", "--name", "q", "--quiet"
    )
    children = json.loads(say("sweep", "status", "q", "--json")[0])["children"]
    fronts = [json.loads(say("pareto", child["run"], "--json")[0])["objectives"] for child in children]
    assert fronts == [["valid_error"], ["valid_error", "true_error"]]


def test_folders_that_changed_places_are_found(say: Callable[..., Any], refused: Callable[..., str]) -> None:
    say("sweep", *TOY, "strategy=random", "seed=0,1", "--name", "s", "--quiet")
    root = Path("outputs/sweep-s")
    swap = (("000-seed-0", "x"), ("001-seed-1", "000-seed-0"), ("x", "001-seed-1"))
    for old, new in swap:
        (root / old).rename(root / new)
    out, err = say("sweep", "status", "s")
    assert "2 children: 2 foreign;" in out
    assert err.splitlines() == [
        f"evonas: outputs/sweep-s/00{n}-seed-{n} is another search's folder, made with seed={1 - n}; "
        "give each folder of the sweep the name back that it had"
        for n in (0, 1)
    ]
    assert "000-seed-0 is another search's folder, made with seed=1;" in refused(3, "sweep", "resume", "s")
    for new, old in reversed(swap):
        (root / old).rename(root / new)
    assert "2 children: 2 done;" in say("sweep", "resume", "s")[0] and say("sweep", "status", "s")[1] == ""


def test_help_names_its_three_forms(say: Callable[..., Any]) -> None:
    out, _ = say("sweep", "--help")
    assert "OVERRIDES|status NAME|resume NAME" in out and "--keep-going" in out

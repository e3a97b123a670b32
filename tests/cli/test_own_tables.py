"""Own tables, texts and piano rolls: a search on each, and one line for what cannot be used, before a run begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

FAST = ("strategy=random", "evaluator=serial", "device=cpu", "trainer=adamw", "trainer.epochs=1", "trainer.stack=1")
N = 40


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inputs, in a folder of their own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    rows = [(f"{n * n % 17}.5", "a b" if n % 2 else "c d e", "uv"[n % 2], f"{n % 7}.25") for n in range(N)]
    lines = [",".join(row) for row in [("number", "words", "letter", "other"), *rows]]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    Path("bare.csv").write_text("\n".join(lines[1:]) + "\n")
    Path("none.csv").write_text("")
    Path("line.csv").write_text("a," * 600_000)
    piece = [[60 + n % 5, 64] for n in range(12)]
    Path("rolls.json").write_text(json.dumps({part: [piece, piece[::-1]] for part in ("train", "valid", "test")}))


@pytest.mark.parametrize(
    ("words", "kind", "metric"),
    [
        (("space=mlp", "dataset=csv", "dataset.path=t.csv", "dataset.target=letter"), "classes", "valid_error"),
        (("space=mlp", "dataset=csv", "dataset.path=t.csv", "dataset.target=[other]"), "numbers", "valid_loss"),
        (
            (
                "space=sequence_net",
                "dataset=text_csv",
                "dataset.path=t.csv",
                "dataset.text=words",
                "dataset.target=letter",
            ),
            "classes",
            "valid_error",
        ),
        (("space=sequence_net", "dataset=chorales", "dataset.path=rolls.json", "dataset.steps=4"), None, "valid_auroc"),
    ],
    ids=["classes", "numbers", "texts", "rolls"],
)
def test_search(words: tuple[str, ...], kind: str | None, metric: str) -> None:
    assert run(["search", *words, *FAST, "budget.evaluations=2", "--run-dir", "run", "--quiet"]) == 0
    config = Path("run/config.yaml").read_text()
    assert "auto" not in [line.split(": ")[-1] for line in config.splitlines() if "fraction" in line or "kind" in line]
    assert kind is None or f"kind: {kind}" in config
    entries = [json.loads(line) for line in Path("run/journal.jsonl").read_text().splitlines()]
    assert sum(metric in entry.get("metrics", {}) for entry in entries) == 2
    assert run(["verify", "run", "--replay"]) == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("dataset.target=lettr",), "t.csv has no column 'lettr' (dataset.target); did you mean letter?"),
        (("dataset.target=letter", "dataset.kind=numbers"), "'u' in line 2"),
        (("dataset.target=letter", "dataset.path=none.csv"), "none.csv is empty"),
        (("dataset.target=letter", "dataset.path=bare.csv"), "looks like data"),
        (("dataset.target=letter", "dataset.path=line.csv"), "no line ends in the first 1048576 bytes"),
        (("dataset.target=letter", "dataset.path=absent.csv"), "absent.csv not found"),
        (("dataset.target=letter", "dataset.path=."), ". is a folder; pass dataset.path=FILE.csv"),
    ],
    ids=["column", "kind", "empty", "header", "line", "absent", "folder"],
)
@pytest.mark.parametrize("dry", [True, False])
def test_refused_before_a_run_begins(refused: Callable[..., str], words: tuple[str, ...], what: str, dry: bool) -> None:
    common = ["search", "space=mlp", "dataset=csv", "dataset.path=t.csv", *FAST, *(["--dry-run"] if dry else [])]
    given = [word for word in common if word.split("=")[0] not in {other.split("=")[0] for other in words}]
    assert what in refused(2, *given, *words)
    assert not Path("outputs").exists()

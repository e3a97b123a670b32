"""Runs of job=captions: the caption table in show and in reports, retraining, and what is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

SEARCH = ("search", "job=captions", "strategy=random", "evaluator=serial", "device=cpu", "--quiet")
SMALL = (
    *("dataset.n_train=64", "dataset.n_valid=12", "dataset.n_test=12", "trainer.epochs=1", "budget.evaluations=2"),
    *("job.scores=[bleu1,token_accuracy]", "space.channels=[4]", "space.widths=[16]"),
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("captions") / "run"
    assert run([*SEARCH, *SMALL, "dedupe=function", "--run-dir", str(root)]) == 0
    return root


def test_show_prints_the_caption_table(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [first, *_] = [json.loads(line) for line in (searched / "journal.jsonl").read_text().splitlines()]
    assert run(["show", str(searched), "0"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    rows = lines[lines.index("captions of the first images of the validation part") + 1 :]
    assert rows[0].split()[:2] == ["1", "candidate"] and first["payload"]["captions"][0] in rows[0]
    assert rows[1].split()[0] == "baseline" and first["payload"]["baseline"][0] in rows[1]
    assert [row.split()[0] for row in rows[2:7]] == ["reference"] * 5 and " a " in rows[2]
    assert "picture(channels=3" in printed and "payload" not in printed


def test_reports_draw_images_beside_their_captions(searched: Path, tmp_path: Path) -> None:
    page, document = tmp_path / "page.html", tmp_path / "page.json"
    assert run(["report", str(searched), "--out", str(page)]) == 0
    assert run(["report", str(searched), "--format", "json", "--out", str(document)]) == 0
    [found] = json.loads(document.read_text())["runs"]
    table = found["captioned"]
    assert table["id"] == found["best"] and table["problem"] is None and len(table["captions"]) == 8
    assert all(len(one["references"]) == 5 and one["image"]["shape"] == [3, 20, 20] for one in table["captions"])
    section = page.read_text().partition('<section id="captions">')[2].partition("</section>")[0]
    assert section.count("<svg") == 8 and table["captions"][0]["references"][0] in section
    assert found["networks"][0]["plan"] is not None


def test_other_data_has_no_references(searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in searched.iterdir():
        if path.is_file():
            (changed / path.name).write_bytes(path.read_bytes())
    about = json.loads((changed / "run.json").read_text())
    about["environment"]["data"] = "0" * 64
    (changed / "run.json").write_text(json.dumps(about))
    assert run(["show", str(changed), "0"]) == 0
    printed = capsys.readouterr().out
    assert "no references: the run was made with other data" in printed and "baseline" in printed
    assert "  reference  " not in printed
    assert run(["report", str(changed), "--out", str(tmp_path / "page.html")]) == 0
    assert "no images: the run was made with other data" in (tmp_path / "page.html").read_text()


def test_winners_are_trained_again_and_measured_on_the_test_part(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    again = tmp_path / "again"
    assert run(["retrain", str(searched), "--seeds", "2", "--run-dir", str(again), "--quiet"]) == 0
    assert "test_relative" in capsys.readouterr().out
    assert (searched / "test_openings.jsonl").read_text().count("\n") == 1
    line = refused(2, "export", str(again), "0", "--format", "dir", "-o", str(tmp_path / "out"))
    assert "is a network of the job Captions, and the forms of export hold" in line
    line = refused(2, "retrain", str(searched), "--full", "--run-dir", str(tmp_path / "full"))
    assert "the job Captions cannot train on the validation part" in line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("dataset=copy",), "job=captions reads images with captions, which the dataset Copy has not; pass dataset="),
        (("space=mlp",), "needs a space that is Captioning, which Mlp is not; spaces that are: captioner"),
        (("job.scores=[bleu9]",), "job.scores has 'bleu9'; it may have bleu1"),
        (("job.scores=[]",), "job.scores is []; name one score or more, each once"),
        (("job.hidden=0",), "job.hidden has 0; it must be an integer of at least 1"),
        (("job.channels=[8,0]",), "job.channels has 0; it must be"),
        (("trainer.class_weights=balanced",), "trainer.class_weights=balanced means nothing to job=captions; set"),
        (("trainer.keep=best", "trainer.validate_every=1"), "trainer.keep=best means nothing to job=captions"),
        (("dataset.n_train=2",), "has the word 'under', which no training caption has; give the training part"),
        (("dataset.references=0",), "dataset.references is 0; it must be an integer of at least 1"),
        (("job=train", "space=nasbench201", "dataset=caption_scenes"), "pass dataset=digits (or mnist, cifar10, npz"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    words: tuple[str, ...], line: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    given = {word.partition("=")[0]: word for word in (*SEARCH[1:-1], *words)}
    found = refused(2, "search", *given.values(), "--quiet", "--run-dir", str(tmp_path / "run"))
    assert line in found, found

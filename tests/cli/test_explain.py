"""`evonas explain`: the explanation of a candidate, its place in the run and in the report, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import best

from evonas_cli.cli.app import run
from evonas_cli.core.errors import EvonasError


@pytest.fixture(scope="module")
def explained(saved_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the search whose best candidate is explained, and the page about it."""
    folder = tmp_path_factory.mktemp("explained")
    root = Path(shutil.copytree(saved_run, folder / "found"))
    (root / "test_openings.jsonl").unlink(missing_ok=True)  # of other tests, which share the search
    words = ("--seeds", "2", "--parts", "1", "--epochs", "1", "-q")
    assert run(["explain", str(root), *words, "-o", str(folder / "page.html")]) == 0
    return root, folder / "page.html"


def read(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (root / "candidates" / str(best(root)["id"]) / "explanation.json").read_text()
    )
    return document["explanation"]


def test_it_measures_what_the_search_measured_and_leaves_the_test_part_closed(explained: tuple[Path, Path]) -> None:
    root, _ = explained
    found, entry = read(root), best(root)
    assert found["candidate"] == entry["id"] and found["kind"] == "classes"
    assert found["metrics"]["valid_error"] == pytest.approx(entry["metrics"]["valid_error"], abs=0.021)
    trained_in = json.loads((root / "run.json").read_text())["environment"]["precision"]
    assert found["trained_in"] == trained_in and found["precision"] in (trained_in, "fp32")
    assert sum(map(sum, found["confusion"]["matrix"])) == found["examples"] == 50
    wrong = sum(sum(row) for row in found["confusion"]["matrix"]) - sum(
        found["confusion"]["matrix"][k][k] for k in range(10)
    )
    assert wrong / 50 == pytest.approx(found["metrics"]["valid_error"])
    assert 1 - found["calibration"]["accuracy"] == pytest.approx(found["metrics"]["valid_error"])
    assert [len(row["values"]) for row in found["ablation"]["parts"]] == [2]
    assert found["genes"]["said"] == "the run has 4 candidates of full training with valid_error; 20 are needed"
    assert found["spending"]["energy_j"] is None or found["spending"]["energy_said"] == ""
    assert not list(root.glob("test_openings*"))


def test_the_page_loads_nothing_and_shows_each_section(explained: tuple[Path, Path]) -> None:
    text = explained[1].read_text()
    heads = re.findall(r"<h4>([^<]*)</h4>", text)
    wanted = ["Calibration", "Confusions", "Worst examples", "What an answer depends on", "Ablation"]
    assert heads == [*wanted, "Which genes matter", "What it cost"]
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    assert text.count("data:image/png;base64,") >= 8


def test_the_report_has_the_section_and_the_run_stays_whole(explained: tuple[Path, Path], capsys: Any) -> None:
    root, page = explained
    assert run(["report", str(root), "-o", str(page.with_name("report.html"))]) == 0
    text = page.with_name("report.html").read_text()
    assert f"<h3>Candidate {best(root)['id']}</h3>" in text and "<h4>Ablation</h4>" in text
    assert run(["verify", str(root)]) == 0
    assert run(["clean", "--outputs", str(root), "--weights"]) == 0
    assert "explanation" not in capsys.readouterr().out


def test_a_damaged_or_foreign_explanation_is_said_and_not_shown(explained: tuple[Path, Path], tmp_path: Path) -> None:
    root = Path(shutil.copytree(explained[0], tmp_path / "found"))
    path = root / "candidates" / str(best(root)["id"]) / "explanation.json"
    whole = path.read_text()

    def said() -> str:
        assert run(["report", str(root), "-o", str(tmp_path / "report.html")]) == 0
        text = (tmp_path / "report.html").read_text()
        assert "<h4>" not in text
        return text

    path.write_text(whole.replace('"ece":', '"ecc":'))
    assert "explanation.json is damaged; `evonas explain" in said()
    path.write_text("{")
    assert "explanation.json is damaged" in said()
    path.write_text(json.dumps(json.loads(whole) | {"format": 9}))
    assert "was written by another version of evonas" in said()
    other = json.loads(whole)["explanation"] | {"candidate": 99}
    from evonas_cli.report.explained import sealed

    path.write_text(json.dumps(sealed(other)))
    assert "is of another run or candidate" in said()


def test_a_detector_has_neither_calibration_nor_confusions(tmp_path: Path) -> None:
    data = ("dataset=scenes", "dataset.size=16", "dataset.n_train=20", "dataset.n_valid=10", "dataset.n_test=10")
    training = ("trainer.epochs=1", "trainer.save_state=true", "device=cpu", "evaluator=serial")
    words = ("space=backbone", "space.channels=2", "strategy=random", "budget.evaluations=1", *data, *training)
    assert run(["search", *words, "--quiet", "--run-dir", str(tmp_path / "found")]) == 0
    assert run(["explain", str(tmp_path / "found"), "--no-ablation", "-q", "-o", str(tmp_path / "page.html")]) == 0
    found = json.loads((tmp_path / "found/candidates/0/explanation.json").read_text())["explanation"]
    assert found["kind"] == "boxes" and "valid_map50" in found["metrics"]
    assert found["calibration"] == {"said": "calibration is of classes and labels, and these are boxes"}
    assert "said" in found["confusion"] and "said" in found["sensitivity"] and "residuals" not in found


def test_what_cannot_be_explained_is_refused(saved_run: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    assert "--seeds is 0; it must be 1 or more" in refused(2, "explain", str(saved_run), "--seeds", "0")
    assert "there is no folder" in refused(2, "explain", str(saved_run), "-o", "nowhere/page.html")
    assert "one is explained at a time" in refused(2, "explain", str(saved_run), "front")
    toy = (
        "search",
        "space=bits",
        "job=landscape",
        "strategy=random",
        "budget.evaluations=2",
        "--quiet",
        "--run-dir",
        str(tmp_path / "toy"),
    )
    assert run(list(toy)) == 0
    assert "are no networks of layers" in refused(2, "explain", str(tmp_path / "toy"))
    bare = Path(shutil.copytree(saved_run, tmp_path / "bare"))
    shutil.rmtree(bare / "candidates")
    assert "`evonas retrain" in refused(EvonasError.exit_code + 2, "explain", str(bare))

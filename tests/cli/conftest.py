"""Running the command in this process: expecting it to refuse; a search whose weights are exported; a browser."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.cli.app import run
from evonas_cli.data.digits import Digits

SMALL = ("dataset=digits", "dataset.limit=200", "device=cpu", "evaluator=serial", "trainer.epochs=1", "--quiet")
SPACE = ("space=chain_cnn", "space.layers=2", "space.filters=[2,4]", "trainer.max_parameters=400")
SEARCH = (
    "search",
    *SMALL,
    *SPACE,
    "trainer.precision=fp32",
    "strategy=random",
    "strategy.batch=4",
    "budget.evaluations=4",
)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in this process in an empty folder; returns the one line on stderr after checking the code."""
    monkeypatch.chdir(tmp_path)

    def check(code: int, *words: str) -> str:
        assert run(list(words)) == code, capsys.readouterr().err
        error = capsys.readouterr().err
        lines = [line for line in error.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, error
        assert lines[0].startswith("evonas: ") and "Traceback" not in error
        return lines[0]

    return check


@pytest.fixture(scope="session")
def saved_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of four candidates that has kept their weights; readings of its test part may be noted in it."""
    root = tmp_path_factory.mktemp("searched") / "found"
    assert run([*SEARCH, "trainer.save_state=true", "--run-dir", str(root)]) == 0
    return root


@pytest.fixture(scope="session")
def model(saved_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best network of that search, exported to a folder. No test changes it."""
    folder = tmp_path_factory.mktemp("model") / "model"
    assert run(["export", str(saved_run), "best", "--format", "dir,py", "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The first digits, as a person would save them."""
    arrays = Digits(valid_fraction=0.1, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0).read()
    np.savez(tmp_path / "digits.npz", x=arrays.x_train[:50, 0], y=arrays.y_train[:50])
    return tmp_path / "digits.npz"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, started once; skipped where it or its driver is not installed."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed: the page is not tried in a browser")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (extra `test`)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    flags = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
    with tempfile.TemporaryDirectory() as folder:
        for flag in (*flags, "disable-component-update", "disable-sync", f"user-data-dir={folder}"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        try:
            yield found
        finally:
            found.quit()

"""Each data set looks for its files when the job asks, without torch and without reading them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.sources import Placed
from evonas_cli.run.assembly import Parts

LANGUAGE = ("job=language", "space=rnn_cell")
Compose = Callable[..., Parts]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("dataset=npz", "dataset.path=PLACE"), "absent not found; pass dataset.path=FILE.npz"),
        (("dataset=folder", "dataset.root=PLACE"), "absent not found; put the images into"),
        (("dataset=cifar100", "dataset.root=PLACE", "dataset.download=false"), "no cifar-100-python"),
        (("dataset=svhn", "dataset.root=PLACE", "dataset.download=false"), "no train_32x32.mat"),
        (("dataset=mnist", "dataset.root=PLACE", "dataset.download=false"), "MNIST not found"),
        ((*LANGUAGE, "dataset=text", "dataset.path=PLACE"), "absent not found; pass dataset.path=FILE.txt"),
        (("job=table", "job.path=PLACE"), "absent not found; pass job.path=FILE.csv"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, compose_parts: Compose, words: tuple[str, ...], text: str) -> None:
    known = ["dataset.size=8", "dataset.kind=classes", "dataset.layout=image"]
    own = {"dataset=npz": known[1:], "dataset=folder": known[:1]}.get(words[0], [])
    fractions = ["dataset.valid_fraction=0.1", "dataset.test_fraction=0.1"] if own else []
    placed = [word.replace("PLACE", str(tmp_path / "absent")) for word in words]
    job = compose_parts(*placed, *own, *fractions).job
    assert isinstance(job, Placed)
    with pytest.raises(UsageError, match=text):
        job.check_there()


@pytest.mark.parametrize("words", [("dataset=npz", "dataset.path=PLACE"), ("dataset=folder", "dataset.path=PLACE")])
def test_settings_that_follow_from_the_data_need_it(
    tmp_path: Path, compose_parts: Compose, words: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="absent not found"):
        compose_parts(*[word.replace("PLACE", str(tmp_path / "absent")) for word in words])


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cifar100", "svhn"])
def test_what_may_be_fetched_may_be_missing(tmp_path: Path, compose_parts: Compose, name: str) -> None:
    job = compose_parts(f"dataset={name}", f"dataset.root={tmp_path / 'absent'}", "dataset.download=true").job
    job.check_there()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("dataset=digits",), LANGUAGE])
def test_what_is_made_or_carried_is_there(compose_parts: Compose, words: tuple[str, ...]) -> None:
    compose_parts(*words).job.check_there()  # type: ignore[attr-defined]


def test_looking_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    code = (
        "import sys\nfrom evonas_cli.config.compose import compose\nfrom evonas_cli.run.assembly import assemble\n"
        f"words = ['dataset=cifar10', 'dataset.root={tmp_path}', 'dataset.download=false']\n"
        "assemble(compose(words).config).job.check_there()\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

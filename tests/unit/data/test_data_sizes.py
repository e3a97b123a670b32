"""The sizes of the parts, which a look at the targets tells, are those that are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_data_idx import write_set

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.run.assembly import resolved

RNG = np.random.default_rng(0)


def npz(folder: Path) -> tuple[str, ...]:
    x, y = RNG.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 3
    np.savez(folder / "d.npz", x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])
    return "dataset=npz", f"dataset.path={folder / 'd.npz'}"


def csv(folder: Path) -> tuple[str, ...]:
    rows = [f"{a:.3f},{b:.3f},{'u' if a > b else 'v'}" for a, b in RNG.normal(size=(70, 2))]
    (folder / "d.csv").write_text("\n".join(["a,b,c", *rows]))
    return "dataset=csv", f"dataset.path={folder / 'd.csv'}", "dataset.target=c"


def images(folder: Path) -> tuple[str, ...]:
    for name in ("cat", "dog"):
        (folder / "train" / name).mkdir(parents=True)
        for n in range(20):
            pixels = RNG.integers(0, 256, (4, 4, 3), np.uint8)
            Image.fromarray(pixels).save(folder / "train" / name / f"{n}.png")
    return "dataset=folder", f"dataset.path={folder}"


def digits(folder: Path) -> tuple[str, ...]:
    return "dataset=digits", "dataset.limit=300"


def mnist(folder: Path) -> tuple[str, ...]:
    write_set(folder / "MNIST" / "raw", packed=True, n_train=60)
    return "dataset=mnist", f"dataset.root={folder}"


@pytest.mark.parametrize("make", [npz, csv, images, digits, mnist])
def test_sizes_are_known_before_the_inputs_are_read(make: Callable[[Path], tuple[str, ...]], tmp_path: Path) -> None:
    config = resolved(compose(make(tmp_path)).config)
    source = build(config["dataset"], "dataset")
    splits = source.prepare(5)
    found = {"train": len(splits.y_train), "valid": len(splits.y_valid), "test": len(source.test(5)[1])}
    assert source.looked_up_sizes(5) == found


def test_files_that_are_yet_to_be_downloaded_have_no_size(tmp_path: Path) -> None:
    config = compose(["dataset=mnist", f"dataset.root={tmp_path}", "dataset.download=true"]).config
    assert build(config["dataset"], "dataset").looked_up_sizes(0) is None

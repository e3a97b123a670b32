"""Own data in folders of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data.folder import Folder
from evonas_cli.network.task import Task

COMMON = dict(valid_fraction=0.25, test_fraction=0.25, limit=None, crop=0, flip=False, cutout=0)
COLOURS = {"blue": (0, 0, 200), "red": (200, 0, 0)}


def write_images(
    folder: Path, n: int = 8, size: tuple[int, int] = (6, 4), names: tuple[str, ...] = ("blue", "red")
) -> None:
    """`n` PNG files a class; `size` is width, height."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.new("RGB", size, COLOURS.get(name, (0, 9, 0))).save(folder / name / f"{i}.png")


def dataset(root: Path, **settings) -> Folder:
    return Folder(**{"root": str(root), "size": None, **COMMON, **settings})


def test_images_become_arrays(tmp_path):
    write_images(tmp_path / "train")
    arrays = dataset(tmp_path).read()
    assert arrays.x_train.shape == (16, 3, 4, 6)
    assert arrays.x_train.dtype == np.uint8
    for x, y in zip(arrays.x_train, arrays.y_train, strict=True):
        assert x[:, 0, 0].tolist() == list(COLOURS[("blue", "red")[y]])


def test_size_resizes(tmp_path):
    write_images(tmp_path / "train", n=4, size=(6, 4))
    Image.new("L", (30, 20), 7).save(tmp_path / "train/red/grey.png")
    with pytest.raises(UsageError, match=r"has images of 2 sizes.*pass dataset.size=32"):
        dataset(tmp_path).read()
    assert dataset(tmp_path, size=5).task() == Task(inputs=(3, 5, 5), outputs=2)


def test_test_and_val_folders_are_the_parts_of_their_names(tmp_path):
    for part, n in (("train", 8), ("test", 3), ("val", 2)):
        write_images(tmp_path / part, n)
    own = dataset(tmp_path, valid_fraction=None, test_fraction=None)
    splits = own.prepare(0)
    assert (len(splits.y_train), len(splits.y_valid), len(own.test(0)[1])) == (16, 4, 6)


def test_bad_folders_are_refused_in_one_line(tmp_path):
    write_images(tmp_path / "classes/train")
    write_images(tmp_path / "classes/test", names=("blue", "green"))
    (tmp_path / "empty/train").mkdir(parents=True)
    (tmp_path / "hollow/train/red").mkdir(parents=True)
    write_images(tmp_path / "damaged/train")
    (tmp_path / "damaged/train/red/0.png").write_bytes(b"no image")
    for name, text in (
        ("absent", "absent not found; put the images into"),
        ("classes", "differ in the classes green, red"),
        ("empty", "empty/train is no folder of <class>/<image> files"),
        ("hollow", "train/red is no folder of <class>/<image> files"),
        ("damaged", "damaged/train/red/0.png cannot be read as an image"),
    ):
        with pytest.raises(UsageError, match=text) as error:
            dataset(tmp_path / name, test_fraction=None).read()
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="dataset.path is not set"):
        Folder(**{**COMMON, "root": None, "size": None}).read()
    with pytest.raises(UsageError, match="dataset.size is 0"):
        dataset(tmp_path, size=0)

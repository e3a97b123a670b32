"""Folders of images as people have them: flat, in parts, nested, of several sizes, with damaged files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data.folder import Folder

COMMON: dict[str, Any] = dict(
    valid_fraction="auto", test_fraction="auto", limit=None, crop=0, flip=False, cutout=0, size="auto"
)


def fill(folder: Path, n: int = 10, size: tuple[int, int] = (6, 4), classes: tuple[str, ...] = ("cat", "dog")) -> None:
    """`n` noisy images a class; `size` is width, height."""
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for _ in range(n):
            number = len(list((folder / name).iterdir()))
            Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(folder / name / f"{number}.png")


def dataset(path: Path, **settings: Any) -> Folder:
    return Folder(**{"path": str(path), **COMMON, **settings})


def test_a_flat_folder_is_divided_without_being_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    fill(tmp_path)
    own = dataset(tmp_path)
    assert own.resolved() == {"valid_fraction": 0.1, "test_fraction": 0.2, "size": None}
    with caplog.at_level(logging.INFO):
        own.prepare(0)
    assert caplog.messages == [f"{tmp_path}: images 3x4x6, 2 classes (cat, dog); 14 to train, 2 to validate, 4 to test"]
    (tmp_path / "parts").mkdir()
    fill(tmp_path / "parts/train")
    assert dataset(tmp_path / "parts").fingerprint(3) == own_of(tmp_path, "flat").fingerprint(3)


def own_of(path: Path, name: str) -> Folder:
    fill(path / name)
    return dataset(path / name)


@pytest.mark.parametrize("parts", [("train",), ("train", "valid"), ("train", "test"), ("train", "validation", "test")])
def test_parts_that_are_missing_are_split_off(tmp_path: Path, parts: tuple[str, ...]):
    for number, part in enumerate(parts):
        fill(tmp_path / part, n=20 - number)
    own = dataset(tmp_path)
    values = own.resolved()
    assert (values["test_fraction"] is None) == ("test" in parts)
    assert (values["valid_fraction"] is None) == (parts[-1] in ("valid",) or "validation" in parts)
    assert len(own.prepare(0).y_valid) == (38 if len(parts) > 1 and parts[1] != "test" else 3 if len(parts) == 1 else 4)


def test_root_is_another_name_of_path(tmp_path: Path):
    fill(tmp_path)
    assert dataset(tmp_path).fingerprint(0) == Folder(root=str(tmp_path), **COMMON).fingerprint(0)
    with pytest.raises(UsageError, match=r"dataset.path and dataset.root are two names"):
        dataset(tmp_path, root=str(tmp_path))


def test_parts_without_one_to_train_on_are_refused(tmp_path: Path):
    fill(tmp_path / "test")
    with pytest.raises(UsageError, match="has test, but no train; put the images to train on into"):
        dataset(tmp_path).check_there()


def test_a_class_may_have_the_name_of_a_part(tmp_path: Path):
    fill(tmp_path, classes=("test", "trial"))
    assert dataset(tmp_path).prepare(0).names == ("test", "trial")


def test_folders_beside_the_parts_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    fill(tmp_path / "train")
    (tmp_path / "masks").mkdir()
    with caplog.at_level(logging.INFO):
        dataset(tmp_path).prepare(0)
    assert "; folders beside the parts are left out: masks" in caplog.messages[0]


def test_nested_folders_are_refused_or_become_classes_of_their_own(tmp_path: Path):
    fill(tmp_path, classes=("animals/cat", "animals/dog", "plants"))
    with pytest.raises(UsageError, match=r"animals holds folders \(cat, dog\).* pass dataset.nested=true"):
        dataset(tmp_path).check_there()
    assert dataset(tmp_path, nested=True).prepare(0).names == ("animals/cat", "animals/dog", "plants")
    (tmp_path / "plants/loop").symlink_to("..")
    with pytest.raises(UsageError, match=r"plants/loop is a link to .*, a folder above it; remove it"):
        dataset(tmp_path, nested=True).check_there()


@pytest.mark.parametrize(
    ("classes", "n", "text"),
    [
        (("cat",), 9, "holds one class, cat; there is nothing to tell apart"),
        (("cat", "dog"), 2, "class cat has 2 of the 4 examples, but they are divided into 3 parts"),
        ((), 0, "there is no folder in it"),
    ],
)
def test_what_cannot_be_told_apart_is_found_before_any_image_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: tuple[str, ...], n: int, text: str
):
    fill(tmp_path, n, classes=classes)
    monkeypatch.setattr("evonas_cli.data.folder.read_picture", None)
    with pytest.raises(UsageError, match=text) as error:
        dataset(tmp_path).check_there()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(6, 4)], None),
        ([(64, 64)], None),
        ([(80, 80)], 64),
        ([(6, 4), (6, 4), (9, 9)], 5),
        ([(9, 9), (6, 4)], 5),
        ([(200, 100), (200, 100), (8, 8)], 64),
    ],
)
def test_the_size_is_the_commonest_and_at_most_64(tmp_path: Path, sizes: list[tuple[int, int]], expected: int | None):
    for size in sizes:
        fill(tmp_path, 3, size)
    own = dataset(tmp_path)
    assert own.resolved()["size"] == expected
    height, width = (sizes[0][1], sizes[0][0]) if expected is None else (expected, expected)
    assert own.prepare(0).task.inputs == (3, height, width)
    assert own.fingerprint(0) == dataset(tmp_path, size=expected).fingerprint(0)


def test_a_camera_on_its_side_does_not_make_another_size(tmp_path: Path):
    fill(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 6), 9).save(tmp_path / "cat/turned.jpg", exif=exif)
    assert dataset(tmp_path).resolved()["size"] is None


def test_unreadable_files_are_an_error_or_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    fill(tmp_path)
    (tmp_path / "cat/3.png").write_bytes((tmp_path / "cat/3.png").read_bytes()[:60])
    (tmp_path / "dog/notes.png").write_text("no image")
    for look in (lambda: dataset(tmp_path).prepare(0), dataset(tmp_path).resolved):
        with pytest.raises(UsageError, match=r"(cat/3|dog/notes).png cannot be read as an image"):
            look()
    with caplog.at_level(logging.INFO):
        splits = dataset(tmp_path, unreadable="skip").prepare(0)
    assert f"; left out 2 that cannot be read: {tmp_path}/cat/3.png, {tmp_path}/dog/notes.png" in caplog.messages[0]
    assert len(splits.y_train) + len(splits.y_valid) == 15


def test_a_class_of_which_nothing_can_be_read_is_an_error(tmp_path: Path):
    fill(tmp_path)
    for path in (tmp_path / "dog").iterdir():
        path.write_text("no image")
    with pytest.raises(UsageError, match="dog: none of its images can be read"):
        dataset(tmp_path, unreadable="skip").prepare(0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"size": "large"}, "dataset.size is 'large'; it must be an integer of at least 1, or auto, or null"),
        ({"unreadable": "ignore"}, "dataset.unreadable is 'ignore'; it must be error or skip"),
        ({"nested": 1}, "dataset.nested is 1; it must be true or false"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any], text: str):
    with pytest.raises(UsageError) as error:
        dataset(tmp_path, **settings)
    assert text in str(error.value)

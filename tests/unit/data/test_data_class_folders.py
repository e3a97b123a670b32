"""Which files of a folder are images of which class, and what is refused before any is opened."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data import class_folders, folder
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.folder import Folder

COMMON = dict(size=None, limit=None, crop=0, flip=False, cutout=0)


def dataset(root: Path, valid: float | None = 0.25, test: float | None = 0.25) -> Folder:
    return Folder(root=str(root), valid_fraction=valid, test_fraction=test, **COMMON)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of eight noisy images each, under `train`."""
    fill(tmp_path / "train")
    return tmp_path


def fill(part: Path, n: int = 8) -> None:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (part / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8)).save(part / name / f"{i}.png")


def test_fingerprints_are_those_of_torchvisions_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import ImageFolder

    fill(tmp_path / "train", n=12)
    Image.new("L", (5, 4), 9).save(tmp_path / "train/cat/grey.jpg")
    Image.new("RGB", (5, 4), 9).save(tmp_path / "train/dog/B.PNG")
    listing = ImageFolder(str(tmp_path / "train"))
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in listing.samples])
    labels = np.array([label for _, label in listing.samples])
    own = dataset(tmp_path).fingerprint(3)
    before = Arrays(x_train=np.ascontiguousarray(images.transpose(0, 3, 1, 2)), y_train=labels)
    monkeypatch.setattr(Folder, "read", lambda self: before)
    assert dataset(tmp_path).fingerprint(3) == own


@pytest.mark.parametrize("junk", [".ipynb_checkpoints", ".thumbnails", "__MACOSX", "@eaDir", "lost+found"])
def test_hidden_folders_and_junk_are_no_classes(root: Path, junk: str) -> None:
    before = dataset(root).fingerprint(0)
    for place in (root / "train" / junk, root / "train/cat" / junk):
        place.mkdir()
        Image.new("RGB", (5, 4)).save(place / "0.png")
    (root / "train/cat/._0.png").write_bytes(b"resource fork")
    (root / "train/dog/Thumbs.db").write_bytes(b"thumbnails")
    assert dataset(root).task().outputs == 2
    assert dataset(root).fingerprint(0) == before


def test_what_was_found_is_said_once(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(root / "val", n=2)
    (root / "train/notes.txt").write_text("whence they come")
    (root / "train/cat/.hidden.png").write_bytes(b"")
    (root / "val/dog/labels.csv").write_text("a,b")
    own = dataset(root, valid=None)
    with caplog.at_level(logging.INFO):
        own.prepare(0)
        own.task(), own.test(0), own.fingerprint(0), own.check_there()
    [line] = caplog.messages
    assert line == (
        f"{root}: images 3x4x5, 2 classes (cat, dog); 12 to train, 4 to validate, 4 to test; "
        f"skipped 3 entries that are no images, such as {root}/train/cat/.hidden.png"
    )


def test_nothing_is_said_of_skipping_where_nothing_was(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset(root).prepare(0)
    assert caplog.messages == [f"{root}: images 3x4x5, 2 classes (cat, dog); 9 to train, 3 to validate, 4 to test"]


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_the_validation_part_has_three_names(root: Path, name: str) -> None:
    fill(root / name, n=3)
    assert len(dataset(root, valid=None).prepare(0).y_valid) == 6


def link_class(root: Path) -> None:
    (root / "train/wolf").symlink_to("dog")


def link_image(root: Path) -> None:
    (root / "train/cat/x.png").symlink_to("../dog/3.png")


def hard_link(root: Path) -> None:
    os.link(root / "train/dog/3.png", root / "train/cat/x.png")


def link_part(root: Path) -> None:
    (root / "valid").symlink_to("train")


def link_in_the_class(root: Path) -> None:
    (root / "train/dog/again.png").symlink_to("3.png")


def link_to_parent(root: Path) -> None:
    (root / "train/cat/all").symlink_to("..")


def class_that_is_its_parent(root: Path) -> None:
    (root / "train/all").symlink_to("..")


def nested(root: Path) -> None:
    (root / "train/animals/cow").mkdir(parents=True)


def two_validation_parts(root: Path) -> None:
    fill(root / "val", n=2)
    fill(root / "valid", n=2)


def broken_link(root: Path) -> None:
    (root / "train/dog/x.png").symlink_to("absent.png")


def circular_link(root: Path) -> None:
    (root / "train/dog/x.png").symlink_to("x.png")


def pipe(root: Path) -> None:
    os.mkfifo(root / "train/dog/x.png")


def file_for_a_part(root: Path) -> None:
    (root / "test").write_text("")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (link_class, "train/dog/0.png and .*train/wolf/0.png are the same file through a link; remove one"),
        (link_image, "train/cat/x.png and .*train/dog/3.png are the same file"),
        (hard_link, "train/cat/x.png and .*train/dog/3.png are the same file"),
        (link_part, "train/cat/0.png and .*valid/cat/0.png are the same file"),
        (link_in_the_class, "train/dog/3.png and .*train/dog/again.png are the same file"),
        (link_to_parent, r"train/cat holds folders \(all\), but a class folder holds images alone"),
        (class_that_is_its_parent, r"train/all holds folders \(train\)"),
        (nested, r"train/animals holds folders \(cow\)"),
        (two_validation_parts, "/val and .*/valid both mean the validation part; keep one"),
        (broken_link, "train/dog/x.png is a link that leads nowhere"),
        (circular_link, "train/dog/x.png is a link that leads nowhere"),
        (pipe, "train/dog/x.png is a device or a pipe"),
        (file_for_a_part, "test is no folder"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_would_mix_classes_or_hang_is_refused(root: Path, spoil: Callable[[Path], None], text: str) -> None:
    spoil(root)
    for look in (dataset(root).check_there, dataset(root).read):
        with pytest.raises(UsageError, match=text) as error:
            look()
        assert "\n" not in str(error.value)


def test_a_folder_that_may_not_be_read_is_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(class_folders.os, "listdir", forbidden)
    with pytest.raises(UsageError, match=r"train cannot be read as a folder of images \(Permission denied\)"):
        dataset(root).read()


def test_looking_opens_no_image(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "read_picture", None)
    dataset(root).check_there()
    monkeypatch.setenv("HOME", str(root.parent))
    dataset(Path("~") / root.name).check_there()
    with pytest.raises(UsageError, match="elsewhere not found; put the images into"):
        dataset(root / "elsewhere").check_there()


def test_links_to_elsewhere_are_followed(root: Path) -> None:
    before = dataset(root).fingerprint(0)
    (root / "train/cat").rename(root / "cats")
    (root / "train/cat").symlink_to(root / "cats")
    (root / "train/dog/3.png").rename(root / "a dog.png")
    (root / "train/dog/3.png").symlink_to("../../a dog.png")
    assert dataset(root).fingerprint(0) == before

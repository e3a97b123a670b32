"""Own data in .npz files."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.npz import Npz
from evonas_cli.network.task import Task

COMMON = dict(valid_fraction=0.25, test_fraction=0.25, limit=None, crop=0, flip=False, cutout=0)
Y = np.arange(16) % 2


def dataset(path, **settings) -> Npz:
    return Npz(path=str(path), **{**COMMON, **settings})


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "expected", "to_last"),
    [
        ((16, 6, 5), (1, 6, 5), False),
        ((16, 6, 5, 1), (1, 6, 5), True),
        ((16, 6, 5, 3), (3, 6, 5), True),
        ((16, 1, 6, 5), (1, 6, 5), False),
        ((16, 3, 6, 5), (3, 6, 5), False),
    ],
)
def test_every_layout_becomes_channels_first(tmp_path, shape, expected, to_last):
    x = random_images(*shape)
    np.savez(tmp_path / "own.npz", x_train=x, y_train=Y)
    arrays = dataset(tmp_path / "own.npz").read()
    assert arrays.x_train.shape == (16, *expected)
    back = arrays.x_train.transpose(0, 2, 3, 1) if to_last else arrays.x_train
    assert np.array_equal(back.reshape(shape), x)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((16, 3, 5, 3), "x_train has shape (16, 3, 5, 3), which could have its channels first or last"),
        ((16, 4, 5, 2), "x_train has shape (16, 4, 5, 2), which has no axis of 1 or 3 channels"),
        ((16, 4), "x_train has shape (16, 4); images are"),
    ],
)
def test_unclear_layouts_are_refused(tmp_path, shape, text):
    np.savez(tmp_path / "own.npz", x_train=random_images(*shape), y_train=Y)
    with pytest.raises(UsageError) as error:
        dataset(tmp_path / "own.npz").read()
    assert text in str(error.value)


def test_all_three_parts(tmp_path):
    x = random_images(16, 4, 4)
    np.savez(tmp_path / "own.npz", x_train=x, y_train=Y, x_test=x[:4], y_test=Y[:4], x_valid=x[4:8], y_valid=Y[4:8])
    own = dataset(tmp_path / "own.npz", valid_fraction=None, test_fraction=None)
    splits = own.prepare(0)
    assert (len(splits.y_train), len(splits.y_valid), len(own.test(0)[1])) == (16, 4, 4)
    assert own.task() == Task(inputs=(1, 4, 4), outputs=2)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"images": Y, "labels": Y}, "has no x_train, y_train; it has images, labels"),
        ({"x_train": Y}, "has no y_train; it has x_train"),
        ({"x_train": Y, "y_train": Y, "x_test": Y}, "has no y_test; it has x_test, x_train, y_train"),
        ({"x_train": Y, "y_train": Y, "y_valid": Y}, "has no x_valid; it has x_train, y_train, y_valid"),
    ],
)
def test_missing_keys_are_named(tmp_path, arrays, text):
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(UsageError) as error:
        dataset(tmp_path / "own.npz").read()
    assert text in str(error.value)


def test_files_that_are_no_npz_are_refused(tmp_path):
    np.save(tmp_path / "single.npy", Y)
    np.savez(tmp_path / "objects.npz", x_train=np.array([{}, {}]), y_train=Y)
    np.savez_compressed(tmp_path / "cut.npz", x_train=random_images(16, 9, 9), y_train=Y)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:900])
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("hello")
    for name in ("single.npy", "objects.npz", "cut.npz", "empty.npz", "text.npz", "absent.npz"):
        with pytest.raises(UsageError, match=name) as error:
            dataset(tmp_path / name).read()
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="dataset.path is not set; pass dataset.path=FILE.npz"):
        Npz(path=None, **COMMON).read()


def test_a_damaged_member_is_refused(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, x_train=random_images(16, 9, 9), y_train=Y)
    data = bytearray(path.read_bytes())
    data[600] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"own.npz cannot be read as an .npz file of plain arrays \(Bad CRC-32"):
        dataset(path).read()


def member(header: bytes, data: bytes = b"") -> bytes:
    """An array as a member of an .npz file, with a header of one's own."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def write_members(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def plain(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_member_larger_than_any_memory_is_refused(tmp_path):
    claim = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 31623, 31623), }\n"
    write_members(tmp_path / "own.npz", x_train=member(claim, b"ab"), y_train=plain(Y))
    with pytest.raises(UsageError, match=r"own.npz cannot be read as an .npz file of plain arrays \(") as error:
        dataset(tmp_path / "own.npz").read()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("offset", "value"), [("flags", 1), ("method", 9)], ids=["encrypted", "Deflate64"])
def test_zip_members_that_python_does_not_read_are_refused(tmp_path, offset, value):
    """Flag 1 means encrypted, method 9 Deflate64, as other programs write them."""
    path = tmp_path / "own.npz"
    write_members(path, x_train=plain(random_images(16, 4, 4)), y_train=plain(Y))
    data = bytearray(path.read_bytes())
    for start, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(start) + place + (2 if offset == "method" else 0)
        data[at : at + 2] = struct.pack("<H", value)
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"own.npz cannot be read as an .npz file of plain arrays \("):
        dataset(path).read()


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"hello", "is no .npz file, it begins with b'hello'"), (b"", "is no .npz file"), (b"PK\3", "cannot be read as")],
)
def test_other_files_are_not_taken_for_npz(tmp_path, content, text):
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(UsageError, match=text):
        dataset(tmp_path / "own.npz").read()


def test_looking_for_the_file_reads_its_beginning_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own.npz").write_bytes(b"PK and no more")
    dataset("~/own.npz").check_there()
    (tmp_path / "own.npz").write_bytes(b"text")
    for path in ("~/own.npz", "~/absent.npz", "~"):
        with pytest.raises(UsageError, match=str(tmp_path)):
            dataset(path).check_there()


def test_labels_and_counts_are_checked(tmp_path):
    x = random_images(16, 4, 4)
    for name, y, text in (
        ("short", Y[:-1], "16 images and 15 targets"),
        ("lonely", np.array([0] * 15 + [1]), "class 1 has 1 of the 16 examples, but they are divided into 3 parts"),
    ):
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=y)
        with pytest.raises(UsageError, match=text):
            dataset(tmp_path / f"{name}.npz").prepare(0)

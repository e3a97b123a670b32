"""idx files and the two data sets that come in them."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torchvision

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.idx import read_images, read_labels
from evonas_cli.data.mnist import FashionMnist, Mnist

COMMON = dict(valid_fraction=0.25, test_fraction=None, limit=None, crop=0, flip=False, cutout=0)


def image_bytes(x: np.ndarray) -> bytes:
    return struct.pack(">IIII", 2051, *x.shape) + x.tobytes()


def label_bytes(y: np.ndarray) -> bytes:
    return struct.pack(">II", 2049, len(y)) + y.tobytes()


def write_set(folder: Path, packed: bool, n_train: int = 16, n_test: int = 4) -> np.ndarray:
    """Four files; returns the training images."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for stem, n in (("train", n_train), ("t10k", n_test)):
        x = rng.integers(0, 256, (n, 5, 3), np.uint8)
        y = (np.arange(n) % 2).astype(np.uint8)
        for name, data in (
            (f"{stem}-images-idx3-ubyte", image_bytes(x)),
            (f"{stem}-labels-idx1-ubyte", label_bytes(y)),
        ):
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data))
            else:
                (folder / name).write_bytes(data)
        if stem == "train":
            train = x
    return train


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["MNIST/raw", "raw", "."])
def test_mnist_is_found_and_read(tmp_path, place, packed):
    train = write_set(tmp_path / place, packed)
    arrays = Mnist(root=str(tmp_path), download=False, **COMMON).read()
    assert np.array_equal(arrays.x_train[:, 0], train)
    assert arrays.x_test.shape == (4, 1, 5, 3)
    assert arrays.y_train.tolist() == [0, 1] * 8


def test_each_set_has_its_own_folder(tmp_path):
    write_set(tmp_path / "MNIST/raw", packed=False)
    with pytest.raises(UsageError, match="FashionMNIST not found: train-images-idx3-ubyte, .*download=true"):
        FashionMnist(root=str(tmp_path), download=False, **COMMON).read()


def test_a_reading_never_writes(tmp_path):
    write_set(tmp_path / "MNIST/raw", packed=True)
    before = sorted(tmp_path.rglob("*"))
    Mnist(root=str(tmp_path), download=True, **COMMON).prepare(0)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is truncated: 0 bytes, its header alone has 16"),
        (image_bytes(np.zeros((2, 3, 3), np.uint8))[:-1], "is truncated: 33 bytes, its header promises 34"),
        (image_bytes(np.zeros((2, 3, 3), np.uint8)) + b"x", "is too long: 35 bytes"),
        (label_bytes(np.zeros(90, np.uint8)), "is no idx image file: its magic number is 2049, not 2051"),
        (gzip.compress(image_bytes(np.zeros((2, 3, 3), np.uint8)))[:-5], "cannot be read as a gzip file ("),
        (b"\x1f\x8bnonsense that is no gzip", "cannot be read as a gzip file ("),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, data, text):
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(UsageError) as error:
        read_images(path)
    assert str(error.value).startswith(f"{path} {text}")
    assert "\n" not in str(error.value)


def test_a_page_saved_under_a_gzip_name_is_refused(tmp_path):
    path = tmp_path / "labels.gz"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(UsageError, match="labels.gz cannot be read as a gzip file .*; fetch it again"):
        read_labels(path)


def test_a_flipped_byte_in_gzip_is_noticed(tmp_path):
    data = bytearray(gzip.compress(label_bytes(np.arange(200, dtype=np.uint8))))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "labels").write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read as a gzip file"):
        read_labels(tmp_path / "labels")


def test_images_and_labels_must_agree(tmp_path):
    write_set(tmp_path, packed=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(label_bytes(np.zeros(15, np.uint8)))
    with pytest.raises(UsageError, match="MNIST: the train part has 16 images and 15 targets"):
        Mnist(root=str(tmp_path), download=False, **COMMON).prepare(0)


def test_absent_files_are_fetched_once(tmp_path, monkeypatch, capsys):
    calls = []

    def fetch(root: str, download: bool) -> None:
        calls.append((root, download))
        print("progress")
        write_set(Path(root) / "MNIST/raw", packed=True)

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    dataset = Mnist(root=str(tmp_path), download=True, **COMMON)
    assert dataset.prepare(0).task.outputs == 2
    dataset.task()
    assert calls == [(str(tmp_path), True)]
    assert capsys.readouterr().out == ""


def test_a_failed_download_is_the_machines_fault(tmp_path, monkeypatch):
    def fetch(root: str, download: bool) -> None:
        raise RuntimeError("Error downloading\ntrain-images-idx3-ubyte.gz")

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    with pytest.raises(EnvironmentFailure, match="MNIST could not be downloaded into .*Error downloading train-images"):
        Mnist(root=str(tmp_path), download=True, **COMMON).read()

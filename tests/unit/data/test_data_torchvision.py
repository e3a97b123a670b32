"""CIFAR and SVHN through torchvision's own readers, on tiny files whose checksums torchvision is told."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torchvision
from scipy.io import savemat

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.torchvision_sets import Cifar10, Cifar100, Svhn

COMMON = dict(valid_fraction=0.25, test_fraction=None, limit=None, crop=4, flip=True, cutout=0)
SETS = {"CIFAR10": Cifar10, "CIFAR100": Cifar100, "SVHN": Svhn}


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_cifar(root: Path, monkeypatch, name: str, label_key: str, names_key: str) -> np.ndarray:
    reader = getattr(torchvision.datasets, name)
    folder = root / reader.base_folder
    folder.mkdir()
    x = np.random.default_rng(0).integers(0, 256, (16, 3, 32, 32), np.uint8)
    for file in ("one", "two"):
        content = {"data": x.reshape(16, -1), label_key: [i % 2 for i in range(16)]}
        (folder / file).write_bytes(pickle.dumps(content))
    (folder / "names").write_bytes(pickle.dumps({names_key: ["cat", "dog"]}))
    monkeypatch.setattr(reader, "train_list", [["one", md5(folder / "one")]])
    monkeypatch.setattr(reader, "test_list", [["two", md5(folder / "two")]])
    monkeypatch.setattr(reader, "meta", {"filename": "names", "key": names_key, "md5": md5(folder / "names")})
    return x


def write_svhn(root: Path, monkeypatch) -> np.ndarray:
    x = np.random.default_rng(0).integers(0, 256, (16, 3, 32, 32), np.uint8)
    sums = {}
    for part in ("train", "test"):
        path = root / f"{part}_32x32.mat"
        labels = np.array([[10 if i % 2 else 1] for i in range(16)])
        savemat(path, {"X": x.transpose(2, 3, 1, 0), "y": labels})
        sums[part] = ["", path.name, md5(path)]
    monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", sums)
    return x


@pytest.mark.parametrize("name", list(SETS))
def test_images_and_labels_are_read(tmp_path, monkeypatch, name):
    if name == "SVHN":
        x = write_svhn(tmp_path, monkeypatch)
    elif name == "CIFAR10":
        x = write_cifar(tmp_path, monkeypatch, name, "labels", "label_names")
    else:
        x = write_cifar(tmp_path, monkeypatch, name, "fine_labels", "fine_label_names")
    arrays = SETS[name](root=str(tmp_path), download=False, **COMMON).read()
    assert np.array_equal(arrays.x_train, x)
    assert arrays.x_test.shape == (16, 3, 32, 32)
    assert arrays.y_train.tolist() == ([1, 0] * 8 if name == "SVHN" else [0, 1] * 8)


@pytest.mark.parametrize("name", list(SETS))
def test_absent_files_are_named(tmp_path, name):
    with pytest.raises(UsageError) as error:
        SETS[name](root=str(tmp_path), download=False, **COMMON).read()
    assert SETS[name].files in str(error.value)
    assert str(tmp_path) in str(error.value)
    assert "dataset.download=true" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", list(SETS))
def test_a_failed_download_is_the_machines_fault(tmp_path, monkeypatch, name):
    def unreachable(*args, **kwargs):
        raise OSError("no route to host")

    module = torchvision.datasets.svhn if name == "SVHN" else torchvision.datasets.cifar
    function = "download_url" if name == "SVHN" else "download_and_extract_archive"
    monkeypatch.setattr(module, function, unreachable)
    with pytest.raises(EnvironmentFailure, match=f"{SETS[name].__name__} could not be downloaded.*no route to host"):
        SETS[name](root=str(tmp_path), download=True, **COMMON).read()


@pytest.mark.parametrize("name", list(SETS))
@pytest.mark.parametrize("content", [b"", b"nothing of that kind" * 9, pickle.dumps([1, 2])])
def test_files_that_are_whole_but_something_else_are_refused(tmp_path, monkeypatch, name, content):
    if name == "SVHN":
        write_svhn(tmp_path, monkeypatch)
        damaged = tmp_path / "train_32x32.mat"
        sums = {part: list(row) for part, row in torchvision.datasets.SVHN.split_list.items()}
    else:
        keys = ("labels", "label_names") if name == "CIFAR10" else ("fine_labels", "fine_label_names")
        write_cifar(tmp_path, monkeypatch, name, *keys)
        damaged = tmp_path / getattr(torchvision.datasets, name).base_folder / "one"
    damaged.write_bytes(content)
    if name == "SVHN":
        sums["train"][2] = md5(damaged)
        monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", sums)
    else:
        monkeypatch.setattr(getattr(torchvision.datasets, name), "train_list", [["one", md5(damaged)]])
    with pytest.raises(UsageError, match=f"{tmp_path} cannot be read as {SETS[name].__name__}") as error:
        SETS[name](root=str(tmp_path), download=False, **COMMON).read()
    assert "\n" not in str(error.value)


def test_a_download_that_arrives_torn_is_the_machines_fault(tmp_path, monkeypatch):
    def torn(*args, **kwargs):
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")

    monkeypatch.setattr(torchvision.datasets.cifar, "download_and_extract_archive", torn)
    with pytest.raises(EnvironmentFailure, match=r"Cifar10 could not be downloaded .*EOFError: Compressed file ended"):
        Cifar10(root=str(tmp_path), download=True, **COMMON).read()

"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) and SVHN (Netzer et al., 2011) through torchvision."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import located, reading
from evonas_cli.data.arrays import Arrays, Images, Labels
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.download import alone, download


@dataclass(frozen=True, kw_only=True)
class TorchvisionSet(Dataset):
    """A data set that torchvision reads from `root` and, where it is absent and `download` is true, fetches."""

    known_outputs: ClassVar[int | None] = 10
    files: ClassVar[str]
    there: ClassVar[tuple[str, ...]]

    root: str
    download: bool

    def read(self) -> Arrays:
        """As Dataset.read."""
        root = self._root
        with alone(root, self.download):
            x_train, y_train = self._part(root, train=True)
            x_test, y_test = self._part(root, train=False)
        return Arrays(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)

    def check_there(self) -> None:
        """As Dataset.check_there, by the names alone; what is missing may be downloaded."""
        missing = [name for name in self.there if not (self._root / name).exists()]
        if missing and not self.download:
            raise self._absent(f"there is no {missing[0]}")

    @property
    def _root(self) -> Path:
        return located(self.root, "dataset.root", "FOLDER")

    def _absent(self, reason: str) -> UsageError:
        return UsageError(
            f"{self.name} not found in {self._root} or damaged ({reason}): it needs {self.files}; "
            "put it there, pass dataset.root=FOLDER, or dataset.download=true"
        )

    def _part(self, root: Path, train: bool) -> tuple[Images, Labels]:
        """Images (N, 3, 32, 32) and labels (N,) of one part."""
        with reading(root, f"{self.name}, {self.files}", "fetch it again"):
            try:
                return self._open(str(root), train, fetch=False)
            except RecursionError:
                raise
            except (RuntimeError, FileNotFoundError) as error:
                if self.download:
                    return download(lambda: self._open(str(root), train, fetch=True), self.name, root)
                raise self._absent(" ".join(str(error).split())) from error

    @abstractmethod
    def _open(self, root: str, train: bool, fetch: bool) -> tuple[Images, Labels]:
        """As `_part`; raises RuntimeError where torchvision does not find its files whole."""


def _channels_first(opened: Any) -> tuple[Images, Labels]:
    return np.ascontiguousarray(opened.data.transpose(0, 3, 1, 2)), np.asarray(opened.targets)


@dataclass(frozen=True, kw_only=True)
class Cifar10(TorchvisionSet):
    """Colour images 3x32x32 in ten classes, 50,000 + 10,000."""

    files: ClassVar[str] = "the folder cifar-10-batches-py (from cifar-10-python.tar.gz)"
    there: ClassVar[tuple[str, ...]] = ("cifar-10-batches-py",)

    def _open(self, root: str, train: bool, fetch: bool) -> tuple[Images, Labels]:
        import torchvision

        return _channels_first(torchvision.datasets.CIFAR10(root, train=train, download=fetch))


@dataclass(frozen=True, kw_only=True)
class Cifar100(TorchvisionSet):
    """Colour images 3x32x32 in a hundred classes, 50,000 + 10,000."""

    known_outputs: ClassVar[int | None] = 100
    files: ClassVar[str] = "the folder cifar-100-python (from cifar-100-python.tar.gz)"
    there: ClassVar[tuple[str, ...]] = ("cifar-100-python",)

    def _open(self, root: str, train: bool, fetch: bool) -> tuple[Images, Labels]:
        import torchvision

        return _channels_first(torchvision.datasets.CIFAR100(root, train=train, download=fetch))


@dataclass(frozen=True, kw_only=True)
class Svhn(TorchvisionSet):
    """House numbers, 3x32x32 in ten classes, 73,257 + 26,032."""

    files: ClassVar[str] = "the files train_32x32.mat and test_32x32.mat"
    there: ClassVar[tuple[str, ...]] = ("train_32x32.mat", "test_32x32.mat")

    def _open(self, root: str, train: bool, fetch: bool) -> tuple[Images, Labels]:
        import torchvision

        opened = torchvision.datasets.SVHN(root, split="train" if train else "test", download=fetch)
        return np.ascontiguousarray(opened.data), np.asarray(opened.labels)

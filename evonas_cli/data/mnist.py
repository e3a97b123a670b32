"""MNIST (LeCun, Cortes & Burges, 1998) and Fashion-MNIST (Xiao, Rasul & Vollgraf, 2017) from their idx files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import located
from evonas_cli.data.arrays import Arrays, all_targets
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.download import alone, download
from evonas_cli.data.idx import read_images, read_labels

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True, kw_only=True)
class Mnist(Dataset):
    """Handwritten digits, 1x28x28 in ten classes, 60,000 + 10,000.

    The files, raw or .gz, may lie in `<root>/<folder>/raw`, in `<root>/raw` or in `root` itself. Where they are absent
    and `download` is true torchvision fetches them into `<root>/<folder>/raw`.
    """

    known_outputs: ClassVar[int | None] = 10
    folder: ClassVar[str] = "MNIST"

    root: str
    download: bool

    @property
    def name(self) -> str:
        """The data's own name."""
        return self.folder

    def read(self) -> Arrays:
        """As Dataset.read."""
        root = self._root
        with alone(root, self.download):
            return self._read(root)

    def check_there(self) -> None:
        """As Dataset.check_there; what is missing may be downloaded."""
        if not self.download:
            self._found(self._root)

    def looked_up_sizes(self, seed: int) -> dict[str, int] | None:
        """As Source.looked_up_sizes; None where the files are not there."""
        files = self._find(self._root)
        if files is None:
            return None
        found = all_targets({"train": read_labels(files["y_train"])}, "classes", self.name)
        return self.sizes(found["train"], {"test": len(read_labels(files["y_test"]))}, seed)

    @property
    def _root(self) -> Path:
        return located(self.root, "dataset.root", "FOLDER")

    def _read(self, root: Path) -> Arrays:
        if self.download and self._find(root) is None:
            download(lambda: self._fetch(root), self.name, root)
        files = self._found(root)
        return Arrays(
            x_train=read_images(files["x_train"]),
            y_train=read_labels(files["y_train"]),
            x_test=read_images(files["x_test"]),
            y_test=read_labels(files["y_test"]),
        )

    def _found(self, root: Path) -> dict[str, Path]:
        """As `_find`; raises UsageError where a file is missing."""
        files = self._find(root)
        if files is None:
            raise UsageError(
                f"{self.name} not found: {', '.join(FILES.values())} (or these with .gz) must lie in "
                f"{root / self.folder / 'raw'}; put them there, pass dataset.root=FOLDER, or dataset.download=true"
            )
        return files

    def _find(self, root: Path) -> dict[str, Path] | None:
        """The four files in the first folder that has them all, an unpacked file before its .gz."""
        for folder in (root / self.folder / "raw", root / "raw", root):
            files = {
                part: path
                for part, name in FILES.items()
                for path in (folder / f"{name}.gz", folder / name)
                if path.is_file()
            }
            if len(files) == len(FILES):
                return files
        return None

    def _fetch(self, root: Path) -> object:
        import torchvision

        return getattr(torchvision.datasets, self.folder)(str(root), download=True)


@dataclass(frozen=True, kw_only=True)
class FashionMnist(Mnist):
    """Articles of clothing, 1x28x28 in ten classes, 60,000 + 10,000; files as for Mnist."""

    folder: ClassVar[str] = "FashionMNIST"

"""Raw inputs as numbers on the scale of a model's data set, by the `preparation` of its signature.

| preparation | inputs |
| --- | --- |
| pictures | an image, a folder of images at any depth, an .npz file with `x` of bytes |
| arrays | an .npz file with `x`; of bytes: an image or a folder of images of the right size, too |
| table, text | a table with a header (`data.delimited`) that has the columns of the training data |
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, reading
from evonas_cli.data.class_folders import JUNK
from evonas_cli.data.columns import spread
from evonas_cli.data.columns_json import columns_from
from evonas_cli.data.delimited import Delimited, listed, table
from evonas_cli.data.layouts import laid_out
from evonas_cli.data.pictures import SUFFIXES, in_bytes, read_picture
from evonas_cli.data.vocabulary import Vocabulary, tokens
from evonas_cli.network.signature import Signature

LAYOUTS = {1: "vector", 2: "series", 3: "image"}
REMEDY = "repair or replace the file"


@dataclass(frozen=True)
class Inputs:
    """`x`, (N, *task.inputs), in the type of the source; `names` are paths of files, or places in an array or table.

    `table` holds the rows where the inputs come from one, `arrays` all arrays of an .npz file.
    """

    names: tuple[str, ...]
    x: NDArray[Any]
    table: Delimited | None = None
    arrays: Mapping[str, NDArray[Any]] | None = None


def check_known(signature: Signature, where: Path) -> None:
    """Raises UsageError for a model whose file does not say how raw inputs are prepared."""
    if signature.preparation.get("form") not in ("arrays", "pictures", "table", "text"):
        raise UsageError(f"{where} does not say how raw inputs are prepared; export it again from a retrained run")


def read_inputs(path: Path, signature: Signature, text: str | None = None) -> Inputs:
    """The inputs that a path holds; `text` names the column of the texts where it has another name than in training.

    Raises UsageError, with one line, for what is not there or cannot be read, and for inputs that do not fit.
    """
    if not path.exists():
        raise UsageError(f"{path} not found; name {_wanted(signature)}")
    form = signature.preparation["form"]
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        if form not in ("arrays", "pictures") or not takes_pictures(signature):
            raise UsageError(
                f"{path} holds images, but the model takes {signature.task.examples}; name {_wanted(signature)}"
            )
        return from_pictures(_files(path), signature)
    check_file(path, f"name {_wanted(signature)}")
    if _is_npz(path):
        if form in ("table", "text"):
            raise UsageError(f"{path} is an .npz file, but the model reads the columns of a table; name a .csv file")
        return _from_npz(path, signature)
    if form not in ("table", "text"):
        raise UsageError(f"{path} is no image and no .npz file; the model takes {signature.task.examples}, "
                         f"so name {_wanted(signature)}")  # fmt: skip
    with plain_words():
        read = table(path)
        return _from_text(read, signature, text) if form == "text" else _from_table(read, signature)


def from_pictures(files: Sequence[Path], signature: Signature) -> Inputs:
    """The pixels of image files. Raises UsageError for a file that cannot be read, or has another size."""
    said, (channels, height, width) = signature.preparation, signature.task.inputs
    ranges = {mode: (ends[0], ends[1]) for mode, ends in said.get("ranges", {"F": (0, 1), "I": (0, 65535)}).items()}
    x = np.empty((len(files), channels, height, width), dtype=np.uint8)
    for place, path in enumerate(files):
        pixels = in_bytes(read_picture(path, said.get("size")), ranges)
        if pixels.shape[:2] != (height, width):
            found = f"{pixels.shape[1]}x{pixels.shape[0]}"
            raise UsageError(f"{path} has {found} pixels, and the model takes {width}x{height}; resize it")
        x[place] = pixels.transpose(2, 0, 1) if channels == 3 else _grey(pixels)[None]
    return Inputs(tuple(map(str, files)), x)


@contextmanager
def plain_words() -> Iterator[None]:
    """Messages about tables without the settings of data sets, which a trained model has no more."""
    try:
        yield
    except UsageError as error:
        text = re.sub(
            r"(; |, |, or )(pass|set|add the word to|lower) dataset\..*|, such as with iconv.*", "", str(error)
        )
        raise UsageError(text if "; " in text else f"{text}; {REMEDY}") from error


def _wanted(signature: Signature) -> str:
    if signature.preparation["form"] in ("table", "text"):
        return "a .csv file"
    pictures = "an image, a folder of images, or " if takes_pictures(signature) else ""
    return f"{pictures}an .npz file with x"


def takes_pictures(signature: Signature) -> bool:
    said, shape = signature.preparation, signature.task.inputs
    return said["form"] == "pictures" or (bool(said.get("bytes")) and len(shape) == 3 and shape[0] in (1, 3))


def _files(path: Path) -> list[Path]:
    """The images of a folder, by their paths; hidden ones and what systems leave behind do not count."""
    if not path.is_dir():
        return [path]
    found = [
        one
        for one in sorted(path.rglob("*"))
        if one.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") or part.lower() in JUNK for part in one.relative_to(path).parts)
    ]
    if not found:
        raise UsageError(f"{path} holds no images; name a folder of images")
    return found


def _is_npz(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return path.suffix.lower() == ".npz"
    with zipfile.ZipFile(path) as archive:
        return path.suffix.lower() == ".npz" or any(name.endswith(".npy") for name in archive.namelist())


def _from_npz(path: Path, signature: Signature) -> Inputs:
    with reading(path, "an .npz file of plain arrays", REMEDY), np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files if key in ("x", "y")}
        names = sorted(file.files)
    if "x" not in arrays:
        raise UsageError(f"{path} has no x; it has {listed(names) or 'nothing'}; save the inputs under the key x")
    task, given = signature.task, arrays["x"]
    where = f"{path}: x"
    axes = len(task.inputs) + 1
    if given.ndim and not len(given):
        raise UsageError(f"{where} has shape {given.shape}, so no input; name a file with one input or more")
    if given.ndim not in ((axes,) if axes == 2 else (axes - 1, axes)) or 0 in given.shape:
        raise _other_shape(where, given.shape, signature)
    with plain_words():
        x = laid_out(given, LAYOUTS[len(task.inputs)], where)
    if tuple(x.shape[1:]) != task.inputs:
        raise _other_shape(where, given.shape, signature)
    if x.dtype.kind not in "fiu":
        raise UsageError(f"{where} has type {x.dtype}; the model takes numbers, so convert it")
    finite = np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if not finite.all():
        raise UsageError(f"{where} has NaN or infinite values, first at index {int(np.argmin(finite))}; {REMEDY}")
    if (
        (signature.preparation["form"] == "pictures" or signature.preparation["bytes"])
        and x.dtype.kind == "f"
        and x.max() <= 1
    ):
        raise UsageError(
            f"{where} has numbers up to {x.max():g}, and the model takes pixels of 0 to 255; multiply it by 255"
        )
    return Inputs(tuple(map(str, range(len(x)))), x, arrays=arrays)


def _other_shape(where: str, shape: tuple[int, ...], signature: Signature) -> UsageError:
    wanted = ", ".join(map(str, signature.task.inputs))
    return UsageError(f"{where} has shape {shape}, and the model takes {signature.task.examples}, (N, {wanted}); "
                      "bring the inputs into that shape")  # fmt: skip


def _from_table(read: Delimited, signature: Signature) -> Inputs:
    columns = columns_from(signature.preparation)
    check_there(
        read, [str(column["name"]) for column in signature.preparation["columns"]], "the model was trained with"
    )
    x = spread(read, columns, np.arange(len(read)))
    return Inputs(tuple(map(str, range(len(read)))), x, table=read)


def _from_text(read: Delimited, signature: Signature, text: str | None) -> Inputs:
    said = signature.preparation
    column = said["column"] if text is None else text
    check_there(read, [column], "the texts lie in; name it with --text")
    found = [tokens(cell, said["tokens"], said["lower"]) for cell in read.columns[column]]
    ids = Vocabulary(tuple(said["known"])).ids(found, said["length"])
    return Inputs(tuple(map(str, range(len(read)))), ids, table=read)


def check_there(read: Delimited, names: Sequence[str], why: str) -> None:
    """Raises UsageError for columns that a table does not have; `why` ends "which ...", in words for people."""
    lacking = [name for name in names if name not in read.columns]
    if lacking:
        raise UsageError(f"{read.path} has no column {listed([repr(name) for name in lacking])}, which {why}; "
                         f"it has {listed(list(read.columns))}")  # fmt: skip


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) levels of (H, W, 3), by the weights of ITU-R 601, as Pillow has them."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))

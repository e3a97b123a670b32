"""Which kind of data a path or a name means, and which space and trainer fit what the data holds."""

from __future__ import annotations

from pathlib import Path

from evonas_cli.auto.request import Request
from evonas_cli.config.folders import file_of, options, read
from evonas_cli.config.overrides import set_path
from evonas_cli.config.settings import nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import path_of
from evonas_cli.network.task import Task

TABLES = (".csv", ".tsv")
PACKED = (".gz", ".zip", ".bz2", ".xz")
READINGS = (
    "a folder with a folder of images for each class (dataset=folder), FILE.npz (dataset=npz), FILE.csv with --target "
    "COLUMN (dataset=csv), the same with --text COLUMN (dataset=text_csv), or the name of a data set such as digits"
)
LARGE_MAP = 16
"""Images of at least so many pixels a side are halved twice by the networks that are searched, smaller ones once.
Networks that halve them less often are slow, and learn little in few epochs."""


def dataset_words(request: Request) -> list[str]:
    """The overrides that say what DATA is.

    Raises UsageError, without reading the data, for what is nowhere, for a path of which the kind cannot be told, and
    for a table without a target.
    """
    named = request.data in options("dataset")
    path = path_of(request.data)
    if named and path.exists():
        raise UsageError(f"{request.data} is a data set's name and a path; write ./{request.data} for the path")
    if named:
        return _named(request)
    if not path.exists():
        known = [name for name in options("dataset") if "path" not in read(file_of("dataset", name, ()))]
        hint = nearest(request.data, known)
        raise UsageError(f"{request.data} is no path and no data set{hint}; DATA is {READINGS}")
    source = set_path("dataset.path", path.absolute())
    if _is_table(path):
        return _table(request, source)
    if request.target or request.text is not None:
        raise UsageError(f"--target and --text name columns of a table, and {request.data} is none; leave them out")
    if path.is_dir():
        return ["dataset=folder", source]
    if path.suffix.lower() == ".npz":
        return ["dataset=npz", source]
    raise UsageError(f"the kind of {request.data} cannot be told from its name; DATA is {READINGS}")


def fitting(task: Task) -> list[str]:
    """The overrides that choose a space for the task: its networks read such inputs and train fast on a CPU."""
    if task.vocabulary or len(task.inputs) == 2:
        return ["space=sequence_net"]
    if len(task.inputs) == 1:
        return ["space=mlp"]
    return [
        "space=layered_cnn",
        *(f"space.{key}={blocks_for(task)}" for key in ("blocks", "start_blocks", "least_blocks")),
    ]


def blocks_for(task: Task) -> int:
    """How many blocks networks for such images have; all but the last halve the map."""
    return 3 if min(task.inputs[1:]) >= LARGE_MAP else 2


def _named(request: Request) -> list[str]:
    node = read(file_of("dataset", request.data, ()))
    if "path" in node:
        raise UsageError(
            f"{request.data} is a kind of data, and the data lies at a path; name the path. DATA is {READINGS}"
        )
    if request.target or request.text is not None:
        raise UsageError(f"--target and --text name columns of a table, and {request.data} is none; leave them out")
    return [f"dataset={request.data}"]


def _is_table(path: Path) -> bool:
    endings = [suffix.lower() for suffix in path.suffixes]
    while endings and endings[-1] in PACKED:
        endings.pop()
    return bool(endings) and endings[-1] in TABLES


def _table(request: Request, source: str) -> list[str]:
    from evonas_cli.data.delimited import header, listed

    if not request.target:
        names = header(path_of(request.data)).names
        raise UsageError(
            f"{request.data} is a table; say which column is to be predicted: --target COLUMN (it has {listed(names)})"
        )
    targets = ",".join(map(_quoted, request.target))
    words = [source, f"dataset.target=[{targets}]" if len(request.target) > 1 else f"dataset.target={targets}"]
    if request.text is None:
        return ["dataset=csv", *words]
    return ["dataset=text_csv", *words, f"dataset.text={_quoted(request.text)}"]


def _quoted(column: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(column, Quote.single).with_quotes()

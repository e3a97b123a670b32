"""Exported models as `evonas evaluate` and `evonas predict` find them: by a folder or by one of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.errors import UsageError
from evonas_cli.export.forms import FORMS
from evonas_cli.export.outgoing import Model
from evonas_cli.export.preprocessing import check_known
from evonas_cli.network.signature import Signature


@dataclass(frozen=True)
class Opened:
    """A model: its form, the file that was read, what it takes and gives, and the model itself."""

    form: str
    path: Path
    signature: Signature
    model: Model


def open_model(path: Path) -> Opened:
    """The model in a file, or in a folder: there the first form in the order of FORMS.

    Raises UsageError for what is no exported model.
    """
    form, file = _found(path)
    signature, model = FORMS[form].read(file)
    check_known(signature, file)
    return Opened(form, file, signature, model)


def _found(path: Path) -> tuple[str, Path]:
    names = ", ".join(form.file for form in FORMS.values())
    if not path.exists():
        raise UsageError(f"{path} not found; name a model that `evonas export` has written")
    if path.is_dir():
        for name, form in FORMS.items():
            if (path / form.file).is_file():
                return name, path / form.file
        more = "; a run is exported first, by `evonas export`" if (path / "run.json").exists() else ""
        raise UsageError(f"{path} holds none of {names}, so it is no exported model{more}")
    if path.name == FORMS["dir"].file:
        return "dir", path
    for name, form in FORMS.items():
        if name != "dir" and path.suffix == Path(form.file).suffix:
            return name, path
    raise UsageError(f"{path} is no exported model; name a folder, or a file such as {names}")

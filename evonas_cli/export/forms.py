"""The forms in which a trained network leaves evonas: what each is called, its files, and where its code is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from evonas_cli.core.errors import UsageError

if TYPE_CHECKING:
    from evonas_cli.export.outgoing import Model, Outgoing
    from evonas_cli.network.signature import Signature

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Form:
    """One form. `module` has `write(outgoing, folder)` and `read(path)`; `file` is the one that a user names, `files`
    are all that are written; `use` says in a few words how the form is used without evonas."""

    module: str
    file: str
    files: tuple[str, ...]
    use: str

    def write(self, outgoing: Outgoing, folder: Path) -> None:
        """Writes the files into a folder that is there. Raises UsageError for a network that the form cannot hold."""
        import_module(self.module).write(outgoing, folder)

    def read(self, path: Path) -> tuple[Signature, Model]:
        """What the model in `file` takes and gives, and the model. Raises UsageError for a file that holds none."""
        found: tuple[Signature, Model] = import_module(self.module).read(path)
        return found


FORMS: Mapping[str, Form] = {
    "dir": Form(
        "evonas_cli.export.dir",
        "plan.json",
        ("plan.json", "model.safetensors", "preprocessing.json"),
        "the network as data: each operation with its settings, the weights, and what becomes of raw inputs. "
        "`evonas predict` and every later evonas read it",
    ),
    "py": Form(
        "evonas_cli.export.source",
        "model.py",
        ("model.py", "weights.safetensors"),
        "a plain PyTorch file with its weights: `python model.py INPUTS`, or `from model import load`",
    ),
    "onnx": Form(
        "evonas_cli.export.onnx",
        "model.onnx",
        ("model.onnx",),
        "for ONNX Runtime and others: input `x`, output `outputs`, any batch size",
    ),
    "pt2": Form(
        "evonas_cli.export.pt2",
        "model.pt2",
        ("model.pt2",),
        "a torch program for this version of torch: `torch.export.load('model.pt2').module()`, any batch size",
    ),
}
"""By the word of --format."""


def forms_named(text: str) -> list[str]:
    """The forms that a list such as `dir,onnx` names, each once. Raises UsageError for an unknown one."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMS:
            raise UsageError(f"--format has {name!r}; the forms are {', '.join(FORMS)}, several with commas")
    return names

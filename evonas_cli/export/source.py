"""The form `py`: one plain PyTorch file, model.py, with its weights beside it; it needs no evonas.

The file is put together of the class of the network (`network_source`), the plain parts in `export/plain` for the kind
of inputs and answers, and constants: names, sizes, columns. Only the vocabulary of texts lies with the weights.
"""

from __future__ import annotations

import ast
import json
import pprint
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from evonas_cli.core.files import reading
from evonas_cli.data.cells import TRUTH
from evonas_cli.data.pictures import SUFFIXES
from evonas_cli.export.network_source import NetworkSource, class_text, network_source
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.export.scoring import names_of
from evonas_cli.network.detection import STRIDES
from evonas_cli.network.signature import Signature
from evonas_cli.nn import detection

FILE, WEIGHTS = "model.py", "weights.safetensors"
WIDTH = 110
_PLAIN = Path(__file__).with_name("plain")
_DETECTION = ("PRIOR", "CANDIDATES", "LEAST_SCORE", "SURE", "SUPPRESSED")
_INPUTS = {"arrays": "arrays", "pictures": "pictures", "table": "table", "text": "text"}


def write(outgoing: Outgoing, folder: Path) -> None:
    """Writes model.py and weights.safetensors. Raises UsageError for an operation without a plain form."""
    network = network_source(outgoing.plan, outgoing.signature)
    text = model_file(outgoing.title, network, outgoing.signature)
    weights = {**network.weights(outgoing.plan, outgoing.weights), **outgoing.buffers}
    about = {"preprocessing": json.dumps(outgoing.signature.to_json())}
    data = save({name: tensor.contiguous().clone() for name, tensor in weights.items()}, about)
    (folder / WEIGHTS).write_bytes(data)
    (folder / FILE).write_text(text, encoding="utf-8")


def read(path: Path) -> tuple[Signature, nn.Module]:
    """What the file's network takes and gives, and the network. The file is run: it is a program.

    Raises UsageError for a file that is no export.
    """
    beside = path.with_name(WEIGHTS)
    with reading(beside, "the weights of an exported model", "export it again"), safe_open(beside, "pt") as file:
        signature = Signature.from_json(json.loads(file.metadata()["preprocessing"]))
    with reading(path, "an exported model", "export it again"):
        module = ModuleType("exported_model")
        module.__file__ = str(path)
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
        model: nn.Module = module.load()
    return signature, model


def model_file(title: str, network: NetworkSource, signature: Signature) -> str:
    """The text of model.py."""
    parts = [_INPUTS[signature.preparation["form"]], signature.task.kind, "main"]
    found = [_part(_PLAIN / f"{part}.py") for part in parts]
    if signature.task.kind == "boxes":
        found.insert(1, _part(Path(detection.__file__)))
    classes = [class_text(path) for path in network.classes]
    constants = [line for line in network.lines if not _is_import(line)]
    constants += [f"{name} = {_literal(value)}" for name, value in _constants(signature).items()]
    blocks = [*classes, network.text, *[text for part in found for text in part[1]]]
    blocks.append('if __name__ == "__main__":\n    main(sys.argv[1:])')
    body = "\n".join(constants) + "\n\n\n" + "\n\n\n".join(blocks) + "\n"
    imports = [*(line for part in found for line in part[0]), *_NEEDED, *filter(_is_import, network.lines)]
    return f"{_docstring(title, signature)}\n\n{_imports(imports, body)}\n\n{body}"


_NEEDED = (
    "import torch",
    "from torch import Tensor, nn",
    "from torch.nn import functional as F",
    "from pathlib import Path",
)


def _is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))


def _part(path: Path) -> tuple[list[str], list[str]]:
    """The imports of a plain part, and its functions."""
    text = path.read_text(encoding="utf-8")
    imports, functions = [], []
    for node in ast.parse(text).body:
        source = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.FunctionDef):
            functions.append(source)
        elif isinstance(node, ast.Import | ast.ImportFrom) and not re.search("__future__|evonas_cli", source):
            imports.append(source)
    return imports, functions


def _imports(lines: Sequence[str], body: str) -> str:
    """The imports that the body uses, each name once; those of the standard library first."""
    plain: set[str] = set()
    froms: dict[str, set[str]] = {}
    for line in lines:
        node = ast.parse(line).body[0]
        if isinstance(node, ast.Import | ast.ImportFrom):
            used = {_written(alias) for alias in node.names if re.search(rf"\b{_name(alias)}\b", body)}
            plain |= used if isinstance(node, ast.Import) else set()
            if isinstance(node, ast.ImportFrom) and used:
                froms.setdefault(node.module or "", set()).update(used)
    rows = [(name.split()[0].split(".")[0], f"import {name}") for name in sorted(plain)]
    rows += [
        (module.split(".")[0], f"from {module} import {', '.join(sorted(froms[module]))}") for module in sorted(froms)
    ]
    groups = [[row for top, row in rows if (top in sys.stdlib_module_names) is ours] for ours in (True, False)]
    return "from __future__ import annotations\n\n" + "\n\n".join("\n".join(group) for group in groups)


def _name(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.split(".")[0]


def _written(alias: ast.alias) -> str:
    return alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"


def _constants(signature: Signature) -> dict[str, Any]:
    """The constants of the plain parts, by name."""
    said: Mapping[str, Any] = signature.preparation
    names = names_of(signature)
    found: dict[str, Any] = {"WEIGHTS": _Expression(f'Path(__file__).with_name("{WEIGHTS}")'), "NAMES": names}
    if signature.task.kind == "boxes":
        found |= {"IMAGE": signature.task.inputs[1:], "STRIDES": STRIDES}
        found |= {name: getattr(detection, name) for name in _DETECTION}
    if said["form"] == "arrays":
        found["SHAPE"] = signature.task.inputs
    elif said["form"] == "pictures":
        ranges = {mode: tuple(ends) for mode, ends in said["ranges"].items()}
        found |= {"SIZE": said["size"], "RANGES": ranges, "SUFFIXES": SUFFIXES}
    elif said["form"] == "table":
        found |= {"MISSING": tuple(said["missing"]), "TRUTH": TRUTH, "COLUMNS": said["columns"]}
    else:
        found |= {key.upper(): said[key] for key in ("column", "tokens", "lower", "length")}
    return found


class _Expression(str):
    """Text that stands in the file as it is."""


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, _Expression) else pprint.pformat(value, width=WIDTH, sort_dicts=False)


def _docstring(title: str, signature: Signature) -> str:
    words = {"arrays": "FILE.npz", "pictures": "IMAGE_OR_FOLDER...", "table": "FILE.csv", "text": "FILE.csv"}
    form = signature.preparation["form"]
    more = {"pictures": ", numpy and pillow", "arrays": " and numpy", "table": " and numpy"}.get(form, "")
    plain = title.replace("\\", "/").replace('"', "'")
    return (
        f'"""{plain}.\n\n    python {FILE} {words[form]}\n\nwrites one line for each input. '
        f'It needs torch, safetensors{more}. The weights are in {WEIGHTS}\nbeside this file.\n"""'
    )

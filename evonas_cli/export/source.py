"""The form `py`: one plain PyTorch file, model.py, with its weights beside it; it needs no evonas.

The file is put together of the class of the network (`network_source`), the plain parts in `export/plain` for the kind
of inputs and answers, and constants: names, sizes, columns. Only the vocabulary of texts lies with the weights.
"""

from __future__ import annotations

import ast
import json
import pprint
from collections.abc import Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from evonas_cli.core.files import reading
from evonas_cli.data.cells import TRUTH
from evonas_cli.data.pictures import SUFFIXES
from evonas_cli.export.network_source import NetworkSource, class_text, network_source
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.network.signature import Signature

FILE, WEIGHTS = "model.py", "weights.safetensors"
WIDTH = 110
_PLAIN = Path(__file__).with_name("plain")
_INPUTS = {"arrays": "arrays", "pictures": "pictures", "table": "table", "text": "text"}


def write(outgoing: Outgoing, folder: Path) -> None:
    """Writes model.py and weights.safetensors. Raises UsageError for an operation without a plain form."""
    network = network_source(outgoing.plan, outgoing.signature)
    text = model_file(outgoing.title, network, outgoing.signature)
    weights = {**network.weights(outgoing.plan, outgoing.weights), **outgoing.buffers}
    save_file(
        {name: tensor.contiguous().clone() for name, tensor in weights.items()},
        folder / WEIGHTS,
        metadata={"preprocessing": json.dumps(outgoing.signature.to_json())},
    )
    (folder / FILE).write_text(text, encoding="utf-8")


def read(path: Path) -> tuple[Signature, nn.Module]:
    """What the file's network takes and gives, and the network. The file is run: it is a program.

    Raises UsageError for a file that is no export.
    """
    beside = path.with_name(WEIGHTS)
    with reading(beside, "the weights of an exported model", "export it again"), safe_open(beside, "pt") as file:
        signature = Signature.from_json(json.loads(file.metadata()["preprocessing"]))
    with reading(path, "an exported model", "export it again"):
        spec = spec_from_file_location("exported_model", path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        model: nn.Module = module.load()
    return signature, model


def model_file(title: str, network: NetworkSource, signature: Signature) -> str:
    """The text of model.py."""
    parts = [_INPUTS[signature.preparation["form"]], signature.task.kind, "main"]
    found = [_part(_PLAIN / f"{part}.py") for part in parts]
    classes = [class_text(path) for path in network.classes]
    heads, own = _imports([*(head for part in found for head in part[0]), *_NEEDED, *_of(network.lines)])
    constants = [line for line in network.lines if line not in own]
    constants += [f"{name} = {_literal(value)}" for name, value in _constants(signature).items()]
    blocks = [_docstring(title, signature), heads, "\n".join(constants), *classes, network.text]
    blocks += [text for part in found for text in part[1]]
    blocks.append('if __name__ == "__main__":\n    main(sys.argv[1:])')
    head, rest = blocks[:3], blocks[3:]
    return "\n\n".join(head) + "\n\n\n" + "\n\n\n".join(rest) + "\n"


_NEEDED = ("import torch", "from torch import Tensor, nn", "from torch.nn import functional as F", "from pathlib import Path")


def _of(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.startswith(("import ", "from "))]


def _part(path: Path) -> tuple[list[str], list[str]]:
    """The imports of a plain part, and its functions."""
    text = path.read_text(encoding="utf-8")
    imports, functions = [], []
    for node in ast.parse(text).body:
        source = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.FunctionDef):
            functions.append(source)
        elif isinstance(node, ast.Import | ast.ImportFrom) and "__future__" not in source:
            imports.append(source)
    return imports, functions


def _imports(lines: Sequence[str]) -> tuple[str, set[str]]:
    """All imports, each name once, those of the standard library first; and the lines that were among them."""
    plain: set[str] = set()
    froms: dict[str, set[str]] = {}
    for line in lines:
        node = ast.parse(line).body[0]
        if isinstance(node, ast.ImportFrom):
            froms.setdefault(node.module or "", set()).update(_named(alias) for alias in node.names)
        elif isinstance(node, ast.Import):
            plain.update(_named(alias) for alias in node.names)
    rows = [(name.split(".")[0].split(" ")[0], f"import {name}") for name in sorted(plain)]
    rows += [(module.split(".")[0], f"from {module} import {', '.join(sorted(froms[module]))}") for module in sorted(froms)]
    outside = {"torch", "numpy", "safetensors", "PIL"}
    groups = [[row for top, row in rows if (top in outside) is third] for third in (False, True)]
    return "from __future__ import annotations\n\n" + "\n\n".join("\n".join(group) for group in groups), set(lines)


def _named(alias: ast.alias) -> str:
    return alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"


def _constants(signature: Signature) -> dict[str, Any]:
    """The constants of the plain parts, by name."""
    said: Mapping[str, Any] = signature.preparation
    kinds = {"classes": "class", "labels": "label", "numbers": "number"}
    names = signature.names or tuple(f"{kinds[signature.task.kind]} {n}" for n in range(signature.task.outputs))
    found: dict[str, Any] = {"WEIGHTS": _Expression(f'Path(__file__).with_name("{WEIGHTS}")'), "NAMES": names}
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
        f'"""{plain}\n\n    python {FILE} {words[form]}\n\nwrites a line for each input. Needs torch, safetensors{more}; '
        f'the weights are in {WEIGHTS} beside this file.\n"""'
    )

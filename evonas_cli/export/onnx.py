"""The form `onnx`: an ONNX graph with normalisation inside, made by torch's exporter of captured programs.

Input `x`, output `outputs`, any batch size. The metadata of the file hold `preprocessing`, the signature as JSON.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.files import check_file, reading
from evonas_cli.export.outgoing import Model, Outgoing, example
from evonas_cli.export.quiet import quiet
from evonas_cli.network.signature import Signature

FILE = "model.onnx"
INSTALL = "pip install 'evonas[onnx]'"
_SCRIPT = re.compile(rb"(?:/[\w.+-]+){2,}\.py\b|[A-Za-z]:\\\\?[\w.+\\-]+\.py\b")
"""The absolute path of a Python file, as traces of a program have them."""


def check_installed() -> None:
    """Raises UsageError, with the line that installs it, where a package of the extra `onnx` is missing."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        if not _is_there(name):
            raise UsageError(f"ONNX needs the package {name}; install it with: {INSTALL}")


def _is_there(name: str) -> bool:
    """Whether a package can be found, and nothing keeps Python from importing it."""
    from importlib.util import find_spec

    try:
        return sys.modules[name] is not None if name in sys.modules else find_spec(name) is not None
    except ImportError:  # a finder that refuses the package
        return False


def write(outgoing: Outgoing, folder: Path) -> None:
    """Writes model.onnx. Raises UsageError where the extra is missing, or the exporter does not know an operation."""
    check_installed()
    import onnx

    signature = outgoing.signature
    try:
        with quiet():
            program: Any = torch.onnx.export(
                outgoing.deployed,
                (example(signature, 2),),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=["x"],
                output_names=["outputs"],
                verbose=False,
            )
    except Exception as error:  # the exporter raises what its many passes raise
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"torch cannot export the network as ONNX ({reason}); use --format py or dir") from error
    model = program.model_proto
    strip(model)
    for key, value in (("title", outgoing.title), ("preprocessing", json.dumps(signature.to_json()))):
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, folder / FILE)
    check_paths((folder / FILE).read_bytes(), FILE)


def read(path: Path) -> tuple[Signature, Model]:
    """What the model takes and gives, and the model as ONNX Runtime computes it on the CPU.

    Raises UsageError where the extra is missing, and for a file that is no export.
    """
    check_installed()
    import onnxruntime

    check_file(path, "name an exported model")
    with reading(path, "an exported ONNX model", "export it again"):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        signature = Signature.from_json(json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"]))

    def model(x: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"x": x.numpy()})[0])

    return signature, model


def strip(model: Any) -> None:
    """Removes what the exporter notes of its sources: traces with local paths, names of classes."""
    _clear(model)
    for graph in (model.graph, *model.functions):
        _strip(graph)


def _strip(graph: Any) -> None:
    _clear(graph)
    for name in ("input", "output", "value_info", "initializer", "node"):
        for one in getattr(graph, name, ()):
            if not isinstance(one, str):
                _clear(one)
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _strip(inner)


def _clear(message: Any) -> None:
    for name in ("metadata_props", "doc_string"):
        if name in message.DESCRIPTOR.fields_by_name:
            message.ClearField(name)


def check_paths(data: bytes, name: str) -> None:
    """Raises EvonasError for a file that tells where it was made: paths of Python files, or of the home folder."""
    home = os.path.expanduser("~").encode()
    found = _SCRIPT.search(data)
    place = found[0] if found else home if len(home) > 1 and home + b"/" in data else None
    if place is not None:
        text = place.decode("utf-8", "backslashreplace")
        raise EvonasError(f"{name} would hold the local path {text}; nothing was written, please report this")

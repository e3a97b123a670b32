"""The form `pt2`: a captured torch program with its weights and normalisation, for one version of torch.

The file is an archive of torch.export; beside the program it holds `preprocessing.json`, the signature, and
`torch.txt`, the version that wrote it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.fx import GraphModule

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, reading
from evonas_cli.export.onnx import check_paths
from evonas_cli.export.outgoing import Model, Outgoing, example
from evonas_cli.export.quiet import quiet
from evonas_cli.network.signature import Signature

FILE = "model.pt2"


def write(outgoing: Outgoing, folder: Path) -> None:
    """Writes model.pt2. Raises UsageError where torch cannot capture the network."""
    given = example(outgoing.signature, 2)
    extra = {"preprocessing.json": json.dumps(outgoing.signature.to_json()), "torch.txt": str(torch.__version__)}
    try:
        with quiet():
            program = torch.export.export(
                outgoing.deployed, (given,), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False
            )
            strip(program.graph_module)
            torch.export.save(program, folder / FILE, extra_files=extra)
    except Exception as error:  # torch raises what its many passes raise
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"torch cannot capture the network ({reason}); use --format py or dir") from error
    check_paths((folder / FILE).read_bytes(), FILE)


def strip(program: nn.Module) -> None:
    """Removes traces with local paths from the graphs of a captured program."""
    for module in program.modules():
        for node in module.graph.nodes if isinstance(module, GraphModule) else ():
            for key in ("stack_trace", "nn_module_stack", "source_fn_stack"):
                node.meta.pop(key, None)


def read(path: Path) -> tuple[Signature, Model]:
    """What the model takes and gives, and the model. Raises UsageError for a file that this torch cannot read."""
    check_file(path, "name an exported model")
    extra: dict[str, Any] = {"preprocessing.json": "", "torch.txt": ""}
    try:
        with reading(path, "an exported torch program", "export it again"), quiet():
            program = torch.export.load(path, extra_files=extra)
            signature = Signature.from_json(json.loads(extra["preprocessing.json"]))
    except UsageError as error:
        raise UsageError(
            f"{error}; a .pt2 file is for the torch that wrote it, and this is {torch.__version__}"
        ) from error
    module = program.module()
    return signature, lambda x: module(x)

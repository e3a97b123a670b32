"""The form `dir`: plan, weights and preprocessing as data, which outlives versions of torch and of evonas.

plan.json has the input's shape and for each node the operation, the nodes that it reads, and all its settings;
model.safetensors the weights by `layers.<node>_<operation>.<name>`; preprocessing.json the signature of the network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, reading
from evonas_cli.export.network_source import check_sources
from evonas_cli.export.outgoing import Deployed, Outgoing
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.nn.build import Network

PLAN, WEIGHTS, PREPROCESSING = "plan.json", "model.safetensors", "preprocessing.json"
SCHEMA = 1
REMEDY = "export the model again"


def write(outgoing: Outgoing, folder: Path) -> None:
    """Writes the three files. Raises UsageError for an operation without a plain form: nothing outside of this evonas
    could compute it."""
    check_sources(outgoing.plan)
    document: Any = outgoing.plan.to_json()
    nodes = ",\n".join(f"  {json.dumps(node)}" for node in document["nodes"])
    text = f'{{"schema": {SCHEMA}, "input": {json.dumps(document["input"])}, "nodes": [\n{nodes}\n]}}\n'
    (folder / PLAN).write_text(text, encoding="utf-8")
    data = save({name: tensor.contiguous().clone() for name, tensor in outgoing.weights.items()})
    (folder / WEIGHTS).write_bytes(data)
    signature = {"schema": SCHEMA, **outgoing.signature.to_json()}
    (folder / PREPROCESSING).write_text(json.dumps(signature, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def outgoing_of(folder: Path, title: str = "") -> Outgoing:
    """What the folder holds. Raises UsageError for files that are missing or damaged."""
    read_plan = _document(folder / PLAN)
    signature = _document(folder / PREPROCESSING)
    check_file(folder / WEIGHTS, REMEDY)
    with reading(folder, "an exported model", REMEDY):
        plan = Plan.from_json(read_plan)
        return Outgoing(title, plan, Signature.from_json(signature), load_file(folder / WEIGHTS))


def read(path: Path) -> tuple[Signature, Deployed]:
    """What the model that the file plan.json belongs to takes and gives, and the model. Raises as `outgoing_of`."""
    found = outgoing_of(path.parent)
    network = Network(found.plan, torch.Generator())
    with reading(path.with_name(WEIGHTS), "the weights of the plan beside it", REMEDY):
        network.load_state_dict(dict(found.weights))
    return found.signature, Deployed(network, found.signature).eval()


def _document(path: Path) -> dict[str, Any]:
    check_file(path, REMEDY)
    with reading(path, "an exported model", REMEDY):
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = document.pop("schema", None)
    if schema != SCHEMA:
        raise UsageError(f"{path} has the schema {schema}, and this evonas reads {SCHEMA}; use a newer evonas")
    return document

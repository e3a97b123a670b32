"""What a run has left of a candidate: its plan, its trained weights, and what its numbers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import RunError
from evonas_cli.core.evaluating import WEIGHTS
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.run.stored import stored_config
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal

if TYPE_CHECKING:
    from evonas_cli.nn.build import Network


@dataclass(frozen=True)
class Artifact:
    """A candidate's trained network as its file holds it.

    `path` is the file of the weights, `epochs` how many were trained; `weights` are tensors on the CPU by the names
    that they have in a `Network` of the plan. The network takes normalised inputs (`signature`).
    """

    id: int
    path: Path
    plan: Plan
    signature: Signature
    epochs: int
    weights: Mapping[str, Any]

    def network(self) -> Network:
        """The network with its weights, on the CPU, in evaluation mode. Raises RunError for weights that do not fit."""
        import torch

        from evonas_cli.nn.build import Network

        network = Network(self.plan, torch.Generator())
        try:
            network.load_state_dict(dict(self.weights))
        except RuntimeError as error:
            raise RunError(f"{self.path} is damaged: its weights are not those of its plan") from error
        return network.eval()


def read_artifact(run: RunDirectory, id: int) -> Artifact:
    """The trained network of candidate `id`, checked against what the journal has recorded of the candidate.

    Raises RunError for an id that the run does not have, a candidate without weights, and files that are damaged.
    """
    from evonas_cli.training.checkpoint import Source

    entry = recorded(run, id)
    folder = run.folder(id)
    path = folder / WEIGHTS
    remedy = f"`evonas retrain {run.root} {id}` trains it and keeps its weights"
    if not path.exists():
        raise RunError(f"{run.root} has no weights of candidate {id}; {remedy}")
    source = Source(folder=folder, run_seed=stored_config(run)["seed"], id=id, origin=records.origin_of(entry))
    try:
        state = source.read()
    except ValueError as error:
        raise RunError(f"{error}; {remedy}") from error
    if "plan" not in state or "signature" not in state:
        raise RunError(f"{path} does not say which network its weights belong to; {remedy}")
    try:
        plan = Plan.from_json(json.loads(state["plan"]))
        signature = Signature.from_json(json.loads(state["signature"]))
    except (ValueError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}; {remedy}") from error
    return Artifact(id, path, plan, signature, state["progress"].kept or state["progress"].epoch, state["model"])


def load_network(run: RunDirectory, id: int) -> Network:
    """The trained network of candidate `id`, as `read_artifact` finds it, ready for normalised inputs.

    Raises RunError, as `read_artifact` does.
    """
    return read_artifact(run, id).network()


def recorded(run: RunDirectory, id: int) -> dict[str, Any]:
    """The candidate's line of the journal. Raises RunError where there is none, or the candidate failed."""
    journal = Journal(run.journal, write=False)
    try:
        if id not in journal:
            raise RunError(f"{run.root} has no candidate {id}; it has {len(journal)}, from id 0 on")
        entry: dict[str, Any] = journal.read(id)
    finally:
        journal.close()
    if entry["status"] != "ok":
        error = entry.get("error", {})
        raise RunError(
            f"candidate {id} of {run.root} failed ({error.get('kind')}: {error.get('text')}), so it has no weights"
        )
    return entry

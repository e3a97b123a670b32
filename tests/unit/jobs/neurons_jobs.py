"""Neurons jobs on small data, and what they say of graphs: what the tests of the job share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benches import bench, unit
from neural_space import Graphs

from evonas_cli.config.folders import conf_root, read
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.data.npz import Npz
from evonas_cli.data.planar import Gaussians
from evonas_cli.jobs.neurons import TrainNeurons
from evonas_cli.network.neurons import Neurons
from evonas_cli.store.directory import RunDirectory

SETTINGS = {
    key: value for key, value in read(conf_root() / "job/neurons.yaml").items() if key[0] != "_" and key != "defaults"
}
SETTINGS |= {"steps": 20, "check_every": 10}
POINTS = Gaussians(noise=0.5, seed=0, n_train=40, n_valid=30, n_test=20)
LINEAR = Neurons(2, 1, ("add",), ((0, 3), (1, 3), (2, 3)), (0.5, 0.25, -1.0))
SOLVED = Neurons(2, 1, ("multiply", "add"), ((0, 3), (1, 3), (0, 4), (1, 4), (2, 4), (3, 4)), (1, 1, 10, 10, -5, -20))
"""The four corners: 10 x + 10 y - 20 x y - 5."""


def job(dataset: Any = POINTS, space: Any = None, seed: int = 0, **changes: Any) -> TrainNeurons:
    return TrainNeurons(
        space=space or Graphs(),
        dataset=dataset,
        seed=seed,
        device="cpu",
        deterministic=True,
        threads=1,
        **{**SETTINGS, **changes},
    )


def asked(graphs: Sequence[Neurons], **proposal: Any) -> list[Candidate[Neurons]]:
    return [Candidate(id, 0, 100 + id, Proposal(graph, **proposal)) for id, graph in enumerate(graphs)]


def results(made: TrainNeurons, candidates: Sequence[Candidate[Neurons]]) -> list[Result]:
    found = bench(made).evaluate(unit(candidates), RunDirectory(Path()))
    return sorted(found, key=lambda result: result.id)


def result(made: TrainNeurons, graph: Neurons = LINEAR, **proposal: Any) -> Result:
    [found] = results(made, asked([graph], **proposal))
    return found


def vectors(tmp_path: Path, x: Any, y: Any, kind: str) -> Npz:
    path = tmp_path / "vectors.npz"
    np.savez(path, x_train=np.asarray(x, dtype=np.float32), y_train=y)
    node = read(conf_root() / "dataset/npz.yaml")
    given = {key: value for key, value in node.items() if key != "_target_"}
    return Npz(**{**given, "path": str(path), "kind": kind, "valid_fraction": 0.25, "test_fraction": 0.25})

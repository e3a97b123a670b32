"""Detectors outside of evonas: the plain file finds the boxes that evonas finds, and metrics are those of training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.data.boxes import padded
from evonas_cli.export import source
from evonas_cli.export.examples import read_examples
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.export.scoring import answers, header, metrics_of, outputs_of
from evonas_cli.network.detection import outputs
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task
from evonas_cli.nn import detection
from evonas_cli.nn.build import Network
from evonas_cli.spaces.fpn import Fpn

TASK = Task((3, 16, 32), outputs((3, 16, 32), 2), "boxes")


@pytest.fixture
def detector() -> Outgoing:
    space = Fpn(channels=2, width=4, repeats=1)
    plan = space.decode(space.from_json("top_down"), TASK).plan
    network = Network(plan, torch.Generator().manual_seed(0))
    for parameter in network.parameters():
        parameter.data += 0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    list(network.parameters())[-1].data += 3.0  # scores that are told to people
    scale = (100.0, 120.0, 90.0), (50.0, 60.0, 70.0)
    signature = Signature(TASK, *scale, ("cat", "dog"), preparation={"form": "arrays", "bytes": True})
    return Outgoing("A detector", plan, signature, network.state_dict())


def pixels(count: int = 3) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (count, *TASK.inputs), dtype=np.uint8)


def test_the_plain_file_finds_what_evonas_finds(detector, tmp_path):
    source.write(detector, tmp_path)
    text = (tmp_path / source.FILE).read_text()
    assert "evonas_cli" not in text and f"PRIOR = {detection.PRIOR}" in text
    scope = {"__file__": str(tmp_path / source.FILE), "__name__": "exported"}
    exec(compile(text, source.FILE, "exec"), scope)
    x = pixels()
    with torch.inference_mode():
        raw = scope["load"]()(torch.tensor(x).float())
    torch.testing.assert_close(raw, outputs_of(detector.deployed, x), rtol=1e-4, atol=1e-5)
    assert scope["header"](scope["NAMES"]) == header(detector.signature) == ["boxes", "found"]
    rows = scope["answers"](raw, scope["NAMES"])
    assert rows == answers(raw, detector.signature) and len(rows) == 3
    assert all(count == len(said.split("; ")) if count else said == "" for count, said in rows)
    assert any(count for count, _ in rows)


def test_a_file_of_examples_is_measured_by_the_metrics_of_training(detector, tmp_path):
    y = padded([[(0, 1, 1, 9, 9)], [], [(1, 2, 2, 30, 14), (0, 0, 0, 4, 4)]])
    np.savez(tmp_path / "some.npz", x=pixels(), y=y)
    examples = read_examples(tmp_path / "some.npz", detector.signature)
    found = metrics_of(outputs_of(detector.deployed, examples.x), examples.y, detector.signature)
    assert sorted(found) == ["loss", "map50", "mean_iou"] and 0 <= found["map50"] <= 1
    with pytest.raises(UsageError, match="no example has a box"):
        metrics_of(outputs_of(detector.deployed, examples.x), np.full_like(y, -1), detector.signature)
    np.savez(tmp_path / "bad.npz", x=pixels(), y=np.zeros(3))
    with pytest.raises(UsageError, match="boxes are numbers"):
        read_examples(tmp_path / "bad.npz", detector.signature)

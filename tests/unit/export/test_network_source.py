"""Every operation in its plain PyTorch form gives what evonas' own module gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networks
import pytest
import torch

from evonas_cli.export import source
from evonas_cli.export.network_source import network_source
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan

CASES = networks.cases()


def test_each_operation_of_evonas_has_a_case() -> None:
    own = {name for name, op in OPS.items() if op.build.startswith("evonas_cli.")}
    assert {name.partition("-")[0] for name in CASES} == own


@pytest.mark.parametrize("name", CASES)
def test_an_operation_computes_the_same_in_its_plain_form(name: str, tmp_path: Path) -> None:
    outgoing = networks.outgoing(CASES[name])
    source.write(outgoing, tmp_path)
    signature, model = source.read(tmp_path / source.FILE)
    x = networks.inputs(CASES[name])
    with torch.inference_mode():
        torch.testing.assert_close(model(x), outgoing.deployed(x), rtol=1e-5, atol=1e-5)
    assert signature == outgoing.signature
    assert "evonas" not in (tmp_path / source.FILE).read_text()

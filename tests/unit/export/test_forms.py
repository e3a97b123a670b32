"""Each form is read back as what was written, and says nothing of the machine."""

from __future__ import annotations

from pathlib import Path

import networks
import pytest
import torch

from evonas_cli.export.forms import FORMS

CASES = networks.cases()
SOME = {
    "dir": list(CASES),
    "onnx": ["conv-3-1", "attention-ids", "lstm-2-1"],
    "pt2": ["conv-3-1", "attention-ids", "lstm-2-1"],
}


@pytest.mark.parametrize(("form", "name"), [(form, name) for form, names in SOME.items() for name in names])
def test_a_form_is_read_as_what_was_written(form: str, name: str, tmp_path: Path) -> None:
    outgoing, x = networks.outgoing(CASES[name]), networks.inputs(CASES[name])
    FORMS[form].write(outgoing, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMS[form].files)
    signature, model = FORMS[form].read(tmp_path / FORMS[form].file)
    assert signature == outgoing.signature
    with torch.inference_mode():
        for given in (x, x[:1]):
            torch.testing.assert_close(model(given), outgoing.deployed(given), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_are_in_the_unit_of_the_targets(form: str, tmp_path: Path) -> None:
    outgoing = networks.outgoing(CASES["relu-1-0"], "numbers")
    x = networks.inputs(CASES["relu-1-0"])
    FORMS[form].write(outgoing, tmp_path)
    signature, model = FORMS[form].read(tmp_path / FORMS[form].file)
    mean, std = (torch.tensor(values) for values in (signature.mean, signature.std))
    with torch.inference_mode():
        raw = outgoing.deployed.network((x - mean) / std).double()
        wanted = raw * torch.tensor(signature.target_std) + torch.tensor(signature.target_mean)
        torch.testing.assert_close(model(x), wanted, rtol=1e-5, atol=1e-5)

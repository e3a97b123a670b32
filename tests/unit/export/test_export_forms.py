"""Each form is read back as what was written, and says nothing of the machine."""

from __future__ import annotations

from pathlib import Path

import networks
import pytest
import torch

from evonas_cli.core.errors import EvonasError
from evonas_cli.export.forms import FORMS
from evonas_cli.export.onnx import check_paths, strip

CASES = networks.cases()
SOME = {
    "dir": list(CASES),
    "onnx": ["attention-ids", "lstm-2-1"],
    "pt2": ["conv-3-1", "attention-ids", "lstm-2-1"],
}


@pytest.mark.parametrize(("form", "name"), [(form, name) for form, names in SOME.items() for name in names])
def test_a_form_is_read_as_what_was_written(form: str, name: str, tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript")
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
    if form == "onnx":
        pytest.importorskip("onnxscript")
    outgoing = networks.outgoing(CASES["relu-1-0"], "numbers")
    x = networks.inputs(CASES["relu-1-0"])
    FORMS[form].write(outgoing, tmp_path)
    signature, model = FORMS[form].read(tmp_path / FORMS[form].file)
    mean, std = (torch.tensor(values) for values in (signature.mean, signature.std))
    with torch.inference_mode():
        raw = outgoing.deployed.network((x - mean) / std).double()
        wanted = raw * torch.tensor(signature.target_std) + torch.tensor(signature.target_mean)
        torch.testing.assert_close(model(x), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("path", ["/somewhere/else/evonas_cli/nn/build.py", str(Path.home() / "models" / "x.bin")])
def test_a_file_with_a_local_path_is_refused(path: str) -> None:
    check_paths(b"\x08 a/b.py and weights", "model.onnx")
    with pytest.raises(EvonasError, match=r"model.onnx would hold the local path"):
        check_paths(b"\x08" + path.encode() + b"\x00", "model.onnx")


def test_traces_of_the_exporter_are_stripped(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Relu", ["x"], ["y"], doc_string="made in /a/b.py")
    node.metadata_props.add(key="stack", value="/a/b.py")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    body = onnx.helper.make_graph([node], "inner", [value], [value])
    condition = onnx.helper.make_node("If", ["x"], ["z"], then_branch=body, else_branch=body)
    model = onnx.helper.make_model(onnx.helper.make_graph([condition], "outer", [value], [value], doc_string="/a/b.py"))
    model.metadata_props.add(key="path", value="/a/b.py")
    strip(model)
    assert b"/a/b.py" not in model.SerializeToString()
    assert model.graph.node[0].attribute[0].g.node[0].op_type == "Relu"

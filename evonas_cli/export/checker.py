"""A program of its own: computes the outputs of exported models where evonas cannot be imported.

`python -I checker.py SPEC.json`; SPEC names search `path`s of packages, an .npy file `x` of inputs, the files of models
by form, and a folder `out`, into which the outputs of each form are written as .npy files. All inputs are given in
batches, and the first one alone, as batch sizes may differ.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BATCH = 256


class Absent:
    """An importer for which evonas is not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Raises ModuleNotFoundError for evonas, wherever it lies."""
        if name.partition(".")[0] == "evonas_cli":
            raise ModuleNotFoundError(f"the exported model imports {name}")


def load(form: str, path: str) -> Any:
    """The model in a file, from a tensor to a tensor."""
    import torch

    if form == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return lambda x: torch.from_numpy(session.run(None, {"x": x.numpy()})[0])
    if form == "pt2":
        return torch.export.load(path).module()
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("exported_model", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def main(words: list[str]) -> None:
    """Computes and writes the outputs."""
    spec = json.loads(Path(words[0]).read_text(encoding="utf-8"))
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Absent())
    sys.path += [one for one in spec["path"] if one not in sys.path]
    import numpy as np
    import torch

    x = torch.from_numpy(np.load(spec["x"]))
    for form, path in spec["models"].items():
        model = load(form, path)
        with torch.inference_mode():
            made = torch.cat([model(part) for part in torch.split(x, BATCH)])
            alone = model(x[:1])
        np.save(Path(spec["out"]) / f"{form}.npy", made.numpy())
        np.save(Path(spec["out"]) / f"{form}-alone.npy", alone.numpy())
    assert "evonas_cli" not in sys.modules, "the exported model has imported evonas"


if __name__ == "__main__":
    main(sys.argv[1:])

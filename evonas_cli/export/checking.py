"""Whether exported files compute what the trained network does, in a clean process without evonas.

The outputs of every form on a part of the run's data may differ from the network's by TOLERANCE at most, and no answer
may become another one in number: the accuracy has to be the same. Networks with int8 products have a wider bound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evonas_cli.core.errors import EvonasError
from evonas_cli.export import dir as folder_form
from evonas_cli.export import source
from evonas_cli.export.forms import FORMS
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.export.scoring import outputs_of
from evonas_cli.network.signature import Signature

TOLERANCE = 1e-4
"""The largest difference of two outputs: absolute up to 1, relative above; for numbers in deviations of the targets."""
ROUNDED = 0.1
"""The same for networks whose layers round their inputs to int8: where another order of sums changes a last bit, a
number may be rounded the other way. Of 100 answers one may then be another."""
CHECKER = Path(__file__).with_name("checker.py")


@dataclass(frozen=True)
class Part:
    """Examples of a run that the check may look at: `name` says of which part, `what` each one is; `x` and `y` are as
    in `Examples`, or y the places of the actions (N,) that a policy took at observations."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    what: str = "example"


@dataclass(frozen=True)
class Checked:
    """The part that was computed again, `what` it has and how many `examples`, the largest difference of each form, and
    how many of them each form answers rightly, as the class or as the action that the policy took (None: the answers
    are neither)."""

    part: str
    what: str
    examples: int
    differences: dict[str, float]
    right: int | None


def check(outgoing: Outgoing, folder: Path, forms: Sequence[str], part: Part) -> Checked:
    """Computes the outputs of each form in `folder` once more. Raises EvonasError, with one line, for a form that
    cannot be loaded without evonas or that gives something else."""
    wanted = outputs_of(outgoing.deployed, part.x)
    with TemporaryDirectory() as scratch:
        found = _computed(outgoing, folder, forms, part.x, Path(scratch))
    rounds = any(node.op == "linear_int8" for node in outgoing.plan.nodes)
    tolerance, others = (ROUNDED, len(part.x) // 100) if rounds else (TOLERANCE, 0)
    differences, right = {}, None
    for form, (made, alone) in found.items():
        pairs = ((made, wanted), (alone, wanted[:1]))
        difference = max(_difference(one, other, outgoing.signature) for one, other in pairs)
        where = f"on the {part.name} part; nothing was kept, please report this"
        if not difference <= tolerance:
            by = f"outputs by up to {difference:.3g}, more than {tolerance:g},"
            raise EvonasError(f"the export as {form} differs: {by} {where}")
        ours, theirs = (_right(one, part.y, outgoing.signature) for one in (wanted, made))
        if abs(ours - theirs) > others:
            raise EvonasError(f"the export as {form} differs: {theirs} instead of {ours} right answers {where}")
        differences[form], right = difference, theirs
    one_of_several = outgoing.signature.task.kind in ("classes", "actions")
    return Checked(part.name, part.what, len(part.x), differences, right if one_of_several else None)


def _computed(
    outgoing: Outgoing, folder: Path, forms: Sequence[str], x: NDArray[Any], scratch: Path
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """For each form its outputs for all inputs, and for the first one alone."""
    files = {form: str(folder.absolute() / FORMS[form].file) for form in forms}
    if "dir" in files:
        files["dir"] = str(_from_data(folder, scratch / "dir"))
    kind = np.int64 if outgoing.signature.task.vocabulary else np.float32
    np.save(scratch / "x.npy", x.astype(kind))
    spec = {"path": sys.path, "x": str(scratch / "x.npy"), "models": files, "out": str(scratch)}
    (scratch / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, "-I", str(CHECKER), str(scratch / "spec.json")]
    done = subprocess.run(command, capture_output=True, text=True, errors="backslashreplace", cwd=scratch, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        text = f"the export cannot be used without evonas: {said[-1][:300]}"
        raise EvonasError(f"{text}; nothing was kept, please report this")

    def read(name: str) -> torch.Tensor:
        return torch.from_numpy(np.load(scratch / f"{name}.npy"))

    return {form: (read(form), read(f"{form}-alone")) for form in files}


def _from_data(folder: Path, scratch: Path) -> Path:
    """The plain file of the network that the form `dir` holds, made of what is on the disk."""
    scratch.mkdir()
    source.write(folder_form.outgoing_of(folder), scratch)
    return scratch / source.FILE


def _difference(made: torch.Tensor, wanted: torch.Tensor, signature: Signature) -> float:
    if made.shape != wanted.shape:
        return float("inf")
    gap = (made.double() - wanted.double()).abs()
    if signature.task.kind == "numbers":
        scale = torch.tensor(signature.target_std, dtype=torch.float64).expand_as(gap)
    else:
        scale = wanted.double().abs().clamp(min=1)
    return float((gap / scale).max())


def _right(outputs: torch.Tensor, y: NDArray[Any], signature: Signature) -> int:
    """How many answers are right; none are counted among numbers and boxes."""
    kind, targets = signature.task.kind, torch.tensor(y)
    if kind in ("numbers", "boxes"):
        return 0
    if kind == "labels":
        return int(((outputs > 0) == (targets > 0.5)).sum())
    return int((outputs.argmax(1) == targets).sum())

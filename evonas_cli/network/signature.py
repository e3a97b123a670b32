"""What goes into a trained network and what comes out: the task, and how the data was brought to the numbers of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.core.types import Json
from evonas_cli.network.task import Task


@dataclass(frozen=True, slots=True)
class Signature:
    """The meaning of a network's inputs and outputs.

    An input is (x - `mean`) / `std` for each channel or feature, on the scale of the data set; both are empty for token
    ids, which go in as they are. `names` are those of the classes, labels or numbers, as far as the data set has them,
    or of the classes of boxes. An output of a regression is (y - `target_mean`) / `target_std`; both are empty for
    other tasks. What outputs say of boxes is in `network/detection.py`.

    `preparation` is a JSON document that says how raw inputs become numbers on the scale of the data set. Its member
    `form` is one of

    arrays     arrays of the shape `task.inputs`; `bytes` says whether they are pixels of 0 to 255, and `environment`
               of which environment of gymnasium they are observations, if of any
    pictures   image files: `size` in pixels (null: no resizing), `ranges` of grey levels (`data.pictures`)
    table      rows of a table: `columns` as fitted, the words `missing`, and the columns `targets`
    text       texts: the `column` of a table, `tokens`, `lower`, `length`, the tokens `known`, and `targets`

    It is empty in files from before it was written.
    """

    task: Task
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()
    preparation: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """All members; numbers are read back to the last bit."""
        return {
            "task": self.task.to_json(),
            "mean": self.mean,
            "std": self.std,
            "names": self.names,
            "target_mean": self.target_mean,
            "target_std": self.target_std,
            "preparation": dict(self.preparation),
        }

    @classmethod
    def from_json(cls, data: Any) -> Signature:
        """The inverse of `to_json`; files without `preparation` are read, too. Raises ValueError for anything else."""
        try:
            numbers = [tuple(map(float, data[key])) for key in ("mean", "std", "target_mean", "target_std")]
            mean, std, target_mean, target_std = numbers
            names = tuple(map(str, data["names"]))
            task, preparation = Task.from_json(data["task"]), dict(data.get("preparation", {}))
            return cls(task, mean, std, names, target_mean, target_std, preparation)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{str(data)[:80]} does not say what goes into a network and comes out") from error

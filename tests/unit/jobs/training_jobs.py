"""What the tests of the training job share: a small cell on digits, folders, a job, a candidate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benches import bench, unit
from omegaconf import OmegaConf

from evonas_cli.core.types import Candidate, Proposal, Result, Training
from evonas_cli.data.digits import Digits
from evonas_cli.jobs.train import Train
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.training.trainer import Trainer

CONF = Path(__file__).parents[3] / "conf"
GENOME = ("nor_conv_3x3", "none", "none", "skip_connect", "none", "nor_conv_1x1")
SPACE = NasBench201(channels=4, cells_per_stage=1)
DIGITS = Digits(valid_fraction=0.5, test_fraction=0.2, limit=256, crop=0, flip=False, cutout=0)


class Folders:
    """A context with a folder for each candidate; without a root it keeps nothing. It remembers reports."""

    def __init__(self, root: Path | None = None) -> None:
        self.root, self.reported = root, list[Training]()

    def folder(self, id: int) -> Path | None:
        return None if self.root is None else self.root / str(id)

    def report(self, training: Training) -> None:
        self.reported.append(training)


def trainer(**changes: Any) -> Trainer:
    loaded = OmegaConf.to_container(OmegaConf.load(CONF / "trainer/sgd.yaml"))
    del loaded["_target_"]
    return Trainer(
        **{**loaded, "save_state": False, "epochs": 2, "batch_size": 32, "checkpoint_seconds": None, **changes}
    )


def job(space: Any = SPACE, seed: int = 5, dataset: Any = DIGITS, in_flight: int = 1, **changes: Any) -> Train:
    return Train(
        space=space,
        dataset=dataset,
        trainer=trainer(**changes),
        seed=seed,
        device="cpu",
        deterministic=True,
        threads=1,
        in_flight=in_flight,
    )


def candidate(id: int = 0, genome: Any = GENOME, **proposal: Any) -> Candidate[Any]:
    return Candidate(id=id, step=0, seed=1000 + id, proposal=Proposal(genome=genome, **proposal))


def run(what: Train, *candidates: Candidate[Any], root: Path | None = None) -> list[Result]:
    return list(bench(what).evaluate(unit(candidates or [candidate()]), Folders(root)))


def repeatable(result: Result) -> Result:
    metrics = {name: value for name, value in result.metrics.items() if not name.endswith("_seconds")}
    return replace(result, seconds=0.0, metrics=metrics)

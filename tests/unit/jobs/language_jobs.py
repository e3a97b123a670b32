"""What the tests of the language job share: small jobs, candidates, contexts, a space of errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches import bench, unit

from evonas_cli.config.folders import conf_root, read
from evonas_cli.core.types import Candidate, Proposal, Result, Training
from evonas_cli.data.copying import Copy
from evonas_cli.jobs.language import Language
from evonas_cli.network.cell import Cell
from evonas_cli.spaces.rnn_cell import NASCELL, RnnCell
from evonas_cli.training.trainer import Trainer

SPACE = RnnCell()
GENOME = SPACE.from_json(NASCELL)
EASY = Copy(symbols=3, length=2, blanks=1, n_train=5, n_valid=2, n_test=1)
SETTINGS: dict[str, Any] = {"hidden": 12, "unroll": 20, "dropout": 0.0}
TRAINER = {key: value for key, value in read(conf_root() / "trainer/language.yaml").items() if key != "_target_"}
TRAINER |= {"save_state": False, "epochs": 6, "batch_size": 4, "learning_rate": 0.01, "checkpoint_seconds": None}


class Folders:
    """A context that makes folders below a root; without one it keeps nothing. It remembers reports."""

    def __init__(self, root: Path | None = None) -> None:
        self.root, self.reported = root, list[Training]()

    def folder(self, id: int) -> Path | None:
        return self.root

    def report(self, training: Training) -> None:
        self.reported.append(training)


def job(dataset: Any = EASY, space: Any = SPACE, seed: int = 5, **changes: Any) -> Language:
    return Language(
        space=space,
        dataset=dataset,
        trainer=Trainer(**{**TRAINER, **{key: value for key, value in changes.items() if key in TRAINER}}),
        seed=seed,
        device="cpu",
        deterministic=True,
        threads=1,
        **{**SETTINGS, **{key: value for key, value in changes.items() if key not in TRAINER}},
    )


def candidate(genome: Any = GENOME, seed: int = 3, **proposal: Any) -> Candidate[Any]:
    return Candidate(id=7, step=0, seed=seed, proposal=Proposal(genome, **proposal))


def result(made: Language, asked: Candidate[Any] | None = None, root: Path | None = None) -> Result:
    [found] = bench(made).evaluate(unit([asked or candidate()]), Folders(root))
    return found


def unmeasured(found: Result) -> dict[str, float]:
    return {name: value for name, value in found.metrics.items() if not name.endswith("_seconds")}


class Raising:
    """A space whose genomes are what decoding them raises; each is raised once."""

    def decode_cell(self, genome: list[Exception]) -> Cell:
        if genome:
            raise genome.pop(0)
        return SPACE.decode_cell(GENOME)

"""`strategy=adanet` from end to end: growth on digits, lost weights, export, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from evonas_cli.cli.app import run
from evonas_cli.data.digits import Digits
from evonas_cli.run.artifacts import load_network, read_artifact
from evonas_cli.store.directory import RunDirectory

GROW = ("search", "strategy=adanet", "space=mlp_ensemble", "dataset=digits", "dataset.limit=300", "trainer.epochs=2")
KEEP = ("trainer.batch_size=32", "trainer.precision=fp32", "trainer.save_state=true", "strategy.rounds=3")
HERE = ("device=cpu", "evaluator=serial", "strategy.force_grow=true", "--quiet")
SEARCH = (*GROW, *KEEP, *HERE)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("grown") / "run"
    assert run([*SEARCH, "--run-dir", str(root)]) == 0
    return root


def entries(root: Path) -> dict[int, dict[str, Any]]:
    lines = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return {entry["id"]: entry for entry in lines}


def last_figures(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "figures.jsonl").read_text().splitlines()[-1])
    return found


def test_the_ensemble_is_the_weighted_sum_of_its_frozen_members(grown: Path) -> None:
    ensemble = last_figures(grown)["ensemble"]
    entry, directory = entries(grown)[ensemble], RunDirectory(grown)
    signature = read_artifact(directory, ensemble).signature
    x = torch.from_numpy(Digits(valid_fraction=0.2, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0)
                         .read().x_train[:64]).float()  # fmt: skip
    x = (x - torch.tensor(signature.mean).view(1, -1, 1, 1)) / torch.tensor(signature.std).view(1, -1, 1, 1)
    members = [load_network(directory, id) for id in entry["options"]["members"]]
    with torch.no_grad():
        sums = sum(w * member(x) for w, member in zip(entry["payload"]["weights"], members, strict=True))
        assert torch.allclose(load_network(directory, ensemble)(x), sums, atol=1e-4)
    assert entry["metrics"]["members"] == 3 == len(members)
    assert entry["metrics"]["best_member_accuracy"] == max(
        entries(grown)[id]["metrics"]["valid_accuracy"] for id in entry["options"]["members"]
    )


def test_each_round_takes_the_smaller_objective(grown: Path) -> None:
    figures, found = last_figures(grown), entries(grown)
    mixed = [entry for entry in found.values() if entry.get("job") == "ensemble"]
    for round, value in enumerate(figures["objectives"], 1):
        tried = [entry["metrics"]["objective"] for entry in mixed if len(entry["genome"]) == round]
        assert len(tried) == 2 and value == min(tried)


def test_it_is_exported_verified_and_repeated(grown: Path, tmp_path: Path) -> None:
    ensemble = str(last_figures(grown)["ensemble"])
    assert run(["export", str(grown), ensemble, "--format", "dir,py", "-o", str(tmp_path / "model")]) == 0
    assert (tmp_path / "model" / "model.py").exists()
    assert run(["verify", str(grown), "--replay"]) == 0


def test_lost_weights_of_a_new_subnetwork_are_trained_again(grown: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    assert run([*SEARCH, "budget.evaluations=6", "--run-dir", str(root)]) == 0
    new = max(id for id, entry in entries(root).items() if not entry.get("job"))
    shutil.rmtree(root / "candidates" / str(new))
    assert run(["resume", str(root), "budget.evaluations=60", "--quiet"]) == 0
    told = lambda entry: {key: entry[key] for key in ("genome", "labels", "options") if key in entry}  # noqa: E731
    assert {id: told(entry) for id, entry in entries(root).items()} == {
        id: told(entry) for id, entry in entries(grown).items()
    }


def test_lost_weights_of_a_member_are_one_line(refused: Callable[..., str], tmp_path: Path) -> None:
    root = tmp_path / "run"
    assert run([*SEARCH, "budget.evaluations=6", "--run-dir", str(root)]) == 0
    member = next(entry["parents"][0] for entry in entries(root).values() if entry.get("job"))
    kept = [id for id in (0, 1) if (root / "candidates" / str(id) / "state.pt").exists()]
    assert kept and member in (0, 1)
    for id in kept:
        (root / "candidates" / str(id) / "state.pt").unlink()
    said = refused(4, "resume", str(root), "budget.evaluations=60", "--quiet")
    assert "whose weights are lost" in said and "put the file back and resume the run" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("strategy.beta=-1",), "strategy.beta is -1.0; a penalty is a number of at least 0"),
        (("strategy.complexity=-0.5",), "strategy.complexity is -0.5; a penalty is a number of at least 0"),
        (("trainer.save_state=false",), "set trainer.save_state=true"),
        (("window=2",), "strategy AdaNet asks at most 1 step ahead of what it was told; set window=1"),
        (("space=mlp",), "strategy AdaNet needs a space that is Ensembling, which Mlp is not"),
        (("jobs={}",), "strategy AdaNet needs a further job named ensemble; add it"),
        (
            ("dataset=csv", "dataset.path=n.csv", "dataset.target=[b]", "dataset.kind=numbers"),
            "jobs.ensemble: an ensemble is mixed by the cross-entropy of classes, and the data set Csv has numbers",
        ),
    ],
)
def test_refusals(refused: Callable[..., str], words: tuple[str, ...], said: str) -> None:
    Path("n.csv").write_text("a,b\n" + "".join(f"{n},{n * n / 7}\n" for n in range(40)))
    keys = [word.partition("=")[0] for word in words]
    kept = [word for word in (*GROW, *KEEP, *HERE) if word.partition("=")[0] not in keys]
    kept = [word for word in kept if "dataset" not in keys or not word.startswith("dataset")]
    assert said in refused(2, *kept, *words)

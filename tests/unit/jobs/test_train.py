"""The training job: results, costs, caps, and what it leaves behind."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest
import torch
from benches import bench
from omegaconf import OmegaConf
from training_jobs import CONF, DIGITS, GENOME, SPACE, Folders, candidate, job, repeatable, run

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.digits import Digits
from evonas_cli.jobs.train import Train
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.task import Phenotype
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.training import steps
from evonas_cli.training.candidates import built
from evonas_cli.training.candidates import workbench as module
from evonas_cli.training.checkpoint import CHECKPOINT, KEPT, Checkpoint
from evonas_cli.training.device.setup import precision_of
from evonas_cli.training.trainer import Trainer


def test_a_result_has_every_metric():
    (result,) = run(job())
    plan = SPACE.decode(GENOME, DIGITS.task()).plan
    assert result.status == "ok"
    assert set(result.metrics) == set(job().metrics)
    assert result.metrics["parameters"] == plan.parameters
    assert result.metrics["multiply_adds"] == plan.multiply_adds
    assert result.metrics["epochs"] == 2
    assert result.metrics["cost"] == 3 * plan.multiply_adds * 2 * 128 / 1e9
    assert result.seconds >= result.metrics["train_seconds"] > 0
    assert result.labels == {"network": canonical_hash(plan)}


def test_the_training_part_is_measured_in_evaluation_mode_when_asked():
    measuring = job(measure_train=True)
    (plain,), (result,) = run(job()), run(measuring)
    assert (
        set(result.metrics)
        == set(measuring.metrics)
        == set(job().metrics) | {f"train_eval_{name}" for name in ("loss", "error", "accuracy", "balanced_error", "f1")}
    )
    assert result.metrics["valid_loss"] == plain.metrics["valid_loss"]
    assert result.metrics["train_eval_loss"] != result.metrics["train_loss"]


def test_the_plan_counts_the_parameters_that_are_trained():
    plan = SPACE.decode(GENOME, DIGITS.task()).plan
    network = built.Network(plan, torch.Generator())
    assert sum(parameter.numel() for parameter in network.parameters()) == plan.parameters


def test_results_repeat_whatever_came_before():
    first = run(job(), candidate(0), candidate(1))
    torch.rand(3)
    (again,) = run(job(), candidate(1))
    assert repeatable(first[1]) == repeatable(again)
    assert first[0].metrics["valid_loss"] != first[1].metrics["valid_loss"]


def test_the_seed_of_the_run_counts():
    assert repeatable(run(job(seed=5))[0]) != repeatable(run(job(seed=6))[0])


def test_fidelity_shortens_and_continuing_costs_only_the_rest(tmp_path):
    rungs = job(epochs=4, save_state=True, checkpoint_seconds=0)
    first, second = run(rungs, candidate(0, fidelity=0.5), candidate(1, fidelity=1.0, continues=0), root=tmp_path)
    (whole,) = run(rungs, candidate(2), root=tmp_path)
    assert [first.metrics["epochs"], second.metrics["epochs"]] == [2, 4]
    assert first.metrics["cost"] == second.metrics["cost"] == whole.metrics["cost"] / 2
    (least,) = run(rungs, candidate(3, fidelity=0.01), root=tmp_path)
    assert least.metrics["epochs"] == 1
    assert {path.name for path in tmp_path.rglob("*.*")} == {KEPT}


def test_continuing_what_was_not_kept_stops_the_run(tmp_path):
    (tmp_path / "0").mkdir()
    with pytest.raises(EnvironmentFailure, match="candidate 1 continues another one.*state.pt is missing"):
        run(job(), candidate(1, continues=0), root=tmp_path)
    with pytest.raises(EnvironmentFailure, match="candidate 1 continues 0, but this run keeps no files"):
        run(job(), candidate(1, continues=0))


def test_no_folder_is_made_for_nothing(tmp_path):
    run(job(), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"max_parameters": 100}, "parameters, more than the 100 allowed"),
        ({"max_multiply_adds": 1000}, "multiply-adds, more than the 1000 allowed"),
    ],
)
def test_networks_over_the_cap_are_not_built(monkeypatch, changes, text):
    monkeypatch.setattr(built, "Network", lambda *arguments: pytest.fail("built"))
    (result,) = run(job(**changes))
    assert result.status == "failed"
    assert result.error.kind == "over_cap"
    assert text in result.error.text
    plan = SPACE.decode(GENOME, DIGITS.task()).plan
    assert str(plan.parameters if "max_parameters" in changes else plan.multiply_adds) in result.error.text


def test_a_network_at_the_cap_is_trained():
    plan = SPACE.decode(GENOME, DIGITS.task()).plan
    (result,) = run(job(max_parameters=plan.parameters, max_multiply_adds=plan.multiply_adds))
    assert result.status == "ok"


def test_what_cannot_be_decoded_fails():
    (result,) = run(job(space=NasBench201(stem_stride=3)))
    assert (result.status, result.error.kind) == ("failed", "unbuildable")
    assert "divisible by 12" in result.error.text


def test_divergence_fails_and_the_next_candidate_goes_on(tmp_path):
    class Overriding(NasBench201):
        def decode(self, genome, task):
            hyper = {"learning_rate": 1e30} if genome == "wild" else {}
            return replace(super().decode(GENOME, task), hyper=hyper)

    wild = job(space=Overriding(channels=4, cells_per_stage=1), checkpoint_seconds=0)
    first, second = run(wild, candidate(0, genome="wild"), candidate(1), root=tmp_path)
    assert (first.status, first.error.kind) == ("failed", "diverged")
    assert second.status == "ok"
    assert not list(tmp_path.rglob("*.*"))


def test_overrides_reach_the_training():
    class Longer(NasBench201):
        def decode(self, genome, task):
            return Phenotype(super().decode(genome, task).plan, {"epochs": 3})

    (result,) = run(job(space=Longer(channels=4, cells_per_stage=1)))
    assert result.metrics["epochs"] == 3


def test_unknown_overrides_fail_the_candidate():
    space = SimpleNamespace(decode=lambda genome, task: replace(SPACE.decode(genome, task), hyper={"lr": 0.1}))
    [result] = run(job(space=space))
    assert result.error.kind == "unbuildable" and "trainer.lr, which does not exist" in result.error.text


def test_an_interrupted_candidate_resumes_to_the_same_result(monkeypatch, tmp_path):
    expected = run(job(checkpoint_seconds=0, epochs=3))[0]
    replaced = Checkpoint.save

    def dying(self, place, progress):
        replaced(self, place, progress)
        if progress.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", dying)
    with pytest.raises(KeyboardInterrupt):
        run(job(checkpoint_seconds=0, epochs=3), root=tmp_path)
    assert (tmp_path / "0" / CHECKPOINT).exists()
    monkeypatch.setattr(Checkpoint, "save", replaced)
    found = run(job(checkpoint_seconds=0, epochs=3), root=tmp_path)[0]
    assert repeatable(found) == repeatable(expected)
    assert not (tmp_path / "0" / CHECKPOINT).exists()


def test_the_environment_names_what_results_depend_on():
    first, again, other = bench(job()).environment(), bench(job()).environment(), bench(job(seed=6)).environment()
    assert first == again
    assert first["data"] == DIGITS.fingerprint(5) != other["data"]
    assert {**first, "data": ""} == {
        "device": "cpu",
        "device_name": first["device_name"],
        "task": {"inputs": [1, 8, 8], "outputs": 10, "kind": "classes", "vocabulary": 0},
        "torch": torch.__version__,
        "threads": 1,
        "precision": precision_of("auto", torch.device("cpu"), large=True),
        "data": "",
    }


def test_data_that_cannot_be_read_is_the_machines_fault():
    class Gone(Digits):
        def read(self):
            raise PermissionError(13, "Permission denied", "somewhere")

    gone = Gone(valid_fraction=0.5, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0)
    with pytest.raises(EnvironmentFailure, match="the data cannot be read: .*Permission denied"):
        bench(job(dataset=gone)).environment()


def test_data_is_read_once_and_only_when_needed():
    reads = []

    class Counted(Digits):
        def read(self):
            reads.append(1)
            return super().read()

    counted = Counted(valid_fraction=0.5, test_fraction=0.2, limit=128, crop=0, flip=False, cutout=0)
    what = job(dataset=counted)
    assert reads == []
    bench(what).environment()
    run(what, candidate(0), candidate(1))
    assert reads == [1]


def living_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def test_nothing_is_left_in_memory(tmp_path):
    what = job(checkpoint_seconds=0)
    run(what, root=tmp_path)
    before = living_tensors()
    run(what, *[candidate(id) for id in range(1, 5)], root=tmp_path)
    run(job(space=NasBench201(stem_stride=3)))
    assert living_tensors() <= before


def test_the_default_settings_learn_digits():
    space = NasBench201(**{k: v for k, v in OmegaConf.load(CONF / "space/nasbench201.yaml").items() if k != "_target_"})
    dataset = Digits(**{k: v for k, v in OmegaConf.load(CONF / "dataset/digits.yaml").items() if k != "_target_"})
    for name in ("sgd", "adamw"):
        settings = {k: v for k, v in OmegaConf.load(CONF / f"trainer/{name}.yaml").items() if k != "_target_"}
        default = Train(space, dataset, Trainer(**{**settings, "save_state": False}), 0, "cpu", True, 1)
        (result,) = run(default, candidate(genome=("nor_conv_3x3",) * 2 + space.sample(Random(0))[2:]), root=None)
        assert result.metrics["valid_accuracy"] >= 0.95


def test_only_a_cuda_device_trains_several_networks_at_once():
    abreast = [job(in_flight=5).abreast({"device": kind}) for kind in ("cuda", "cpu")]
    assert abreast == [5, 1]
    with pytest.raises(UsageError, match=r"job.in_flight is 0; it must be an integer of at least 1"):
        job(in_flight=0)


def test_networks_in_flight_score_as_each_does_alone(monkeypatch, tmp_path):
    """With a recording that does the step again, and room for two: the device is all that is missing."""
    turns = []

    def again(step, generator):
        return lambda: (turns.append(threading.get_ident()), step())

    space = NasBench201(**{k: v for k, v in OmegaConf.load(CONF / "space/nasbench201.yaml").items() if k != "_target_"})
    candidates = [candidate(id, genome=space.sample(Random(id))) for id in range(3)] + [candidate(3, genome=("x",) * 6)]
    alone = [repeatable(result) for result in run(job(space=space, epochs=1), *candidates, root=tmp_path)]
    assert [result.status for result in alone] == ["ok", "ok", "ok", "failed"]
    monkeypatch.setattr(steps, "wants_graph", lambda trainer, data: True)
    monkeypatch.setattr(steps, "cuda_graph", again)
    monkeypatch.setattr(steps, "GRIP", 1)
    monkeypatch.setattr(module, "Room", lambda device: lambda: len(set(turns)) < 2)
    workbench = bench(job(space=space, epochs=1))
    found = [repeatable(result) for result in workbench._abreast(candidates, Folders(tmp_path))]
    assert found == alone
    changes = sum(a != b for a, b in zip(turns, turns[1:], strict=False))
    assert len(set(turns)) == 2 and changes > 4  # the third goes on in the thread of the first that has ended


def test_a_graph_that_cannot_be_is_refused_before_anything_is_trained():
    with pytest.raises(UsageError, match="trainer.graph=true needs a CUDA device"):
        bench(job(graph=True)).environment()


def test_what_is_used_instead_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr("evonas_cli.training.steps.has_bf16", lambda device: False)
    what = job(batch_size=100_000, precision="bf16")
    with caplog.at_level("WARNING"):
        assert [result.status for result in (*run(what), *run(what))] == ["ok", "ok"]
    (batch, precision, updates) = caplog.messages
    assert batch.startswith("trainer.batch_size=100000 is more than the ")
    assert precision.startswith("trainer.precision=bf16: this device emulates bf16")
    assert updates.startswith("each training makes only 2 updates of the weights (2 epochs x 1 batch of ")

"""The training job: what is a candidate's fault, and what the machine's."""

from __future__ import annotations

import logging

import pytest
import torch
from training_jobs import candidate, job, repeatable, run

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.failures import MICRO_BATCHES
from evonas_cli.network.plan import PlanError
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.candidates import fitting as module
from evonas_cli.training.device.errors import is_device_error, is_out_of_memory


def raising(monkeypatch, *errors: Exception) -> None:
    """Networks raise each of the errors once, and work after that."""
    left = list(errors)

    class Raising(Population):
        def forward(self, x):
            if left:
                raise left.pop(0)
            return super().forward(x)

    monkeypatch.setattr(module, "Population", Raising)


def test_other_errors_fail_with_a_traceback(monkeypatch, tmp_path):
    raising(monkeypatch, ValueError("two\nlines"))
    first, second = run(job(), candidate(4), candidate(5), root=tmp_path)
    assert first.error.kind == "error"
    assert first.error.text.endswith(" in raising.<locals>.Raising.forward: ValueError: two lines")
    assert second.status == "ok"
    trace = (tmp_path / "4/traceback.txt").read_text()
    assert trace.startswith("Traceback") and "in forward" in trace
    assert not (tmp_path / "5").exists()


def test_out_of_memory_is_tried_in_micro_batches_at_last(monkeypatch, caplog):
    memory = torch.OutOfMemoryError("CUDA out of memory")
    raising(monkeypatch, memory)
    with caplog.at_level(logging.WARNING):
        (result,) = run(job())
    assert result.status == "ok" and MICRO_BATCHES not in result.labels
    assert "candidate 0 ran out of memory, trying once more" in caplog.text
    raising(monkeypatch, memory, memory)
    with caplog.at_level(logging.WARNING):
        (parted,) = run(job())
    assert parted.status == "ok" and parted.labels[MICRO_BATCHES] == "2"
    assert "candidate 0 ran out of memory twice, trying once more in micro-batches" in caplog.text
    assert parted.metrics["cost"] == result.metrics["cost"]
    raising(monkeypatch, memory, MemoryError(), memory)
    (failed,) = run(job())
    assert (failed.status, failed.error.kind) == ("failed", "oom")


def test_small_batches_are_not_divided(monkeypatch):
    raising(monkeypatch, *[torch.OutOfMemoryError("CUDA out of memory")] * 2)
    (result,) = run(job(batch_size=3))
    assert result.error.kind == "oom" and "batches of 3 take too much memory" in result.error.text


def test_a_training_in_micro_batches_leaves_what_others_leave(monkeypatch, tmp_path):
    raising(monkeypatch, *[torch.OutOfMemoryError("CUDA out of memory")] * 2)
    (first,) = run(job(checkpoint_seconds=0, save_state=True), root=tmp_path / "a")
    raising(monkeypatch, *[torch.OutOfMemoryError("CUDA out of memory")] * 2)
    (second,) = run(job(), root=tmp_path / "b")
    assert repeatable(first).metrics == repeatable(second).metrics
    assert first.labels["state"] and list((tmp_path / "a/0").iterdir()) == [tmp_path / "a/0/state.pt"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: unspecified launch failure"),
    ],
)
def test_errors_of_the_machine_are_no_results(monkeypatch, error):
    raising(monkeypatch, error)
    with pytest.raises(EnvironmentFailure, match="candidate 0 stopped"):
        run(job())


def test_a_full_disk_while_saving_is_no_result(monkeypatch, tmp_path):
    monkeypatch.setattr("evonas_cli.training.state.os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(EnvironmentFailure, match="candidate 0 stopped: .*full"):
        run(job(checkpoint_seconds=0), root=tmp_path)


@pytest.mark.parametrize(
    ("error", "memory", "device"),
    [
        (torch.OutOfMemoryError("x"), True, False),
        (MemoryError(), True, False),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True, False),
        (RuntimeError("CUDA error: misaligned address"), False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False, True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear"), False, False),
        (RuntimeError("Expected canUse32BitIndexMath(input) to be true, but got false"), False, False),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True, False),
        (RuntimeError("CUDA error: out of memory"), True, False),
        (RuntimeError("CUDA driver error: out of memory"), True, False),
        (ValueError("CUDA error in a text"), False, False),
        (PlanError("x"), False, False),
    ],
)
def test_errors_are_told_apart(error, memory, device):
    assert is_out_of_memory(error) is memory
    assert is_device_error(error) is device


def test_real_exhaustion_of_memory_is_recognised():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(error.value)

"""Resolving devices and the process-wide switches."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.training.device.setup import device_name, gains_by_bf16, resolve


@pytest.fixture(autouse=True)
def restored():
    threads, deterministic = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    benchmark = torch.backends.cudnn.benchmark
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(deterministic)
    torch.backends.cudnn.benchmark = benchmark


@pytest.mark.parametrize("deterministic", [True, False])
def test_switches_are_set(monkeypatch, deterministic):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    assert resolve("cpu", deterministic, 1) == torch.device("cpu")
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled() is deterministic
    assert torch.backends.cudnn.benchmark is not deterministic
    assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert torch.backends.cudnn.conv.fp32_precision == "ieee"


def test_a_deterministic_cublas_has_its_workspace_unless_the_user_chose(monkeypatch):
    import os

    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    resolve("cpu", True, 1)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    resolve("cpu", True, 1)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_auto_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve("auto", False, 1) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert resolve("auto", False, 1) == torch.device("cuda", 0)


def test_absent_cuda_is_the_machines_fault(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EnvironmentFailure, match=r"device=cuda is not there: torch .*sees 0 CUDA devices.*device=cpu"):
        resolve("cuda", False, 1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve("cuda:1", False, 1) == torch.device("cuda", 1)
    with pytest.raises(EnvironmentFailure, match="device=cuda:2 is not there.*sees 2 CUDA devices"):
        resolve("cuda:2", False, 1)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_unknown_names_are_refused(name):
    with pytest.raises(UsageError, match="it must be auto, cpu, cuda or cuda:N"):
        resolve(name, False, 1)


@pytest.mark.parametrize("threads", [0, 1.0, True])
def test_threads_are_counted(threads):
    with pytest.raises(UsageError, match="threads is"):
        resolve("cpu", False, threads)


def test_a_cpu_has_a_name():
    assert torch.backends.cpu.get_cpu_capability() in device_name(torch.device("cpu"))


@pytest.mark.parametrize(
    ("capabilities", "gains"),
    [
        ({"amx_bf16": True, "avx512_bf16": True, "cpu_name": "Intel Xeon Platinum 8481C"}, True),
        ({"amx_bf16": False, "avx512_bf16": True, "cpu_name": "Intel Xeon"}, False),
        ({"avx512_bf16": True, "cpu_name": "AMD EPYC 9B14"}, True),
        ({"avx512_bf16": False, "cpu_name": "AMD EPYC 7763"}, False),
        ({}, False),
    ],
)
def test_which_processors_gain_by_bf16(capabilities: dict[str, object], gains: bool) -> None:
    assert gains_by_bf16(capabilities) is gains

"""The device a process trains on, and the switches that decide whether its results repeat bit for bit."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from functools import cache

import torch

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.training.device.allocator import keep_memory

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def resolve(device: str, deterministic: bool, threads: int) -> torch.device:
    """Sets up the process and returns the device: `auto` (CUDA where there is one), `cpu`, `cuda` or `cuda:N`.

    Process-wide: `threads` CPU threads; freed memory is kept; TF32 off, so that fp32 means fp32; with `deterministic`
    only deterministic algorithms, else cuDNN may choose the fastest by trial. New tensors are not filled with NaN, as
    torch does by default where algorithms are deterministic, with a kernel for each. Call it before CUDA is used.
    Raises UsageError for an unknown name, EnvironmentFailure when CUDA is asked for and absent.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise UsageError(f"device is {device!r}; it must be auto, cpu, cuda or cuda:N")
    if type(threads) is not int or threads < 1:
        raise UsageError(f"evaluator.threads is {threads!r}; it must be an integer of at least 1")
    if deterministic:
        os.environ.setdefault(WORKSPACE, ":4096:8")
    torch.set_num_threads(threads)
    keep_memory()
    # The same as use_deterministic_algorithms, which would import torch's compiler: half the start of every process.
    torch.set_deterministic_debug_mode("error" if deterministic else "default")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return _present(torch.device(device))


def _present(device: torch.device) -> torch.device:
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count <= (device.index or 0):
            raise EnvironmentFailure(
                f"device={device} is not there: torch {torch.__version__} (CUDA build: {torch.version.cuda or 'no'}) "
                f"sees {count} CUDA devices; pass device=cpu to go on without"
            )
        if device.index is None:
            return torch.device("cuda", torch.cuda.current_device())
    return device


def device_name(device: torch.device) -> str:
    """The GPU's name, or the CPU's architecture with the instructions that torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def precision_of(precision: str, device: torch.device, large: bool) -> str:
    """fp32 or bf16, as `auto` is resolved: bf16 on CUDA devices that compute in it by themselves, and, for `large`
    products, on CPUs that are faster in it. Large are convolutions of images, and products of several networks for
    images at once. Elsewhere conversion takes longer on CPUs than products in bf16 save: a single fully connected
    network trains 1.25 to 1.5 times as fast in float32 on a CPU with AMX."""
    if precision != "auto":
        return precision
    gains = has_bf16(device) if device.type == "cuda" else large and gains_by_bf16(torch.cpu.get_capabilities())
    return "bf16" if gains else "fp32"


@cache
def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 by itself."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def gains_by_bf16(capabilities: Mapping[str, object]) -> bool:
    """Whether a CPU, of which `torch.cpu.get_capabilities` tells, multiplies faster in bfloat16 than in float32: those
    with AMX do, and others with AVX-512 instructions for it but Intel's, which multiply as many numbers in a second and
    lose what conversion takes: 0.85 to 0.90 of the samples a second of float32 (`evonas bench engine`)."""
    if capabilities.get("amx_bf16"):
        return True
    return bool(capabilities.get("avx512_bf16")) and "Intel" not in str(capabilities.get("cpu_name"))

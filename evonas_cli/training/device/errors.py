"""What kind of error a training has met: no room, no kernel, a broken device."""

from __future__ import annotations

import torch

from evonas_cli.core import faults
from evonas_cli.core.faults import is_refused

__all__ = ["is_device_error", "is_out_of_memory", "is_refused", "one_line"]


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room: by torch's type of error or by its words."""
    return isinstance(error, torch.OutOfMemoryError) or faults.is_out_of_memory(error)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    if is_out_of_memory(error) or is_refused(error):
        return False
    return isinstance(error, torch.AcceleratorError) or faults.is_device_error(error)


def one_line(error: BaseException) -> str:
    """The message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]

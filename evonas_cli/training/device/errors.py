"""What kind of error a training has met: no room, no kernel, a broken device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from evonas_cli.core import faults
from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.faults import is_refused

__all__ = ["is_device_error", "is_out_of_memory", "is_refused", "one_line", "reading_data"]


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room: by torch's type of error or by its words."""
    return isinstance(error, torch.OutOfMemoryError) or faults.is_out_of_memory(error)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    if is_out_of_memory(error) or is_refused(error):
        return False
    return isinstance(error, torch.AcceleratorError) or faults.is_device_error(error)


@contextmanager
def reading_data() -> Iterator[None]:
    """Data is read in the block. Raises EnvironmentFailure in place of an OSError there."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFailure(f"the data cannot be read: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """The message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]

"""What kind of error a training has met: no room, no kernel, a broken device."""

from __future__ import annotations

import torch


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room: torch's own words, the driver's, or a library's."""
    texts = (
        "out of memory",
        "DefaultCPUAllocator: can't allocate",
        "DefaultCPUAllocator: not enough memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
    )
    told = isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    return told or isinstance(error, torch.OutOfMemoryError | MemoryError)


def is_refused(error: Exception) -> bool:
    """Whether torch or cuDNN offers no kernel for such shapes or for so many numbers; the device is as it was."""
    texts = ("CUDNN_STATUS_NOT_SUPPORTED", "CUDNN_STATUS_BAD_PARAM", "canUse32BitIndexMath")
    return isinstance(error, RuntimeError) and any(text in str(error) for text in texts)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    if is_out_of_memory(error) or is_refused(error):
        return False
    texts = ("CUDA error", "cuDNN error", "CUBLAS_STATUS")
    known = isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    return isinstance(error, torch.AcceleratorError) or known


def one_line(error: BaseException) -> str:
    """The message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]

"""What the text of an exception says about a device: no room, no kernel, broken. Needs no torch."""

from __future__ import annotations

_NO_ROOM = (
    "out of memory",
    "DefaultCPUAllocator: can't allocate",
    "DefaultCPUAllocator: not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
_NO_KERNEL = ("CUDNN_STATUS_NOT_SUPPORTED", "CUDNN_STATUS_BAD_PARAM", "canUse32BitIndexMath")
_BROKEN = ("CUDA error", "cuDNN error", "CUBLAS_STATUS")


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room: torch's own words, the driver's, or a library's."""
    return isinstance(error, MemoryError) or _says(error, _NO_ROOM)


def is_refused(error: Exception) -> bool:
    """Whether torch or cuDNN offers no kernel for such shapes or for so many numbers; the device is as it was."""
    return _says(error, _NO_KERNEL)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    return _says(error, _BROKEN) and not is_out_of_memory(error) and not is_refused(error)


def _says(error: Exception, texts: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError) and any(text in str(error) for text in texts)

"""Whether a CUDA device has memory for one more training, from what those under way have taken."""

from __future__ import annotations

import torch

SPARE = 2.0
"""What must be free for one more training, in units of the largest share that one has taken so far."""


class Room:
    """Is called before each training after the first, when those before it have taken what they need."""

    def __init__(self, device: torch.device) -> None:
        torch.cuda.empty_cache()
        self._device = device
        self._largest, self._reserved = 0, torch.cuda.memory_reserved(device)

    def __call__(self) -> bool:
        """Whether one more fits, measured on the device; what ended trainings have left behind is given back first."""
        reserved = torch.cuda.memory_reserved(self._device)
        self._largest = max(self._largest, reserved - self._reserved)
        self._reserved = reserved
        if self._fits():
            return True
        torch.cuda.empty_cache()
        self._reserved = torch.cuda.memory_reserved(self._device)
        return self._fits()

    def _fits(self) -> bool:
        free, _ = torch.cuda.mem_get_info(self._device)
        return free > SPARE * self._largest

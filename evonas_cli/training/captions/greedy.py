"""Captions made word by word: at each step the most probable token, given the image and the words so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from evonas_cli.network.captions import BOUNDARY, PADDING

Network: TypeAlias = Callable[[Tensor], Tensor]
"""From what is read, (B, numbers), to scores (B, tokens, steps)."""


@torch.inference_mode()
def captions(network: Network, pixels: Tensor, steps: int) -> list[list[int]]:
    """The token ids of a caption for each image (N, numbers), without boundaries: at most `steps` of them.

    No reference is read. Of equal scores the lowest id is taken; padding is never one.
    """
    words = torch.full((len(pixels), steps + 1), PADDING, device=pixels.device)
    words[:, 0] = BOUNDARY
    ended = torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
    for step in range(steps):
        scores = network(torch.cat([pixels, words[:, :steps].to(pixels.dtype)], 1))[:, :, step]
        scores[:, PADDING] = -torch.inf
        chosen = scores.argmax(1)
        words[:, step + 1] = torch.where(ended, PADDING, chosen)
        ended |= chosen == BOUNDARY
        if ended.all():
            break
    return [[token for token in row if token not in (PADDING, BOUNDARY)] for row in words[:, 1:].tolist()]

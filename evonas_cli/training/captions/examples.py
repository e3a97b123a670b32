"""Images with captions as tensors: what networks read in training and validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evonas_cli.core.rng import derive
from evonas_cli.data.captions import CaptionCorpus, Captioned, check_references, encoded, vocabulary_of
from evonas_cli.network.captions import FIRST, CaptionTask


@dataclass(frozen=True)
class Vocabulary:
    """The words of the training part, and the least and greatest of what its images hold, channel by channel."""

    words: tuple[str, ...]
    task: CaptionTask
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, corpus: CaptionCorpus, name: str) -> Vocabulary:
        """Words, mean and deviation are those of the training part; captions may be as long as those of both parts.

        Raises UsageError for images without a caption and for empty captions; `name` is that of the data set.
        """
        for part, where in ((corpus.train, "training"), (corpus.valid, "validation")):
            check_references(part, f"{name}, {where} part")
        words = vocabulary_of(caption for own in corpus.train.references for caption in own)
        parts = (corpus.train, corpus.valid)
        longest = max(len(caption) for part in parts for own in part.references for caption in own)
        images = corpus.train.images.astype(np.float64)
        mean, std = images.mean(axis=(0, 2, 3)), images.std(axis=(0, 2, 3))
        shape = tuple(corpus.train.images.shape[1:])
        return cls(words, CaptionTask(shape, FIRST + len(words), longest + 1), tuple(mean), tuple(np.maximum(std, 1.0)))

    def said(self, ids: list[int]) -> tuple[str, ...]:
        """The words of token ids, none of which is padding or a boundary."""
        return tuple([self.words[number - FIRST] for number in ids])


class Examples:
    """A part on a device: images as rows of numbers, and the captions of each as token ids."""

    def __init__(self, part: Captioned, vocabulary: Vocabulary, device: torch.device, where: str) -> None:
        """Raises UsageError as `data.captions.encoded`; `where` names the part."""
        tokens, images = encoded(part, vocabulary.words, vocabulary.task.steps, where)
        mean, std = (np.array(values, dtype=np.float32)[:, None, None] for values in (vocabulary.mean, vocabulary.std))
        pixels = (part.images.astype(np.float32) - mean) / std
        self.references, self.device = part.references, device
        self.pixels = torch.tensor(pixels, device=device).flatten(1)
        self.tokens, self.images = torch.tensor(tokens, device=device), torch.tensor(images, device=device)
        counts = torch.bincount(self.images, minlength=len(part))
        self._counts, self._first = counts, counts.cumsum(0) - counts

    def __len__(self) -> int:
        return len(self.pixels)

    def epoch(self, size: int, run_seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of an epoch, each image once with one of its captions: what is read, (B, numbers), and the targets,
        (B, steps). What fills no batch is left out. A function of the run's seed and the epoch."""
        generator = torch.Generator().manual_seed(derive(run_seed, "order", epoch))
        order = torch.randperm(len(self), generator=generator).to(self.device)
        draws = torch.rand(len(self), generator=generator).to(self.device)
        chosen = self._first + (draws * self._counts).long().clamp_max(self._counts - 1)
        for start in range(0, len(self) - size + 1, size):
            yield self._read(chosen[order[start : start + size]])

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All captions in order, as `epoch` gives them; the last batch may be smaller."""
        for rows in torch.split(torch.arange(len(self.tokens), device=self.device), size):
            yield self._read(rows)

    def _read(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.tokens[rows]
        pixels = self.pixels[self.images[rows]]
        return torch.cat([pixels, tokens[:, :-1].to(pixels.dtype)], 1), tokens[:, 1:]

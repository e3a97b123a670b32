"""Batches out of host memory, copied to the device one ahead of their use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class _Fetched:
    rows: Tensor
    labels: Tensor
    copied: torch.cuda.Event | None


class Streamed:
    """Rows and labels on the host. Indices are on the host, too; what they pick arrives on the device.

    On CUDA a batch is gathered into pinned memory and copied in a stream of its own while the one before is computed.
    """

    def __init__(self, rows: Tensor, labels: Tensor, device: torch.device) -> None:
        self._rows, self._labels, self._device = rows, labels, device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self._labels)

    def picked(self, indices: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """New rows and labels at each index."""
        before = None
        for index in indices:
            fetched = self._fetch(index)
            if before is not None:
                yield self._arrived(before)
            before = fetched
        if before is not None:
            yield self._arrived(before)

    def sliced(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows and labels in order."""
        yield from self.picked(torch.split(torch.arange(len(self)), size))

    def _fetch(self, index: Tensor) -> _Fetched:
        rows, labels = self._gathered(self._rows, index), self._gathered(self._labels, index)
        if self._stream is None:
            return _Fetched(rows, labels, None)
        with torch.cuda.stream(self._stream):
            rows, labels = (part.to(self._device, non_blocking=True) for part in (rows, labels))
            return _Fetched(rows, labels, self._stream.record_event())

    def _gathered(self, source: Tensor, index: Tensor) -> Tensor:
        shape = (len(index), *source.shape[1:])
        room = torch.empty(shape, dtype=source.dtype, pin_memory=self._stream is not None)
        return torch.index_select(source, 0, index, out=room)

    def _arrived(self, fetched: _Fetched) -> tuple[Tensor, Tensor]:
        if fetched.copied is not None:
            computing = torch.cuda.current_stream(self._device)
            computing.wait_event(fetched.copied)
            for part in (fetched.rows, fetched.labels):
                part.record_stream(computing)
        return fetched.rows, fetched.labels

"""Captions of a candidate and of the baseline as the journal keeps them, and the images that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json
from evonas_cli.network.samples import Samples

SHOWN = 8
"""Images of the validation part of which a result has captions: the first ones."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a candidate and the baseline say of the first images of the validation part, each as one line."""

    captions: tuple[str, ...]
    baseline: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """As a result's payload."""
        return {"captions": list(self.captions), "baseline": list(self.baseline)}


@dataclass(frozen=True, slots=True)
class Seen:
    """The same images, the reference captions of each, and the fingerprint of the data."""

    images: Samples
    references: tuple[tuple[str, ...], ...]
    fingerprint: str


@runtime_checkable
class Speaking(Protocol, metaclass=Capability):
    """Capability of a job: its results' payloads have captions, and it has the images that these are of."""

    def said(self, payload: Json) -> Said | None:
        """The captions of a result; None for a payload without any."""

    def seen(self) -> Seen:
        """The images. Reads the data, never its test part, and raises as it does."""


def said_in(payload: Any) -> Said | None:
    """The captions of a payload {"captions": [...], "baseline": [...]}; None for a payload without any. Raises
    ValueError for a payload that has others than texts, or not as many of both."""
    if not isinstance(payload, Mapping) or "captions" not in payload:
        return None
    captions, baseline = _texts(payload["captions"]), _texts(payload.get("baseline"))
    if captions is None or baseline is None or len(captions) != len(baseline):
        raise ValueError(f"{str(payload)[:80]} are no captions")
    return Said(captions, baseline)


def _texts(found: Any) -> tuple[str, ...] | None:
    there = isinstance(found, Sequence) and not isinstance(found, str) and all(isinstance(one, str) for one in found)
    return tuple(found) if there else None

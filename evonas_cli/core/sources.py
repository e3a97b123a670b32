"""What a data set may have in addition to its examples: it looks for its files, and settles what follows from them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json


@runtime_checkable
class Placed(Protocol, metaclass=Capability):
    """What a job or a data set may have in addition: its data lies on disk, and it looks whether it does."""

    def check_there(self) -> None:
        """Raises UsageError for a path that is missing or of the wrong type, without reading all the data.

        Data that may be downloaded may be missing. No torch.
        """


@runtime_checkable
class Member(Placed, Protocol, metaclass=Capability):
    """A data set as a setting of another data set: a constructor's parameter `members: Sequence[Member]` is given data
    sets by their names, or by name and settings: [digits, {name: digit_task, labels: parity}]."""


@runtime_checkable
class Resolving(Protocol, metaclass=Capability):
    """What a data set may have in addition: some of its settings may be `auto` and follow from the data."""

    def resolved(self) -> dict[str, Json]:
        """The value of each setting that is `auto`, by its name: `{"kind": "classes"}`.

        Called once, before a run begins; the run keeps the values. No torch. Raises UsageError for data that is not
        there, cannot be read, or has two readings.
        """


@runtime_checkable
class Laid(Protocol, metaclass=Capability):
    """What a data set may have in addition: it knows what its examples are, before it is read."""

    @property
    def layout(self) -> str:
        """image, series, tokens or vector; auto where only a look at the data tells."""


def check_there(job: object) -> None:
    """Raises UsageError when the data of a job is not there; a job that is not Placed is taken to have it."""
    if isinstance(job, Placed):
        job.check_there()

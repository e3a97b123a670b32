"""Candidates of a run by name: ids, and the words `best`, `knee` and `front`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.report.reading import Reading

WORDS = ("best", "knee", "front")


def chosen(reading: Reading, names: Sequence[str]) -> list[int]:
    """The candidates meant by ids and words, each once, in the order given.

    `best` has the least first objective, `front` is every member of the Pareto front, and `knee` the member that
    `knee_of` finds. Raises UsageError for another word, RunError for ids that the run does not have and candidates that
    failed.
    """
    root, document = reading.run.root, reading.front()
    front = [member["id"] for member in document["front"]]
    found: list[int] = []
    for name in names:
        if name in WORDS:
            if not front:
                raise RunError(f"no candidate of {root} has succeeded, so there is no {name}; `evonas show {root}`")
            found += {"best": front[:1], "front": front, "knee": [knee_of(document)]}[name]
        elif not (name.isascii() and name.isdecimal() and len(name) < 19):
            raise UsageError(f"{name!r} is no candidate; name ids, {', '.join(WORDS[:-1])} or {WORDS[-1]}")
        elif int(name) not in reading.journal:
            raise RunError(f"{root} has no candidate {name}; it has {len(reading.journal)}, from id 0 on")
        else:
            found.append(int(name))
    for id in found:
        entry = reading.journal.read(id)
        if entry["status"] != "ok":
            error = entry.get("error", {})
            raise RunError(f"candidate {id} of {root} failed ({error.get('kind')}: {error.get('text')}); name another")
    return list(dict.fromkeys(found))


def named(reading: Reading, word: str) -> dict[str, Any]:
    """The journal entry of the candidate that a word names, a failed one too. Raises UsageError and RunError."""
    if word in ("best", "knee"):
        return reading.journal.read(chosen(reading, [word])[0])
    if not (word.isascii() and word.isdecimal() and len(word) < 19):
        raise UsageError(f"{word!r} is no candidate; name an id, best or knee, or list candidates with --all")
    if int(word) not in reading.journal:
        raise RunError(f"{reading.run.root} has no candidate {word}; it has {len(reading.journal)}, from id 0 on")
    return reading.journal.read(int(word))


def knee_of(document: Mapping[str, Any]) -> int:
    """The id of the front's member that lies farthest below the hyperplane through the ends of the front.

    Each objective is scaled to [0, 1] over the front, so the member is the one with the least sum of scaled losses
    (Das 1999, "On characterizing the knee of the Pareto curve"). With one objective the member is the best one. Of
    equal members the first in the order of the front is taken.
    """
    front = document["front"]
    total = [0.0] * len(front)
    for name in document["objectives"]:
        sign = -1.0 if document["directions"][name] == "max" else 1.0
        losses = [sign * member["metrics"][name] for member in front]
        least, most = min(losses), max(losses)
        if most > least:
            total = [sum_ + (loss - least) / (most - least) for sum_, loss in zip(total, losses, strict=True)]
    return int(front[total.index(min(total))]["id"])

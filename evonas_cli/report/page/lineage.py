"""The lineage of a candidate: its ancestors with what was changed on the way from each to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Json
from evonas_cli.genomes.capabilities import Differing, Linear
from evonas_cli.report.page.rows import Row, Rows

MOST = 6
"""Changes listed of one step."""
_TOKEN = re.compile(r"\w+|\W")
_LONGEST = 40
_LEAVES = 2000


def lineage(rows: Rows, id: int, space: Space[Any]) -> list[dict[str, Any]]:
    """The ancestors from the first one to the candidate, the candidate included.

    The walk goes from each child to its best parent by the first objective, of equal ones to the first. `parents` has
    all of them, `line` the one that the walk took; `changes` say how the genome differs from that of this parent.
    """
    known, found = rows.by_id(), list[dict[str, Any]]()
    row: Row | None = known[id]
    while row is not None:
        parents = [known[other] for other in row.entry["parents"] if other in known and other < row.id]
        best = min(parents, key=lambda parent: parent.losses[0] if parent.losses else float("inf"), default=None)
        found.append(
            {
                "id": row.id,
                "operator": row.operator,
                "parents": [parent.id for parent in parents],
                "line": None if best is None else best.id,
                "elapsed": row.elapsed,
                "metrics": dict(row.metrics),
                "genome": row.genome,
                "changes": [] if best is None else changes(best.entry["genome"], row.entry["genome"], space),
            }
        )
        row = best
    return found[::-1]


def changes(before: Json, after: Json, space: Space[Any]) -> list[str]:
    """How a genome differs from another, one text for each change, at most MOST and then how many more.

    The space says so itself where it is `Differing`. Else genomes of independent genes are compared gene by gene, texts
    word by word, and all others by the paths of their JSON.
    """
    if isinstance(space, Differing):
        known = [_read(genome, space) for genome in (before, after)]
        if None not in known:
            return _listed(list(space.differences(*known)))
    old, new = _genes(before, space), _genes(after, space)
    if isinstance(space, Linear) and old is not None and new is not None:
        pairs = zip(space.choices, old, new, strict=True)
        return _listed([f"{locus.name}: {_brief(a)} \u2192 {_brief(b)}" for locus, a, b in pairs if a != b])
    if isinstance(before, str) and isinstance(after, str):
        return _listed(list(_words(before, after)))
    old_leaves, new_leaves = dict(_leaves(before)), dict(_leaves(after))
    paths = [*old_leaves, *[path for path in new_leaves if path not in old_leaves]]
    texts = []
    for path in paths:
        if old_leaves.get(path) != new_leaves.get(path) or (path in old_leaves) != (path in new_leaves):
            a = _brief(old_leaves[path]) if path in old_leaves else "absent"
            b = _brief(new_leaves[path]) if path in new_leaves else "absent"
            texts.append(f"{path or 'genome'}: {a} \u2192 {b}")
    return _listed(texts)


def _genes(genome: Json, space: Space[Any]) -> Sequence[Any] | None:
    """The genes of a space of independent ones; None for another space, and for a genome of an older form of it."""
    return _read(genome, space) if isinstance(space, Linear) else None


def _read(genome: Json, space: Space[Any]) -> Any:
    """The genome; None for one of an older form."""
    try:
        return space.from_json(genome)
    except Exception:  # whatever the space raises, the genome is compared as the JSON that it is
        return None


def _words(before: str, after: str) -> Iterator[str]:
    old, new = _TOKEN.findall(before)[:_LEAVES], _TOKEN.findall(after)[:_LEAVES]
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = _brief("".join(old[a:b]).strip(", ")), _brief("".join(new[c:d]).strip(", "))
        if tag == "replace":
            yield f"{gone} \u2192 {come}"
        elif tag != "equal":
            yield f"without {gone}" if gone else f"with {come}"


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """The paths of all leaves, such as `blueprint.nodes[2].species`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _brief(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _listed(texts: list[str]) -> list[str]:
    return texts if len(texts) <= MOST + 1 else [*texts[:MOST], f"and {len(texts) - MOST} more changes"]

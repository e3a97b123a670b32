"""Walking a tree of folders in which symbolic links may lead anywhere: each folder is visited once."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path


def folders_with(name: str, top: Path) -> list[Path]:
    """The folders in or under `top` that hold an entry of this name; those below such a one are not visited.

    Hidden folders and folders that cannot be read are passed over. A link is followed once everything that is reached
    without one has been visited, so that a folder inside the tree is found by its own path.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    without, links = [top], deque[Path]()
    while without or links:
        place = without.pop() if without else links.popleft()
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        if any(entry.name == name and not _is_folder(entry) for entry in listed):
            found.append(place)
            continue
        for entry in listed:
            if not entry.name.startswith(".") and _is_folder(entry):
                (links if entry.is_symlink() else without).append(place / entry.name)
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False

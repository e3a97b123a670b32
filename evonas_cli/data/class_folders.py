"""The image files of a folder with one subfolder a class, and what is refused because it would mix the classes."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import reading
from evonas_cli.data.pictures import SUFFIXES

JUNK = frozenset({"__macosx", "@eadir", "#recycle", "$recycle.bin", "lost+found", "thumbs.db", "desktop.ini"})
"""What systems leave in folders, in small letters; so do they hidden files and folders, which begin with a dot."""
SHOWN = 5
"""Names that a message lists before it stops."""


@dataclass(frozen=True)
class ImageFile:
    """A file, its class, and what the disk knows it by, whatever links lead to it."""

    path: Path
    label: int
    identity: tuple[int, int]


@dataclass(frozen=True)
class Listing:
    """What a folder holds: classes by name, images by class and name, and entries that are left out."""

    folder: Path
    classes: tuple[str, ...]
    images: tuple[ImageFile, ...]
    skipped: tuple[Path, ...]


def listed(folder: Path) -> Listing:
    """The classes and images of a folder.

    Hidden entries, junk and files without the name of an image are left out. Raises UsageError, with one line, for a
    class without images, folders in a class, links that lead nowhere, pipes and devices, and what may not be read.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; put the images into {folder}/<class>/, or remove it")
    if not folder.is_dir():
        raise UsageError(f"{folder} not found; put the images into {folder}/<class>/, or pass dataset.root=FOLDER")
    entries, skipped = _entries(folder)
    folders = [path for path, mode, _ in entries if stat.S_ISDIR(mode)]
    skipped += [path for path, mode, _ in entries if not stat.S_ISDIR(mode)]
    if not folders:
        raise UsageError(f"{folder} is no folder of <class>/<image> files: there is no folder in it")
    images: list[ImageFile] = []
    for label, path in enumerate(folders):
        found, left_out = _class(path, label)
        images += found
        skipped += left_out
    return Listing(folder, tuple([path.name for path in folders]), tuple(images), tuple(sorted(skipped)))


def check_apart(listings: Sequence[Listing]) -> None:
    """Raises UsageError for an image file that is there twice, through links: it could be trained on and tested on."""
    seen: dict[tuple[int, int], Path] = {}
    for listing in listings:
        for image in listing.images:
            first = seen.setdefault(image.identity, image.path)
            if first != image.path:
                raise UsageError(f"{first} and {image.path} are the same file through a link; remove one of them")


def summary(root: Path, listings: Sequence[Listing]) -> str:
    """One line on what was found, for people."""
    classes, skipped = listings[0].classes, [path for listing in listings for path in listing.skipped]
    parts = ", ".join(f"{len(listing.images)} images in {listing.folder.name}" for listing in listings)
    text = f"{root}: {len(classes)} classes ({_names(classes)}); {parts}"
    if skipped:
        files = "entry that is no image" if len(skipped) == 1 else "entries that are no images"
        text += f"; skipped {len(skipped)} {files}, such as {skipped[0]}"
    return text


def _class(folder: Path, label: int) -> tuple[list[ImageFile], list[Path]]:
    """The images of a class and what is left out."""
    entries, skipped = _entries(folder)
    nested = [path.name for path, mode, _ in entries if stat.S_ISDIR(mode)]
    if nested:
        raise UsageError(
            f"{folder} holds folders ({_names(nested)}), but a class folder holds images alone; "
            "move the images, or make each of the folders a class"
        )
    images = [ImageFile(path, label, identity) for path, _, identity in entries if path.suffix.lower() in SUFFIXES]
    if not images:
        raise UsageError(
            f"{folder} is no folder of <class>/<image> files: the class has no images; add some or remove it"
        )
    return images, skipped + [path for path, _, _ in entries if path.suffix.lower() not in SUFFIXES]


def _entries(folder: Path) -> tuple[list[tuple[Path, int, tuple[int, int]]], list[Path]]:
    """Folders and files by name, each with its mode and identity, links followed; and the hidden ones and junk."""
    entries, skipped = [], []
    with reading(folder, "a folder of images", "allow reading it, or pass another dataset.root"):
        for name in sorted(os.listdir(folder)):
            path = folder / name
            if name.startswith(".") or name.lower() in JUNK:
                skipped.append(path)
                continue
            if path.is_symlink() and not path.exists():
                raise UsageError(f"{path} is a link that leads nowhere; repair or remove it")
            status = path.stat()
            if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
                raise UsageError(f"{path} is a device or a pipe, no regular file; remove it")
            entries.append((path, status.st_mode, (status.st_dev, status.st_ino)))
    return entries, skipped


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")

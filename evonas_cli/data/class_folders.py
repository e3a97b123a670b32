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


def listed(folder: Path, nested: bool = False) -> Listing:
    """The classes and images of a folder.

    With `nested` every folder at any depth that holds images is a class, named by its path in `folder`. Hidden entries,
    junk and files without the name of an image are left out. Raises UsageError, with one line, for a class without
    images, folders in a class unless `nested`, links that lead nowhere or to a folder above, pipes and devices, and
    what may not be read.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; put the images into {folder}/<class>/, or remove it")
    if not folder.is_dir():
        raise UsageError(f"{folder} not found; put the images into {folder}/<class>/, or pass dataset.path=FOLDER")
    entries, skipped = _entries(folder)
    folders = [path for path, mode, _ in entries if stat.S_ISDIR(mode)]
    skipped += [path for path, mode, _ in entries if not stat.S_ISDIR(mode)]
    if not folders:
        raise UsageError(
            f"{folder} is no folder of <class>/<image> files: there is no folder in it; put the images of each class "
            "into a folder of its own"
        )
    images: list[ImageFile] = []
    classes: list[str] = []
    for path in folders:
        for inner in _with_folders_below(path, (folder,)) if nested else [path]:
            found, left_out = _class(inner, len(classes), nested)
            skipped += left_out
            if found or not nested:
                classes.append(inner.relative_to(folder).as_posix())
                images += found
    if not classes:
        raise UsageError(f"{folder} holds no images in its folders; add some")
    return Listing(folder, tuple(classes), tuple(images), tuple(sorted(skipped)))


def _with_folders_below(folder: Path, above: tuple[Path, ...]) -> list[Path]:
    """The folder and all below it, in the order of their names. Raises UsageError for a link to a folder above."""
    higher = next((other for other in above if os.path.samefile(other, folder)), None)
    if higher is not None:
        raise UsageError(f"{folder} is a link to {higher}, a folder above it; remove it")
    entries, _ = _entries(folder)
    inner = [path for path, mode, _ in entries if stat.S_ISDIR(mode)]
    return [folder] + [found for path in inner for found in _with_folders_below(path, (*above, folder))]


def check_apart(listings: Sequence[Listing]) -> None:
    """Raises UsageError for an image file that is there twice, through links: it could be trained on and tested on."""
    seen: dict[tuple[int, int], Path] = {}
    for listing in listings:
        for image in listing.images:
            first = seen.setdefault(image.identity, image.path)
            if first != image.path:
                raise UsageError(f"{first} and {image.path} are the same file through a link; remove one of them")


def left_out(listings: Sequence[Listing]) -> tuple[str, ...]:
    """A few words on the entries that are no images, for people; nothing where there are none."""
    skipped = [path for listing in listings for path in listing.skipped]
    if not skipped:
        return ()
    files = "entry that is no image" if len(skipped) == 1 else "entries that are no images"
    return (f"skipped {len(skipped)} {files}, such as {skipped[0]}",)


def _class(folder: Path, label: int, nested: bool) -> tuple[list[ImageFile], list[Path]]:
    """The images of a class and what is left out."""
    entries, skipped = _entries(folder)
    inner = [path.name for path, mode, _ in entries if stat.S_ISDIR(mode)]
    if inner and not nested:
        raise UsageError(
            f"{folder} holds folders ({_names(inner)}), but a class folder holds images alone; "
            "move the images, or pass dataset.nested=true to make each of the folders a class"
        )
    entries = [entry for entry in entries if not stat.S_ISDIR(entry[1])]
    images = [ImageFile(path, label, identity) for path, _, identity in entries if path.suffix.lower() in SUFFIXES]
    if not images and not inner:
        raise UsageError(
            f"{folder} is no folder of <class>/<image> files: the class has no images; add some or remove it"
        )
    return images, skipped + [path for path, _, _ in entries if path.suffix.lower() not in SUFFIXES]


def _entries(folder: Path) -> tuple[list[tuple[Path, int, tuple[int, int]]], list[Path]]:
    """Folders and files by name, each with its mode and identity, links followed; and the hidden ones and junk."""
    entries, skipped = [], []
    with reading(folder, "a folder of images", "allow reading it, or pass another dataset.path"):
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

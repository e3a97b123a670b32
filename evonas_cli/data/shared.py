"""One copy of the prepared data for all processes that hold the same file: the first one writes it, all map it.

The file has no name, so that it is gone with the last process, however that ends. A writer that is killed leaves a file
without its mark, which the next one writes anew.
"""

from __future__ import annotations

import fcntl
import json
import logging
import mmap
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.data.splits import Augmentation, Splits
from evonas_cli.network.task import Task

MARK = b"prepared"
HEAD = struct.Struct("<8sQQ")  # the mark, where the description begins, its length; written last
ALIGNED = 4096

log = logging.getLogger(__name__)


def shared(file: int | None, prepare: Callable[[], Splits]) -> Splits:
    """What `prepare` gives, mapped from the descriptor `file`; only the first process calls it. Raises as it does.

    Without a file `prepare` is called, and nothing is mapped.

    Processes share pages until one of them writes, and a write changes a copy of the writer. Where the file's disk has
    no room every process keeps a copy of its own, with a warning.
    """
    if file is None:
        return prepare()
    fcntl.lockf(file, fcntl.LOCK_EX)
    try:
        found = _mapped(file)
        if found is not None:
            return found
        splits = prepare()
        try:
            _write(file, splits)
        except OSError as error:
            log.warning("the data is not shared by the workers, each loads its own copy: %s", error)
            os.ftruncate(file, 0)
            return splits
        mapped = _mapped(file)
        assert mapped is not None
        return mapped
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)


def _write(file: int, splits: Splits) -> None:
    """The arrays, images with channels last, then their description, then the mark."""
    arrays = {}
    position = ALIGNED
    for name in ("x_train", "y_train", "x_valid", "y_valid", "groups"):
        array = getattr(splits, name)
        array = np.ascontiguousarray(array.transpose(0, 2, 3, 1) if _images(name, array.shape) else array)
        arrays[name] = (position, array.dtype.str, array.shape)
        _put(file, array.reshape(-1).view(np.uint8).data, position)
        position = -(-(position + array.nbytes) // ALIGNED) * ALIGNED
    rest = {
        "mean": splits.mean.tolist(),
        "std": splits.std.tolist(),
        "task": splits.task.to_json(),
        "augmentation": asdict(splits.augmentation),
        "fingerprint": splits.fingerprint,
        "names": list(splits.names),
        "target_mean": splits.target_mean.tolist(),
        "target_std": splits.target_std.tolist(),
        "preparation": dict(splits.preparation),
    }
    text = json.dumps({"arrays": arrays, **rest}).encode()
    _put(file, memoryview(text), position)
    _put(file, memoryview(HEAD.pack(MARK, position, len(text))), 0)


def _put(file: int, data: memoryview, position: int) -> None:
    while data:
        written = os.pwrite(file, data, position)
        data, position = data[written:], position + written


def _mapped(file: int) -> Splits | None:
    """What was written, or None when nothing was, or not all."""
    head = os.pread(file, HEAD.size, 0)
    if not head.startswith(MARK):
        return None
    _, start, length = HEAD.unpack(head)
    said: dict[str, Any] = json.loads(os.pread(file, length, start))
    content = mmap.mmap(file, start, access=mmap.ACCESS_COPY)
    parts: dict[str, NDArray[Any]] = {}
    for name, (position, kind, shape) in said.pop("arrays").items():
        array = np.frombuffer(content, kind, int(np.prod(shape)), position).reshape(shape)
        parts[name] = array.transpose(0, 3, 1, 2) if _images(name, shape) else array
    return Splits(
        **parts,
        mean=np.array(said["mean"]),
        std=np.array(said["std"]),
        task=Task.from_json(said["task"]),
        augmentation=Augmentation(**said["augmentation"]),
        fingerprint=said["fingerprint"],
        names=tuple(said["names"]),
        target_mean=np.array(said["target_mean"], dtype=np.float64),
        target_std=np.array(said["target_std"], dtype=np.float64),
        preparation=said["preparation"],
    )


def _images(name: str, shape: Sequence[int]) -> bool:
    return name.startswith("x_") and len(shape) == 4

"""A file without a name that a pool and its workers hold together, for what each bench would else make by itself."""

from __future__ import annotations

import os
import tempfile
from multiprocessing import reduction

from evonas_cli.core.errors import EnvironmentFailure


class Scratch:
    """`file` is its descriptor. It can be handed to a process that is being spawned, and to nothing else.

    It lies in the folder for temporary files (TMPDIR) and takes no room once the last process has closed it or died.
    Raises EnvironmentFailure when no such folder can be written.
    """

    def __init__(self) -> None:
        try:
            with tempfile.TemporaryFile(prefix="evonas-") as file:
                self.file = os.dup(file.fileno())
        except OSError as error:
            raise EnvironmentFailure(f"no temporary file can be made for the workers ({error}); set TMPDIR") from error

    def close(self) -> None:
        """Lets go of it in this process."""
        os.close(self.file)

    def __getstate__(self) -> object:
        return reduction.DupFd(self.file)

    def __setstate__(self, handed: object) -> None:
        self.file = handed.detach()  # type: ignore[attr-defined]

"""What torch's exporters say of their own work is kept from the terminal; their errors are not."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from evonas_cli.core.silence import silenced


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, log records or printed lines of libraries meanwhile.

    torch's exporters read one flag for the precision of all cuDNN operators. They raise RuntimeError where a training
    in this process has set that of convolutions alone, which therefore has its default meanwhile.
    """
    import torch

    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    precision = conv.fp32_precision
    conv.fp32_precision = torch.backends.cudnn.rnn.fp32_precision  # type: ignore[attr-defined]
    try:
        with (
            silenced(logging.CRITICAL),
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            warnings.catch_warnings(),
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        conv.fp32_precision = precision

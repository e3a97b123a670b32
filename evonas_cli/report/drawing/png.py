"""Pictures as PNG, by resvg, which the extra `plot` installs; SVG needs nothing."""

from __future__ import annotations

from evonas_cli.core.errors import UsageError
from evonas_cli.report.drawing.svg import document, label

ZOOM = 2
"""Pixels of a PNG along a pixel of the SVG."""


def check_png() -> None:
    """Raises UsageError, with what to do, when PNG cannot be written here."""
    try:
        import resvg_py  # noqa: F401
    except ImportError as error:
        raise UsageError("PNG needs resvg-py; `pip install 'evonas[plot]'`, or name a .svg file") from error
    # resvg leaves text out without a word where no font is installed.
    blank, written = (_render(document(40, 20, "", body)) for body in ([], [label(4, 15, "Aa")]))
    if blank == written:
        raise UsageError("PNG needs a font, and there is none here; install one, or name a file that ends in .svg")


def png(svg: str) -> bytes:
    """The picture as PNG. `check_png` has to have passed."""
    return _render(svg)


def _render(svg: str) -> bytes:
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM))

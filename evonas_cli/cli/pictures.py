"""Where pictures go: SVG or PNG files, checked before any work is done."""

from __future__ import annotations

from pathlib import Path

FORMS = (".svg", ".png")


def check_picture(option: str, path: Path | None) -> None:
    """Raises UsageError when the picture has no folder to go to, or its file is of no known kind or cannot be made."""
    from evonas_cli.core.errors import UsageError

    if path is None:
        return
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder; name a file, e.g. {path / 'picture.svg'}")
    if path.suffix not in FORMS:
        raise UsageError(f"{option} {path}: a picture is an SVG or a PNG; name a file that ends in .svg or .png")
    if path.suffix == ".png":
        from evonas_cli.report.drawing.png import check_png

        check_png()


def write_picture(path: Path, svg: str) -> None:
    """Writes the picture in the form that the file's name ends in. Raises OSError."""
    if path.suffix == ".png":
        from evonas_cli.report.drawing.png import png

        path.write_bytes(png(svg))
    else:
        path.write_text(svg, encoding="utf-8")

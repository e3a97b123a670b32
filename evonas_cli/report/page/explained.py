"""An explanation as a page of its own: one HTML file that loads nothing and has no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.report.page.explanation import drawn
from evonas_cli.report.page.render import STYLE, digest, environment, source

TEMPLATE = "explained.html.j2"


def page(explanation: Mapping[str, Any], run: str) -> str:
    """The page of an explanation of a candidate of the run of that name; the same explanation gives the same text."""
    from markupsafe import Markup

    style = source(STYLE)
    given = {"one": drawn(explanation), "run": run, "style": Markup(style), "style_digest": digest(style)}
    return environment().get_template(TEMPLATE).render(**given)

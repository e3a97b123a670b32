"""The configuration of an auto's search: limits on networks, those of the user in the place of the command's own."""

from __future__ import annotations

import pytest

from evonas_cli.auto.runs import searching


@pytest.mark.parametrize(
    ("most", "words", "constraints"),
    [
        (None, [], {}),
        (1234.4, [], {"multiply_adds": "<= 1234"}),
        (1234.4, ["constraints={parameters:'<= 50'}"], {"multiply_adds": "<= 1234", "parameters": "<= 50"}),
        (1234.4, ["constraints={multiply_adds:'<= 50'}"], {"multiply_adds": "<= 50"}),
    ],
)
def test_a_search_refuses_networks_that_are_too_large(
    most: float | None, words: list[str], constraints: dict[str, str]
) -> None:
    composed = searching(["dataset=digits"], ["space=layered_cnn", *words], 60.0, most)
    assert composed.config["constraints"] == constraints
    assert composed.config["budget"]["seconds"] == 60.0

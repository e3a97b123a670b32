"""Species over the generations: sizes from what strategies logged, as areas on each other."""

from __future__ import annotations

import re
from typing import Any

from evonas_cli.report.page.species import MOST, areas, species

LINES: list[dict[str, Any]] = [
    {"step": 0, "generation": 1, "species": {"0": 5}},
    {"step": 1, "generation": 2, "species": {"0": 3, "1": 2}},
    {"step": 2, "generation": 3, "species": {"1": 4, "2": 1}},
]


def test_species_are_columns_over_generations() -> None:
    [found] = species(LINES)
    assert (found["of"], found["at"], found["rest"]) == ("species", [1, 2, 3], [0, 0, 0])
    assert found["sizes"] == {"0": [5, 3, 0], "1": [0, 2, 4], "2": [0, 0, 1]}


def test_clusters_have_sizes_and_groups_their_names() -> None:
    clusters = [{"generation": k, "clusters": [{"size": 3, "best_loss": 0.1}, {"size": k}]} for k in (1, 2)]
    [found] = species(clusters)
    assert (found["of"], found["sizes"]) == ("clusters", {"1": [3, 3], "2": [1, 2]})
    assert [one["of"] for one in species([{"modules": line} for line in LINES])] == ["species of modules"]


def test_nothing_without_sizes_or_with_one_generation() -> None:
    assert species([{"generation": 1, "best_loss": 0.1}] * 3) == [] and species(LINES[:1]) == []


def test_areas_fill_the_population_and_many_species_share_one() -> None:
    many = [{"generation": k, "species": {str(id): 1 + (id < 3) for id in range(MOST + 5)}} for k in range(3)]
    [found] = species(many)
    text = areas(found, "species")
    assert len(found["sizes"]) == MOST and found["rest"] == [5, 5, 5]
    assert (
        text.count('class="area') == MOST + 1 and "<title>5 others</title>" in text and areas(found, "species") == text
    )


def test_an_area_lies_on_the_one_below() -> None:
    [found] = species(LINES)
    outlines = {
        name: [tuple(map(float, at.split())) for at in path.split("L")]
        for path, name in re.findall(r'd="M([^Z"]*)Z"><title>(\d)</title>', areas(found, "species"))
    }
    assert set(outlines["0"][:3]) >= set(outlines["1"][4:]), "the lower edge of 1 is the upper edge of 0"


def test_a_name_stands_in_the_highest_place_of_its_area() -> None:
    sizes = [(20, 0), (24, 1), (28, 0), (24, 0)]
    [found] = species([{"generation": k, "species": {"7": of, "8": other}} for k, (of, other) in enumerate(sizes)])
    [(at, height, name)] = re.findall(r'<text class="count" x="([\d.]+)" y="([\d.]+)">(\w+)</text>', areas(found, "x"))
    corners = re.search(r'd="M([^Z"]*)Z"><title>7</title>', areas(found, "x"))
    assert corners is not None and name == "7", "species 8 has one member of 25, too low an area for a name"
    upper = [tuple(map(float, corner.split())) for corner in corners[1].split("L")][: len(sizes)]
    assert float(at) == upper[2][0] and float(height) > upper[2][1], "the third generation has most members"

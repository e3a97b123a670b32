"""Scores of captions against values that were worked out by hand, and what every score keeps to."""

from __future__ import annotations

from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.training.captions.scores import NAMES, Scorer, meteor

WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=6)
PARTS = st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=4)


def said(text: str) -> list[str]:
    return text.split()


def scores(caption: str, *references: str) -> dict[str, float]:
    return Scorer([[said(one) for one in references]]).scores([said(caption)])


def test_bleu_clips_counts_by_the_reference_that_has_most() -> None:
    """The example of Papineni et al.: seven times "the", of which the references have two."""
    found = scores("the the the the the the the", "the cat is on the mat", "there is a cat on the mat")
    assert found["bleu1"] == pytest.approx(2 / 7)
    assert found["bleu2"] == 0.0 and found["bleu4"] == 0.0


def test_bleu_is_the_geometric_mean_of_precisions_with_a_penalty_for_brevity() -> None:
    """a b c d against a b c e d f: 4/4, 2/3, 1/2 and 0/1; 4 words where there are 6."""
    found = scores("a b c d", "a b c e d f")
    brevity = exp(1 - 6 / 4)
    assert found["bleu1"] == pytest.approx(brevity)
    assert found["bleu2"] == pytest.approx(brevity * sqrt(2 / 3))
    assert found["bleu3"] == pytest.approx(brevity * (2 / 3 * 1 / 2) ** (1 / 3))
    assert found["bleu4"] == 0.0


def test_the_nearest_length_counts_and_of_equally_near_ones_the_shorter() -> None:
    assert scores("a b c", "a b", "a b c d")["bleu1"] == pytest.approx(1.0)
    assert scores("a b", "a b c d e", "a b c")["bleu1"] == pytest.approx(exp(1 - 3 / 2))


def test_bleu_pools_all_captions() -> None:
    """5 words of 6 are right; the mean of both captions' shares would be 3/4."""
    found = Scorer([[said("a b c d")], [said("e f")]]).scores([said("a b c d"), said("e g")])
    assert found["bleu1"] == pytest.approx(5 / 6)


def test_meteor_weighs_recall_and_punishes_chunks() -> None:
    """P = 2/3, R = 1: 10 P R / (R + 9 P) = 20/21, and two chunks of two matches halve it."""
    assert meteor(("a", "red", "disc"), ("a", "disc")) == pytest.approx(20 / 21 / 2)
    assert meteor(("a", "red", "disc"), ("a", "red", "disc")) == pytest.approx(1 - 0.5 / 27)
    assert meteor(("x",), ("y",)) == 0.0 == meteor((), ("y",))


def test_meteor_takes_the_alignment_with_the_fewest_chunks() -> None:
    """The first "a" of the caption matches the second of the reference, so that "a b" is one chunk of two."""
    assert meteor(("a", "b"), ("a", "c", "a", "b")) == pytest.approx(10 * 0.5 / (0.5 + 9) * (1 - 0.5 / 8))


def test_cider_weighs_words_by_how_few_images_have_them() -> None:
    """Two images: "a" is in both and weighs nothing, "b" and "c" weigh log 2. Only words are in common."""
    found = Scorer([[said("a b")], [said("a c")]]).scores([said("a b c"), said("c a")])
    first = 1 / sqrt(2)  # cosine of b + c with b; of the bigrams "a b" and "b c" with "a b" it is the same
    second = 1.0  # c with c; the bigram differs
    assert found["cider"] == pytest.approx(((first + first) / 4 + second / 4) / 2)


def test_places_are_compared_up_to_the_end_of_the_longer_one() -> None:
    assert scores("a b x", "a b c d", "b a")["token_accuracy"] == pytest.approx(2 / 4)
    assert scores("a b x", "a c", "z z x")["token_accuracy"] == pytest.approx(1 / 3)


def test_an_empty_caption_scores_nothing() -> None:
    assert set(scores("", "a b").values()) == {0.0}


@given(PARTS)
def test_a_reference_itself_has_the_best_scores(references: list[list[list[str]]]) -> None:
    scorer = Scorer(references)
    found = scorer.scores([own[0] for own in references])
    assert tuple(found) == NAMES
    assert found["bleu1"] == pytest.approx(1.0) and found["token_accuracy"] == 1.0
    assert found["meteor"] >= 0.5


@given(PARTS, st.data())
def test_scores_are_shares(references: list[list[list[str]]], data: st.DataObject) -> None:
    made = [data.draw(st.lists(st.sampled_from("abcde"), max_size=7)) for _ in references]
    assert all(0 <= value <= 1 + 1e-12 for value in Scorer(references).scores(made).values())

"""Scores of captions against several references: BLEU, METEOR without dictionaries, CIDEr, and words in their places.

- BLEU-N (Papineni et al., ACL 2002): the geometric mean of the clipped n-gram precisions, n = 1 to N, each over all
  captions together, times exp(1 - r/c) where the c words of all captions are fewer than the r of the references that
  are nearest in length (of equally near ones the shorter). 0 where no n-gram of some length is right; no smoothing.
- METEOR (Banerjee and Lavie, ACL workshop 2005) with its first stage alone, equal words: 10 P R / (R + 9 P) times
  1 - 0.5 (chunks / matches)^3, of the alignment with the most matches and of those the fewest chunks; the best over
  the references, and the mean over the captions. Stems and synonyms, which need dictionaries, do not match.
- CIDEr (Vedantam, Zitnick and Parikh, CVPR 2015): the mean over n = 1 to 4 and over the references of the cosine of
  n-gram counts, weighted by log(images / images whose references have the n-gram); in [0, 1], as in the paper, without
  stems. A cosine with a vector of zeros is 0.
- Token accuracy: the share of places, up to the end of the longer one, at which caption and reference have the same
  word; the best over the references, and the mean over the captions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from math import exp, log, sqrt
from typing import TypeAlias

Caption: TypeAlias = Sequence[str]
References: TypeAlias = Sequence[Sequence[Caption]]
Words: TypeAlias = tuple[str, ...]
Grams: TypeAlias = "Counter[Words]"
LONGEST = 4
"""The longest n-grams that are counted."""
KEPT = 2**16
"""Pairs of captions whose METEOR is remembered: networks of one search say much the same."""
NAMES = (*[f"bleu{n}" for n in range(1, LONGEST + 1)], "meteor", "cider", "token_accuracy")
"""All scores, each the better the higher."""


class Scorer:
    """Scores captions of images against the reference captions of each, at least one, none of them empty."""

    def __init__(self, references: References) -> None:
        self._references = [[tuple(caption) for caption in own] for own in references]
        self._grams = [[_grams(caption) for caption in own] for own in self._references]
        there = Counter(gram for own in self._grams for gram in set().union(*own))
        self._rarity = {gram: log(len(references) / count) for gram, count in there.items()}
        self._unseen = log(len(references))
        self._weighted = [[self._vectors(grams) for grams in own] for own in self._grams]

    def scores(self, captions: Sequence[Caption]) -> dict[str, float]:
        """Each of NAMES for one caption an image, in the order of the references; a caption may be empty."""
        made = [tuple(caption) for caption in captions]
        found = self._bleu(made)
        found["meteor"] = self._mean_of_best(made, meteor)
        found["cider"] = self._cider(made)
        found["token_accuracy"] = self._mean_of_best(made, _token_accuracy)
        return found

    def _mean_of_best(self, captions: Sequence[Words], score: Callable[[Words, Words], float]) -> float:
        """The mean over the captions of the best score with a reference."""
        pairs = zip(captions, self._references, strict=True)
        return sum(max(score(one, other) for other in own) for one, own in pairs) / len(captions)

    def _bleu(self, captions: Sequence[Words]) -> dict[str, float]:
        right, there = [0] * LONGEST, [0] * LONGEST
        length, nearest = 0, 0
        for caption, own, grams in zip(captions, self._references, self._grams, strict=True):
            for gram, count in _grams(caption).items():
                there[len(gram) - 1] += count
                right[len(gram) - 1] += min(count, max(other[gram] for other in grams))
            length += len(caption)
            nearest += min((abs(len(other) - len(caption)), len(other)) for other in own)[1]
        found, total = {}, 0.0
        brevity = 1.0 if length >= nearest else exp(1 - nearest / length) if length else 0.0
        for n in range(LONGEST):
            total += log(right[n] / there[n]) if right[n] and total > float("-inf") else float("-inf")
            found[f"bleu{n + 1}"] = brevity * exp(total / (n + 1))
        return found

    def _cider(self, captions: Sequence[Words]) -> float:
        total = 0.0
        for caption, own in zip(captions, self._weighted, strict=True):
            mine = self._vectors(_grams(caption))
            cosines = [_cosine(mine[n], other[n]) for other in own for n in range(LONGEST)]
            total += sum(cosines) / len(cosines)
        return total / len(captions)

    def _vectors(self, grams: Grams) -> list[dict[Words, float]]:
        """Weighted counts of n-grams by length, n = 1 to LONGEST; an n-gram of no reference counts as one of a single
        image."""
        found: list[dict[Words, float]] = [{} for _ in range(LONGEST)]
        for gram, count in grams.items():
            found[len(gram) - 1][gram] = count * self._rarity.get(gram, self._unseen)
        return found


def _grams(caption: Words) -> Grams:
    """Counts of all n-grams up to LONGEST words."""
    spans = range(1, LONGEST + 1)
    return Counter([caption[i : i + n] for n in spans for i in range(len(caption) - n + 1)])


def _cosine(first: Mapping[Words, float], second: Mapping[Words, float]) -> float:
    norm = sqrt(sum(x * x for x in first.values())) * sqrt(sum(x * x for x in second.values()))
    return sum(x * second.get(gram, 0.0) for gram, x in first.items()) / norm if norm else 0.0


def _token_accuracy(caption: Words, reference: Words) -> float:
    same = sum(one == other for one, other in zip(caption, reference, strict=False))
    return same / max(len(caption), len(reference))


@lru_cache(KEPT)
def meteor(caption: Words, reference: Words) -> float:
    """In [0, 1); 0 without a match.

    >>> meteor(("a", "red", "disc"), ("a", "disc"))      # P = 2/3, R = 1, two chunks of two matches
    0.47619047619047616
    """
    matches, fewer = _aligned(caption, reference)
    if not matches:
        return 0.0
    precision, recall = matches / len(caption), matches / len(reference)
    mean = 10 * precision * recall / (recall + 9 * precision)
    return mean * (1 - 0.5 * (-fewer / matches) ** 3)


def _aligned(caption: Words, reference: Words) -> tuple[int, int]:
    """The most matches of equal words, each word in one at most, and the fewest chunks of such an alignment, negative.

    A chunk are matches whose words follow each other in both.
    """

    @cache
    def best(place: int, used: int, before: int) -> tuple[int, int]:
        """From a word of the caption on. `used` has bits for the reference's words that are matched, `before` is the
        place of the last one where that was the match of the word before (-1: none was)."""
        if place == len(caption):
            return 0, 0
        found = best(place + 1, used, -1)
        for other, word in enumerate(reference):
            if word == caption[place] and not used >> other & 1:
                matches, fewer = best(place + 1, used | 1 << other, other)
                found = max(found, (matches + 1, fewer - (before < 0 or other != before + 1)))
        return found

    return best(0, 0, -1)

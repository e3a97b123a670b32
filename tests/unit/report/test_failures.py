"""Failures are grouped by kind and text, the commonest first."""

from __future__ import annotations

from evonas_cli.report.failures import Reason, tally


def entry(kind: str | None, text: str = "") -> dict[str, object]:
    return {"status": "ok"} if kind is None else {"status": "failed", "error": {"kind": kind, "text": text}}


def test_the_commonest_come_first_and_ties_by_their_words() -> None:
    entries = [entry("error", "b"), entry(None), *[entry("unbuildable", "too deep")] * 3, entry("error", "a")]
    found = tally(entries)
    assert found.kinds() == {"error": 2, "unbuildable": 3}
    assert found.commonest(2) == [Reason("unbuildable", "too deep", 3), Reason("error", "a", 1)]
    assert str(found.commonest()[0]) == "unbuildable: too deep"
    assert str(Reason("refused", "refused before training: size is 9", 1)) == "refused before training: size is 9"


def test_no_failure_has_no_reason() -> None:
    assert tally([entry(None)]).commonest() == [] and tally([]).kinds() == {}


def test_at_most_five_are_told() -> None:
    assert [reason.text for reason in tally([entry("error", str(n)) for n in range(9)]).commonest()] == list("01234")

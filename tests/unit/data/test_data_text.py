"""Text and copy sequences: vocabulary, splits, targets, digests, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.data.copying import Copy
from evonas_cli.data.digits import Digits
from evonas_cli.data.sequences import Corpus, SequenceDataset, Sequences
from evonas_cli.data.text import Text

POEM = "abcdefghij" * 20
PACKED = gzip.compress(POEM.encode(), mtime=0)  # without a time, so that the tests have the same names each time


def text(path: Path | str | None, **changes: Any) -> Text:
    settings = {"valid_fraction": 0.05, "test_fraction": 0.05, "limit": None, **changes}
    return Text(path=None if path is None else str(path), **settings)


def copy(**changes: Any) -> Copy:
    return Copy(**{"symbols": 4, "length": 5, "blanks": 10, "n_train": 600, "n_valid": 200, "n_test": 200, **changes})


@pytest.fixture
def poem(tmp_path: Path) -> Path:
    path = tmp_path / "poem.txt"
    path.write_text(POEM, encoding="utf-8")
    return path


def spelled(corpus: Corpus, part: Sequences) -> str:
    """The characters of a stream, from its first input to its last target."""
    tokens = [*part.inputs[0].tolist(), part.targets[0, -1]]
    return "".join(corpus.vocabulary[token] for token in tokens)


def test_sequence_datasets_are_told_from_images() -> None:
    assert isinstance(text("x"), SequenceDataset) and isinstance(copy(), SequenceDataset)
    images = Digits(valid_fraction=0.25, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0)
    assert not isinstance(images, SequenceDataset)


def test_the_parts_follow_each_other(poem: Path) -> None:
    corpus, test = text(poem).corpus(0), text(poem).test(0)
    parts = [spelled(corpus, part) for part in (corpus.train, corpus.valid, test)]
    assert "".join(parts) == POEM and [len(part) for part in parts] == [180, 10, 10]


def test_each_character_is_predicted_from_those_before(poem: Path) -> None:
    train = text(poem).corpus(0).train
    assert train.stream and train.scored.all() and train.inputs.shape == train.targets.shape == (1, 179)
    assert np.array_equal(train.inputs[0, 1:], train.targets[0, :-1])


def test_the_vocabulary_is_that_of_the_training_part(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    path.write_text("ba" * 45 + "bcbcbcbcbc", encoding="utf-8")
    corpus = text(path).corpus(0)
    assert corpus.vocabulary == ("unknown", "a", "b")
    assert corpus.valid.inputs.tolist() == [[2, 0, 2, 0]]
    assert 0 not in corpus.train.inputs


def test_characters_beyond_ascii(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("αβ\U0001f600" * 40, encoding="utf-8")
    corpus = text(path).corpus(0)
    assert corpus.vocabulary == ("unknown", "α", "β", "\U0001f600")
    assert spelled(corpus, corpus.train) == ("αβ\U0001f600" * 40)[:108]


def test_limit_counts_characters(poem: Path) -> None:
    corpus = text(poem, limit=40).corpus(0)
    assert spelled(corpus, corpus.train) == POEM[:36] and spelled(corpus, corpus.valid) == POEM[36:38]


def test_compressed_text_is_the_same_text(poem: Path, tmp_path: Path) -> None:
    packed = tmp_path / "poem.txt.gz"
    packed.write_bytes(PACKED)
    assert text(packed).corpus(0).fingerprint == text(poem).corpus(3).fingerprint


def test_the_fingerprint_is_that_of_data_and_split(poem: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(POEM[:-15] + "j" + POEM[-14:], encoding="utf-8")
    sources = (text(poem), text(other), text(poem, limit=180), text(poem, valid_fraction=0.1))
    assert len({source.corpus(0).fingerprint for source in sources}) == 4


@pytest.mark.data
def test_shakespeare(data_dir: Path) -> None:
    corpus = text(data_dir / "text/shakespeare.txt.gz").corpus(0)
    assert spelled(corpus, corpus.train).startswith("First Citizen:\nBefore we proceed")
    assert corpus.train.inputs.shape[1] == 1_115_394 - 2 * 55_770 - 1
    assert len(corpus.vocabulary) == 66 and 0 not in corpus.valid.inputs


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valid_fraction": 0.0}, "dataset.valid_fraction is 0.0; it must lie between 0 and 1"),
        ({"test_fraction": 1.0}, "dataset.test_fraction is 1.0"),
        ({"valid_fraction": float("nan")}, "dataset.valid_fraction is nan"),
        ({"valid_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
        ({"limit": 0}, "dataset.limit is 0; it must be an integer of at least 1, or null"),
        ({"limit": True}, "dataset.limit is True"),
        ({"limit": 20}, "20 characters make parts of 18, 1 and 1 .*larger dataset.limit"),
        ({"valid_fraction": 0.001}, "make parts of 190, 0 and 10 for training, validation and test; each needs 2"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(poem: Path, changes: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        text(poem, **changes).corpus(0)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.txt", None, "missing.txt not found; pass dataset.path=FILE.txt"),
        ("latin.txt", "a\xe9".encode("latin-1") * 50, "latin.txt is not UTF-8 .*at byte 1.; convert it"),
        ("plain.txt.gz", b"no archive at all", "plain.txt.gz cannot be read as a gzip file"),
        ("torn.txt.gz", PACKED[:-9], "torn.txt.gz cannot be read as a gzip file"),
        (
            "bent.txt.gz",
            PACKED[:14] + b"\xff" * 9,
            "bent.txt.gz cannot be read as a gzip file",
        ),
        ("packed.txt.gz", b"\x1f\x8b\x08\x00" + b"\0" * 30, "packed.txt.gz cannot be read as a gzip file"),
        ("monotone.txt", b"a" * 99, "the training part is one character, 'a', again and again"),
        ("empty.txt", b"", "0 characters make parts of 0, 0 and 0"),
    ],
)
def test_wrong_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=reason) as raised:
        text(tmp_path / name).corpus(0)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("path", [None, ""])
def test_no_path_is_refused(path: str | None) -> None:
    with pytest.raises(UsageError, match="dataset.path is not set; pass dataset.path=FILE.txt"):
        text(path).corpus(0)


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        text(tmp_path).corpus(0)


@given(st.integers(2, 6), st.integers(3, 6), st.integers(0, 12), st.integers(0, 99))
def test_copy_repeats_the_symbols_after_the_blanks(symbols: int, length: int, blanks: int, seed: int) -> None:
    source = copy(symbols=symbols, length=length, blanks=blanks, n_train=3, n_valid=2, n_test=1)
    corpus = source.corpus(seed)
    for part, size in ((corpus.train, 3), (corpus.valid, 2), (source.test(seed), 1)):
        assert part.inputs.shape == part.targets.shape == (size, 2 * length + blanks) and not part.stream
        assert np.array_equal(part.inputs[:, :length], part.targets[:, -length:])
        assert (part.inputs[:, :length] < symbols).all()
        assert (part.inputs[:, length : length + blanks] == symbols).all()
        assert (part.inputs[:, length + blanks :] == symbols + 1).all()
        assert part.scored.tolist() == [False] * (length + blanks) + [True] * length
    assert len(corpus.vocabulary) == symbols + 2


def test_no_word_is_in_two_parts() -> None:
    source = copy()
    corpus = source.corpus(1)
    words = [tuple(row[:5]) for part in (corpus.train, corpus.valid, source.test(1)) for row in part.inputs.tolist()]
    assert len(words) == len(set(words)) == 1000


def test_words_are_uniform_and_come_from_the_seed() -> None:
    first, again, other = (copy().corpus(seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert np.array_equal(first.train.inputs, again.train.inputs)
    counts = np.bincount(first.train.inputs[:, :5].ravel(), minlength=4)
    assert (abs(counts - 750) < 100).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbols": 1}, "dataset.symbols is 1; it must be an integer of at least 2"),
        ({"length": 0}, "dataset.length is 0"),
        ({"blanks": -1}, "dataset.blanks is -1"),
        ({"n_train": 0}, "dataset.n_train is 0"),
        ({"n_valid": 2.0}, "dataset.n_valid is 2.0"),
        ({"n_test": True}, "dataset.n_test is True"),
        ({"length": 4}, "is 1000, but 4 symbols make only 256 words of 4; ask for fewer"),
        ({"length": 40}, "dataset.length is 40, of 4 symbols: too many words"),
        ({"symbols": 10**9, "length": 10**9}, "too many words"),
    ],
)
def test_impossible_copies_are_refused_in_one_line(changes: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        copy(**changes)
    assert "\n" not in str(raised.value)

"""Own texts from a table: a row is a text of token ids, padded at the end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.data.cells import Cells, numbers
from evonas_cli.data.delimited import Delimited, check_columns
from evonas_cli.data.delimited_source import DelimitedSource, Fitted
from evonas_cli.data.splits import Indices
from evonas_cli.data.target_columns import check_present, target_names
from evonas_cli.data.vocabulary import TOKENS, learned, tokens, usual_length

NOTHING = frozenset({""})


@dataclass(frozen=True, kw_only=True)
class TextCsv(DelimitedSource):
    """A table with a column `text`, whose texts become token ids (L,) as `data.vocabulary` says.

    `tokens`: words or characters. `lower`: whether capitals count as small letters. `vocabulary`: how many tokens are
    known at most, of those that the training part has at least `least_count` times. `max_length`: L; of a longer text
    the first L tokens are read; auto: what 95 % of the training texts do not exceed.
    """

    text: str
    tokens: str
    lower: bool
    vocabulary: int
    least_count: int
    max_length: int | str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.text, str) or not self.text:
            raise UsageError(f"dataset.text is {self.text!r}; pass dataset.text=COLUMN")
        if self.tokens not in TOKENS:
            raise UsageError(f"dataset.tokens is {self.tokens!r}; it must be one of {', '.join(TOKENS)}")
        if type(self.lower) is not bool:
            raise UsageError(f"dataset.lower is {self.lower!r}; it must be true or false")
        for key in ("vocabulary", "least_count", "max_length"):
            value = getattr(self, key)
            if (type(value) is not int or value < 1) and (key, value) != ("max_length", "auto"):
                auto = ", or auto" if key == "max_length" else ""
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer of at least 1{auto}")

    @property
    def layout(self) -> str:
        """As Laid."""
        return "tokens"

    def check_header(self, names: tuple[str, ...], path: Path) -> None:
        """As DelimitedSource.check_header."""
        if self.text in target_names(self.target):
            raise UsageError(f"dataset.text and dataset.target both name {self.text!r}; name two columns")
        if self.text == self.group:
            raise UsageError(f"dataset.text and dataset.group both name {self.text!r}; name two columns")
        check_columns(names, [self.text], path, "dataset.text")

    def fit(self, table: Delimited, rows: dict[str, Indices], wanted: tuple[str, ...]) -> Fitted:
        """As DelimitedSource.fit: token ids (N, L) int64, 0 after a text's end."""
        self._check_texts(table)
        cells = table.columns[self.text]
        train = [self._tokens(table, cells, row) for row in rows["train"]]
        length = usual_length(train) if self.max_length == "auto" else int(self.max_length)
        known = learned(train, self.vocabulary, self.least_count)
        if not known.known:
            raise UsageError(f"{table.path}: no token of the training part is there {self.least_count} times; "
                             "lower dataset.least_count")  # fmt: skip
        cut = sum(len(text) > length for text in train)
        arrays = {part: known.ids([self._tokens(table, cells, row) for row in rows[part]], length) for part in wanted}
        what = (
            f"texts of {length} {self.tokens} ({cut} of {len(train)} training texts are longer and cut), "
            f"{known.size} token ids"
        )
        preparation = {
            "form": "text",
            "column": self.text,
            "tokens": self.tokens,
            "lower": self.lower,
            "length": length,
            "known": list(known.known),
        }
        return Fitted(arrays, known.size, what, (), preparation)

    def _check_texts(self, table: Delimited) -> None:
        check_present(table, self.text, NOTHING, "remove these rows, or fill them in")
        if not np.isnan(numbers(table.columns[self.text])).any():
            raise UsageError(f"{table.path}: column {self.text!r} (dataset.text) holds numbers alone and no text; name "
                             "another column, or pass dataset=csv")  # fmt: skip

    def _tokens(self, table: Delimited, cells: Cells, row: int) -> list[str]:
        return tokens(cells[row], self.tokens, self.lower)

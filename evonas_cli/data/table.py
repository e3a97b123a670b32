"""Own data from a table: a row is a vector of features, made of its columns of numbers and words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evonas_cli.core.errors import UsageError
from evonas_cli.data.columns import Rules, fitted, names_of, spread
from evonas_cli.data.columns_json import written
from evonas_cli.data.delimited import Delimited, check_columns
from evonas_cli.data.delimited_source import DelimitedSource, Fitted
from evonas_cli.data.splits import Indices
from evonas_cli.data.target_columns import target_names

LISTS = ("drop", "categories", "keep")


@dataclass(frozen=True, kw_only=True)
class Csv(DelimitedSource):
    """A table whose columns beside the targets and the groups are the features of a vector (F,) (`data.columns`).

    `drop`: columns left out. `categories`: columns taken as words, whatever they hold. `keep`: columns that stay though
    they look like a running number, an id or free text. `most_categories`: how many values of a column have a feature
    of their own.
    """

    drop: tuple[str, ...]
    categories: tuple[str, ...]
    keep: tuple[str, ...]
    most_categories: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.most_categories) is not int or self.most_categories < 1:
            raise UsageError(
                f"dataset.most_categories is {self.most_categories!r}; it must be an integer of at least 1"
            )
        groups = set() if self.group is None else {self.group}
        for key, out in (("drop", set(self.drop)), ("group", groups)):
            named = sorted(out & {*self.categories, *self.keep, *target_names(self.target)})
            if named:
                raise UsageError(f"dataset.{key} names {named[0]!r}, which another setting of dataset names, too; "
                                 "leave it out of one")  # fmt: skip

    @property
    def layout(self) -> str:
        """As Laid."""
        return "vector"

    def check_header(self, names: tuple[str, ...], path: Path) -> None:
        """As DelimitedSource.check_header."""
        for key in LISTS:
            check_columns(names, getattr(self, key), path, f"dataset.{key}")
        if not set(names) - {*target_names(self.target), *self._left_out}:
            raise UsageError(f"{path} has no column beside the target and those in dataset.drop and dataset.group; "
                             "there is nothing to learn from")  # fmt: skip

    @property
    def _left_out(self) -> tuple[str, ...]:
        """Columns that are neither inputs nor targets."""
        return tuple(self.drop) if self.group is None else (*self.drop, self.group)

    def fit(self, table: Delimited, rows: dict[str, Indices], wanted: tuple[str, ...]) -> Fitted:
        """As DelimitedSource.fit: vectors (N, F) float32, numbers standardised."""
        rules = Rules(
            missing=frozenset(self.missing),
            drop=self._left_out,
            categories=tuple(self.categories),
            keep=tuple(self.keep),
            most_categories=self.most_categories,
        )
        columns, notes = fitted(table, rows["train"], target_names(self.target), rules)
        arrays = {part: spread(table, columns, rows[part]) for part in wanted}
        what = f"{len(names_of(columns))} features of {len(columns)} columns"
        return Fitted(arrays, 0, what, tuple(notes), written(columns, rules.missing))

"""Rows in and results out, as lists of dictionaries or as pandas' frames."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, Union, cast, overload

from .results import ModelRef, Site, TranscriptScore

if TYPE_CHECKING:
    import pandas

R = TypeVar("R", bound=Mapping[str, object])
Rows: TypeAlias = Union[Iterable[Mapping[str, object]], "pandas.DataFrame"]
"""A dictionary for each row, or a frame with a column for each field."""
Sequences: TypeAlias = Union[Mapping[str, str], Iterable[Mapping[str, object]], "pandas.DataFrame"]
"""Letters by name, or rows with `id` and `sequence`."""


@dataclass(frozen=True)
class Table(Sequence[R], Generic[R]):
    """Results in the order of the rows."""

    results: list[R]
    asked: "pandas.Index[Any] | None" = None
    """The index of the frame that was asked about."""

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> list[R]: ...
    def __getitem__(self, at: int | slice) -> R | list[R]:
        return self.results[at]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[R]:
        return iter(self.results)

    def frame(self) -> "pandas.DataFrame":
        """The results as pandas' frame: `pandas.concat([asked, reply.frame()], axis=1)` puts them beside what was asked.

        It has the index of the frame that was asked about, and leaves out `id`, which that has. A field inside a field is a
        column with a dot in its name.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("frames need pandas: pip install 'mirador[pandas]'") from error
        rows: list[dict[str, Any]] = [_flat(result) for result in self.results]
        frame = pandas.DataFrame(rows, index=self.asked)
        return frame if self.asked is None else frame.drop(columns="id", errors="ignore")


@dataclass(frozen=True)
class Reply(Table[R]):
    """Results, and who gave them."""

    model: ModelRef | None = None
    """The model that answered; `None` where no network is asked."""


@dataclass(frozen=True)
class Scan:
    """What a scan found."""

    model: ModelRef
    repression_model: ModelRef
    transcripts: Table[TranscriptScore]
    sites: Table[Site]


def read(rows: Rows) -> "tuple[list[Mapping[str, object]], pandas.Index[Any] | None]":
    """Rows as JSON has them, and a frame's index."""
    # Who has a frame has imported pandas; nobody else needs to.
    imported = sys.modules.get("pandas")
    if imported is not None and isinstance(rows, imported.DataFrame):
        frame = cast("pandas.DataFrame", rows)
        return [_row(values) for values in frame.to_dict("records")], frame.index
    return list(cast("Iterable[Mapping[str, object]]", rows)), None


def sequences(of: Sequences) -> list[Mapping[str, object]]:
    """Named sequences as rows."""
    if isinstance(of, Mapping):
        return [{"id": name, "sequence": letters} for name, letters in of.items()]
    return read(of)[0]


def _row(values: Mapping[Any, Any]) -> dict[str, object]:
    """A frame's row: what is missing is left out, and `mirnas.mir-1` is `mir-1` in `mirnas`."""
    row: dict[str, Any] = {}
    for name, value in values.items():
        if _is_missing(value):
            continue
        outer, dot, inner = str(name).partition(".")
        if dot:
            row.setdefault(outer, {})[inner] = value
        else:
            row[outer] = value
    # Numbers are ids in many tables.
    if "id" in row:
        row["id"] = str(row["id"])
    return row


def _is_missing(value: object) -> bool:
    # Not a number; and pandas' own two, which are equal to nothing and may not be imported here.
    nan = isinstance(value, float) and math.isnan(value)
    return value is None or nan or type(value).__name__ in ("NAType", "NaTType")


def _flat(result: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in result.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{before}{name}."))
        else:
            flat[before + name] = value
    return flat

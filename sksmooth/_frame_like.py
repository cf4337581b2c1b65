"""What kind of frame `fit` saw, and frames of another library made like it.

A base classifier that was trained on NaN among texts does not know None, which is what
another library has in their place: it is given what it was trained on.
"""

from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np

from ._frame_dtype import FrameDtype

# NumPy's dtypes of which no cell can be missing, and what pandas takes where some are.
_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_WITH_GAPS = {"bool": "object"} | dict.fromkeys(_INTEGERS, "float64")


@dataclass(frozen=True)
class FrameLike:
    """A frame as `fit` saw it: its library, and the dtypes of its columns.

    Attributes
    ----------
    library : str
        "pandas", "polars", ...

    dtypes : list of FrameDtype

    families : list of str
        What cells the dtypes are for, see ``_family``.

    gaps : list
        What a missing cell of each column was, None or NaN, if it is a column of any
        objects; else None, of which the dtype makes a gap.
    """

    library: str
    dtypes: list
    families: list
    gaps: list

    @classmethod
    def of(cls, frame):
        """Return what kind of frame this is."""
        table = nw.from_native(frame, eager_only=True)
        columns = [table[:, place] for place in range(table.shape[1])]
        dtypes = [FrameDtype.of(column) for column in columns]
        return cls(
            str(table.implementation),
            dtypes,
            [_family(column) for column in columns],
            [_gap(*pair) for pair in zip(columns, dtypes, strict=True)],
        )

    def make(self, frame):
        """Return a frame of another library as one of this; one of this as it is.

        A column gets the dtype that it had in `fit` if that is for cells of this kind,
        and else the one that this library gives to them.

        Parameters
        ----------
        frame : data frame
            With the columns of `fit`, in order.

        Raises
        ------
        ValueError
            If the library of `fit` is not installed, or cannot hold a column.
        """
        table = nw.from_native(frame, eager_only=True)
        other = str(table.implementation)
        if other == self.library or not table.shape[1]:
            return frame
        backend = nw.Implementation.from_string(self.library)
        try:
            backend.to_native_namespace()
        except ImportError as error:
            raise ValueError(
                f"fit was given a frame of {self.library}, which is not installed "
                f"here, and X is one of {other}: install {self.library}, or call fit "
                f"with a frame of {other}."
            ) from error
        columns = []
        for place, name in enumerate(table.columns):
            column = table[:, place]
            try:
                made = self._column(column, place, backend)
            except Exception as error:  # of each library its own
                raise ValueError(
                    f"column {name!r} ({column.dtype}) of X, a frame of {other}, "
                    f"cannot be made one of {self.library} like the one in fit: give "
                    "it cells of the kind that it had there."
                ) from error
            columns.append(made.alias(name))
        return columns[0].to_frame().with_columns(*columns[1:]).to_native()

    def _column(self, column, place, backend):
        dtype, own, family = self.dtypes[place], self.families[place], _family(column)
        cells = _cells(column, self.gaps[place])
        if dtype.categories is not None:
            new = {cell for cell in cells if cell is not None} - {*dtype.categories}
            if new and family not in ("text", "any"):
                return nw.new_series("value", cells, backend=backend)
            dtype = replace(dtype, categories=[*dtype.categories, *sorted(new)])
        elif own != family and "any" not in (own, family):
            return nw.new_series("value", cells, backend=backend)
        elif backend.is_pandas_like():
            if isinstance(cells, list):
                dtype = replace(dtype, name=_WITH_GAPS.get(dtype.name, dtype.name))
        elif column.dtype.is_nested() or column.dtype.is_temporal():
            # Their units, zones or parts are in no FrameDtype, but in the cells.
            return _in_zone(nw.new_series("value", cells, backend=backend), column)
        return dtype.series(cells, backend)


def _in_zone(made, column):
    """Return times in the zone of a column: older polars makes UTC of lists."""
    zone = getattr(column.dtype, "time_zone", None)
    if zone is None or made.dtype.time_zone is not None:
        return made
    return made.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def _family(column):
    """Return what cells a column is for: "any" if they may be of all kinds."""
    dtype = column.dtype
    if dtype == nw.Object:
        return "any"
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return "text"
    if dtype in (nw.Date, nw.Datetime):
        return f"time {getattr(dtype, 'time_zone', None)}"
    return str(dtype)


def _gap(column, dtype):
    if dtype.name != "object":
        return None
    missing = np.flatnonzero(column.is_null().to_numpy())[:1]
    cells = column[missing].to_list()
    return cells[0] if cells and isinstance(cells[0], float) else None


def _cells(column, gap):
    """Return the cells of a column, as an array if that holds them all as they are."""
    dtype, missing = column.dtype, column.is_null().to_numpy()
    naive = dtype == nw.Datetime and dtype.time_zone is None
    if naive or (not missing.any() and (dtype.is_numeric() or dtype == nw.Boolean)):
        return column.to_numpy()  # of times: lists would hold no nanoseconds
    pairs = zip(column.to_list(), missing.tolist(), strict=True)
    return [gap if is_missing else cell for cell, is_missing in pairs]

"""The dtype of a column of a data frame, in a form that can be stored."""

from dataclasses import dataclass

import narwhals as nw


@dataclass(frozen=True)
class FrameDtype:
    """The dtype of a frame's column in texts and lists, which any format can store.

    Attributes
    ----------
    library : str
        "pandas", "polars", ...

    name : str
        What pandas calls the dtype, or narwhals does.

    categories : list or None
        Of a dtype that lists them.

    of_categories : str
        Their dtype in pandas.

    ordered : bool
    """

    library: str
    name: str
    categories: list | None = None
    of_categories: str = ""
    ordered: bool = False

    @classmethod
    def of(cls, column):
        """Return the dtype of a narwhals Series."""
        library, dtype = str(column.implementation), column.dtype
        if not column.implementation.is_pandas_like():
            listed = list(dtype.categories) if dtype == nw.Enum else None
            return cls(library, str(dtype).partition("(")[0], listed)
        dtype = column.to_native().dtype
        if not hasattr(dtype, "categories"):
            return cls(library, str(dtype))
        listed = dtype.categories
        ordered = bool(dtype.ordered)
        return cls(library, "category", listed.tolist(), str(listed.dtype), ordered)

    def series(self, cells, implementation):
        """Return a narwhals Series of this dtype.

        Parameters
        ----------
        cells : list

        implementation : narwhals Implementation
            The library to make it in. If that is another than the dtype is of, the
            column has the dtype that this library gives to such cells.
        """
        if self.library != str(implementation):
            return nw.new_series("value", cells, backend=implementation)
        if not implementation.is_pandas_like():
            dtype = getattr(nw, self.name)
            dtype = dtype if self.categories is None else dtype(self.categories)
            return nw.new_series("value", cells, dtype, backend=implementation)
        library, dtype = implementation.to_native_namespace(), self.name
        if self.categories is not None:
            listed = library.Index(self.categories, dtype=self.of_categories)
            dtype = library.CategoricalDtype(listed, self.ordered)
        native = library.Series(cells, dtype=dtype, name="value")
        return nw.from_native(native, series_only=True)

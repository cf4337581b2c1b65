"""Tables of accuracies as text, best values marked."""

import re

# In Markdown < and & begin what browsers take for HTML.
_MARKDOWN = {
    **{character: "\\" + character for character in "\\|*`[]~$"},
    **{"<": "&lt;", ">": "&gt;", "&": "&amp;"},
}
_LATEX = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    # At the start of a row these would belong to the \\ or \midrule before it.
    **{character: f"{{{character}}}" for character in "[*"},
}


def mark_best(table, *, digits=2, mark="**{}**"):
    """Format a table of accuracies and mark the highest value of each column.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers, such as :func:`certified_accuracy_table` returns.

    digits : int, default=2
        Decimals.

    mark : str, default="**{}**"
        What surrounds the best values: bold in Markdown by default; for LaTeX use
        ``r"\\textbf{{{}}}"``.

    Returns
    -------
    marked : pandas.DataFrame
        Strings. Values that look the same are all marked; 0 never is. NaN is "-".

    See Also
    --------
    format_table : The same as one text.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import mark_best
    >>> table = pd.DataFrame({0.0: [0.748, 0.652], 0.5: [0.428, 0.414]}, ["a", "b"])
    >>> mark_best(table)
            0.0       0.5
    a  **0.75**  **0.43**
    b      0.65      0.41
    """

    def mark_column(column):
        texts = ["-" if value != value else f"{value:.{digits}f}" for value in column]
        numbers = [float(text) for text in texts if text != "-"]
        best = max(numbers, default=0)
        return [
            mark.format(text) if text != "-" and float(text) == best > 0 else text
            for text in texts
        ]

    return table.apply(mark_column).astype(object)


def format_table(table, *, style="markdown", digits=2, escape=True):
    """Return a table of accuracies as Markdown or LaTeX, best values in bold.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers, such as :func:`certified_accuracy_table` returns.

    style : {"markdown", "latex"}, default="markdown"
        LaTeX needs the package booktabs.

    digits : int, default=2
        Decimals.

    escape : bool, default=True
        Show names of rows and columns as they are, whatever characters they hold.
        False passes them on, for names that hold mathematics or other markup; never
        for names that somebody else chose.

    Returns
    -------
    text : str
        Ends with a line end.

    Raises
    ------
    ValueError
        If the style is not known.

    See Also
    --------
    mark_best : The marked values as a data frame, for its other formats.

    Examples
    --------
    >>> import pandas as pd
    >>> from sksmooth.logs import format_table
    >>> table = pd.DataFrame({0.0: [0.748, 0.652], 0.5: [0.428, 0.414]}, ["a", "b"])
    >>> print(format_table(table))
    |    |      0.0 |      0.5 |
    |:---|---------:|---------:|
    | a  | **0.75** | **0.43** |
    | b  |     0.65 |     0.41 |
    >>> print(format_table(table, style="latex"))
    \\begin{tabular}{lrr}
    \\toprule
     & 0.0 & 0.5 \\\\
    \\midrule
    a & \\textbf{0.75} & \\textbf{0.43} \\\\
    b & 0.65 & 0.41 \\\\
    \\bottomrule
    \\end{tabular}
    """
    if style not in ("markdown", "latex"):
        raise ValueError(f"style must be 'markdown' or 'latex', got {style!r}.")
    latex = style == "latex"
    marked = mark_best(
        table, digits=digits, mark=r"\textbf{{{}}}" if latex else "**{}**"
    )

    def told(name):
        return _escaped(str(name), latex) if escape else str(name)

    corner = "" if table.columns.name is None else table.columns.name
    head = list(map(told, [corner, *table.columns]))
    rows = [
        [told(name), *values]
        for name, values in zip(marked.index, marked.to_numpy(), strict=True)
    ]
    if latex:
        lines = [
            rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"
    width = [max(2, *map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(row):
        cells = [row[0].ljust(width[0])]
        cells += [cell.rjust(w) for cell, w in zip(row[1:], width[1:], strict=True)]
        return "| " + " | ".join(cells) + " |"

    rule = [":" + "-" * (width[0] + 1), *("-" * (w + 1) + ":" for w in width[1:])]
    return "\n".join([line(head), f"|{'|'.join(rule)}|", *map(line, rows)]) + "\n"


def _escaped(name, latex):
    """Return a name so that it is shown as it is, in one line."""
    name = " ".join(name.split())
    if latex:
        return name.translate(str.maketrans(_LATEX))
    name = name.translate(str.maketrans(_MARKDOWN))
    # Inside a word it is no markup, and file names are full of them.
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", name)

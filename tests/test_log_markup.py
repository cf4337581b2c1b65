"""Names in tables: shown as they are, whatever they hold."""

import re

import pytest

from sksmooth.logs import format_table

pd = pytest.importorskip("pandas")

NAMES = [
    *["a|b", "<script>alert(1)</script>", "<b", "a & b", "&lt;", r"back\slash", r"\|"],
    *["*bold*", "**bold**", "_it_", "__init__", "a_b_c", "`code`", "[x](y)", "~~no~~"],
    *[
        "$x$",
        "50 %",
        "#1",
        "{x}",
        "x^2",
        "~",
        "two\nlines",
        "a\tb",
        "a\r\nb",
        "ü_",
        "|",
    ],
    *[r"\input{/etc/passwd}", "a\\", "<img src=x onerror=alert(1)>", "<!-- x -->"],
]


def shown(name):
    return " ".join(name.split())


def table_of(name):
    table = pd.DataFrame({0.25: [0.6, 0.5], name: [0.1, 0.43]}, index=[name, "other"])
    return table.rename_axis(columns=name)


@pytest.mark.parametrize("name", NAMES)
def test_markdown(name):
    """A browser shows, for corner, column and row, what the name is."""
    markdown = pytest.importorskip("markdown_it")
    text = format_table(table_of(name))
    parser = markdown.MarkdownIt("commonmark", {"html": True})
    tokens = parser.enable(["table", "strikethrough"]).parse(text)
    assert [token.type for token in tokens if token.type == "html_block"] == []
    cells = [token.children for token in tokens if token.type == "inline"]
    texts = ["".join(child.content for child in children) for children in cells]
    assert texts[:6] == [shown(name), "0.25", shown(name), shown(name), "0.60", "0.10"]
    kinds = {child.type for children in cells for child in children}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
    assert len(texts) == 9


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_no_html_and_one_line_a_row(name):
    lines = format_table(table_of(name)).splitlines()
    assert len(lines) == 4
    for line in lines:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 4
        assert "<" not in line


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_that_of_pandas(name):
    pytest.importorskip("jinja2")
    text = format_table(table_of(name), style="latex")
    assert len(text.splitlines()) == 8
    frame = pd.DataFrame({"x": ["y"]}, index=[shown(name)])
    theirs = frame.style.format_index(escape="latex").to_latex().splitlines()[2]
    # pandas ends such commands by a space, which braces do in any place.
    expected = re.sub(r"(\\text[a-z]+) ", r"\1{}", theirs.removesuffix(r" & y \\"))
    # At the start of a row these would belong to the command that ended the last one.
    expected = expected.replace("[", "{[}").replace("*", "{*}")
    assert text.splitlines()[4].startswith(expected + " & ")
    assert text.splitlines()[2].startswith(f"{expected} & 0.25 & {expected} ")


def test_markup_of_ones_own():
    table = pd.DataFrame({0: [0.5]}, index=[r"$\sigma$ <b>x</b>"])
    for style in ("latex", "markdown"):
        text = format_table(table, style=style, escape=False)
        assert r"$\sigma$ <b>x</b>" in text
        assert r"$\sigma$" not in format_table(table, style=style)


def test_names_of_the_usual_kind_stay_as_they_are():
    names = ["sigma_0.25", "sigma = 0.5", "run-1", "certify_cifar10_resnet110"]
    text = format_table(pd.DataFrame({0.5: [0.1] * 4}, index=names))
    assert all(name in text for name in names)

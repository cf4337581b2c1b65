"""The documentation lists all public names, and its checker finds what is wrong."""

import importlib.util
import re
import runpy
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / ".ci").is_dir(), reason="only in a checkout, which has .ci and docs"
)


@pytest.fixture(scope="module")
def listed():
    text = (ROOT / "docs/api/index.rst").read_text("utf-8")
    return set(re.findall(r"^   (\w+)$", text, flags=re.MULTILINE))


def public_modules():
    """Names of the modules of the package that have no underscore."""
    places = [*(ROOT / "sksmooth").glob("*.py"), *(ROOT / "sksmooth").glob("*/")]
    names = {path.stem for path in places if (path / "__init__.py").exists()}
    names |= {path.stem for path in places if path.suffix == ".py"}
    inside = {"noise", "models", "votes", "exact"}  # rooms that export nothing
    return {name for name in names - inside if not name.startswith("_")}


def test_public_names_are_in_the_api_reference(listed):
    import sksmooth

    assert set(sksmooth.__all__) <= listed


def test_public_modules_are_in_the_api_reference(listed):
    # What these hold is public as names of the package, or as a command.
    elsewhere = {"cli", "display", "metrics"}
    assert public_modules() - elsewhere <= listed
    for name in ("display", "metrics"):
        module = import_module(f"sksmooth.{name}")
        public = getattr(module, "__all__", None) or [
            key
            for key, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__
            and not key.startswith("_")
        ]
        assert set(public) <= listed


@pytest.mark.skipif(
    importlib.util.find_spec("numpydoc") is None, reason="needs numpydoc"
)
def test_docstrings_of_public_modules_are_checked(listed):
    checker = runpy.run_path(str(ROOT / ".ci/check_docstrings.py"))
    checked = {name.removeprefix("sksmooth.") for name in checker["PUBLIC_MODULES"]}
    assert public_modules() & listed <= checked


@pytest.fixture
def problems(tmp_path):
    check = runpy.run_path(str(ROOT / ".ci/check_site.py"))["problems"]

    def problems_of(body, style=""):
        (tmp_path / "index.html").write_text(f"<h1 id='here'></h1>{body}", "utf-8")
        (tmp_path / "folder").mkdir(exist_ok=True)
        other = tmp_path / "folder/other page.html"
        other.write_text("<a id='café' href='../index.html#here'></a>", "utf-8")
        (tmp_path / "style.css").write_text(style, "utf-8")
        return list(check(tmp_path))

    return problems_of


@pytest.mark.parametrize(
    "body",
    [
        "<a href='#here'></a><a href='#'></a><a href=''></a><a href='#top'></a>",
        "<a href='folder/other%20page.html#caf%C3%A9'></a>",
        "<a href='https://elsewhere.org/dead'></a><a href='mailto:a@b.c'></a>",
        "<img src='data:image/png;base64,AAAA'><link rel=stylesheet href='style.css'>",
        "<link rel='canonical' href='https://elsewhere.org/'>",
    ],
)
def test_good_pages_pass(problems, body):
    assert problems(body, "a {background: url(style.css)} /* url(http://x) */") == []


@pytest.mark.parametrize(
    "body, style, message",
    [
        ("<a href='none.html'></a>", "", "index.html: dead link none.html"),
        ("<a href='folder'></a>", "", "index.html: dead link folder"),
        ("<img src='none.png'>", "", "index.html: dead link none.png"),
        ("<a href='#there'></a>", "", "index.html: no such place #there"),
        (
            "<a href='folder/other page.html#x'></a>",
            "",
            "index.html: no such place folder/other page.html#x",
        ),
        (
            "<script src='https://cdn.org/x.js'></script>",
            "",
            "index.html: loads https://cdn.org/x.js",
        ),
        (
            "<link rel='stylesheet' href='//cdn.org/x.css'>",
            "",
            "index.html: loads //cdn.org/x.css",
        ),
        (
            "",
            "@import 'https://cdn.org/f.css'",
            "style.css: loads https://cdn.org/f.css",
        ),
        ("", "a {b: url(//cdn.org/f)}", "style.css: loads //cdn.org/f"),
    ],
)
def test_bad_pages_are_found(problems, body, style, message):
    assert problems(body, style) == [message]


def test_examples_without_data_are_left_out(monkeypatch, capsys, tmp_path):
    from types import SimpleNamespace

    import sksmooth.datasets

    def missing():
        raise FileNotFoundError("Spambase: not found. Ways to get it: ...")

    monkeypatch.setattr(sksmooth.datasets, "fetch_spambase", missing)
    for name in ("fetch_fashion_mnist", "fetch_titanic"):
        monkeypatch.setattr(sksmooth.datasets, name, lambda: None)
    monkeypatch.setattr(sksmooth.datasets, "get_data_home", lambda: tmp_path)
    (tmp_path / "efficientnet_lite0").mkdir()
    extension = runpy.run_path(str(ROOT / "docs/_ext/gallery_data.py"))
    app = SimpleNamespace(srcdir=ROOT / "docs")
    config = SimpleNamespace(plot_gallery="True", sphinx_gallery_conf={})
    extension["leave_out"](app, config)
    first, message = capsys.readouterr().err.splitlines()
    assert first.startswith("examples/plot_imagenet.py is not run.")
    assert first.endswith("has no imagenet_samples: make data gets it.")
    assert message.startswith("examples/plot_spam_filter.py is not run. Spambase: not")
    assert "plot_fashion_mnist" not in message
    pattern = config.sphinx_gallery_conf["filename_pattern"]
    assert not re.search(pattern, "/home/examples/plot_spam_filter.py")
    assert re.search(pattern, "/home/examples/plot_fashion_mnist.py")
    source = [".. _here:\n\nTitle\n=====\n\nText.\n"]
    extension["add_note"](app, "auto_examples/plot_spam_filter", source)
    assert source[0].index("=====") < source[0].index(".. note::")
    assert "fetch_spambase" in source[0]
    source = ["Title\n=====\n\nText.\n"]
    extension["add_note"](app, "auto_examples/plot_imagenet", source)
    assert "``make data`` gets it" in source[0]
    for name in ("auto_examples/plot_fashion_mnist", "index"):
        other = ["Title\n=====\n"]
        extension["add_note"](app, name, other)
        assert other == ["Title\n=====\n"]
    # Nor is one run that was not asked for.
    quick = {"filename_pattern": r"/plot_(votes|spam_filter)\.py"}
    extension["leave_out"](
        app, SimpleNamespace(plot_gallery="True", sphinx_gallery_conf=quick)
    )
    pattern = quick["filename_pattern"]
    assert re.search(pattern, "/home/examples/plot_votes.py")
    for other in ("spam_filter", "fashion_mnist"):
        assert not re.search(pattern, f"/home/examples/plot_{other}.py")
    # Nothing is looked for where no example is run.
    config = SimpleNamespace(plot_gallery="0", sphinx_gallery_conf={})
    extension["leave_out"](app, config)
    assert config.sphinx_gallery_conf == {}


@pytest.fixture(scope="module")
def benchmarks_page():
    return runpy.run_path(str(ROOT / "benchmarks/page.py"))


def test_benchmarks_have_their_places_in_the_page(benchmarks_page):
    text = benchmarks_page["PAGE"].read_text("utf-8")
    names = re.findall(r"<!-- begin (\w+) -->", text)
    assert names == list(benchmarks_page["RUNS"])
    for name in names:
        new = benchmarks_page["put"](text, name, "| a |\n| --- |\n| 1 |\n")
        assert benchmarks_page["between"](new, name).group().endswith("| 1 |\n")
        assert new.replace("| a |\n| --- |\n| 1 |\n", "") != text
        for other in set(names) - {name}:
            was = benchmarks_page["between"](text, other).group()
            assert benchmarks_page["between"](new, other).group() == was
    assert (
        benchmarks_page["as_markdown"]("words\n  1\n") == "```text\nwords\n  1\n```\n"
    )
    both = benchmarks_page["as_markdown"]("| a |\n| --- |\nwords\n| b |\n| --- |\n")
    assert both == "| a |\n| --- |\n\nwords\n\n| b |\n| --- |\n"
    with pytest.raises(ValueError, match="one pair of markers"):
        benchmarks_page["between"](text + text, names[0])


def test_quotes_are_in_the_page_of_benchmarks(benchmarks_page):
    text = benchmarks_page["PAGE"].read_text("utf-8")
    pages = [p.read_text("utf-8") for p in (ROOT / "docs").rglob("*.md")]
    marked = r"<!-- quotes benchmarks.md -->\n((?:\|.*\n)+)"
    quotes = [block for page in pages for block in re.findall(marked, page)]
    # The words of a link may be a quote, too.
    link = r"\[([^][]*)\]\(benchmarks\.md#"
    linked = " ".join(words for page in pages for words in re.findall(link, page))
    numbers = re.findall(r"\d+(?:[.,]\d+)*", linked)
    assert len(quotes) >= 10 and numbers
    for row in "".join(quotes).splitlines():
        assert f"{row}\n" in text
    for number in numbers:
        assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d])", text), number

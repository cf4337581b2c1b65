"""Sphinx's configuration: `make docs`, or `make gallery`, which runs the examples."""

import inspect
import re
import sys
from importlib.metadata import files
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import sksmooth  # noqa: E402

project = "sksmooth"
author = "The sksmooth developers"
copyright = author
version = release = sksmooth.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "gallery_data",
    "import_picture",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
# A page of a toctree may be missing. A page that no toctree names still is an error, so
# that a misspelt name is found.
suppress_warnings = ["config.cache", "toc.not_readable"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_fence_as_directive = ["math"]  # as GitHub renders it
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autodoc_default_options = {"member-order": "bysource"}
numpydoc_show_class_members = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("sksmooth",),
    "reference_url": {"sksmooth": None},
    "filename_pattern": r"/plot_",
    "within_subsection_order": "gallery_order.ReadingOrder",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,  # that page loads scripts from the network
    "nested_sections": False,
}

plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 100)]

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_title = "sksmooth"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["print.js"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "default",
}
html_sidebars = {
    "index": [],
    "install": [],
    "comparison": [],
    "architecture": [],
    "changelog": [],
}

# The site works without a network: MathJax is copied from a package into the site.
# This file of it draws with paths and needs no fonts. (MathML, as browsers render it
# themselves, looks right only where a font for mathematics is installed.)
mathjax_path = "tex-svg.js"
(_mathjax,) = (
    path.locate()
    for path in files("sphinx-mathjax-offline")
    if path.match("static/mathjax/tex-svg.js")
)


def _copy_mathjax(app, error):
    if error is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", mathjax_path)
        target.write_bytes(Path(_mathjax).read_bytes())


def _adapt_markdown(app, name, source):
    """Adapt what is written for GitHub and for doctest."""
    # Links to files of examples lead to their pages.
    text = re.sub(
        r"\]\(((?:\.\./)*)\.\./examples/(plot_\w+)\.py\)",
        r"](\1auto_examples/\2)",
        source[0],
    )
    # Expected output ends at an empty line, which a reader does not need.
    source[0] = text.replace("\n\n```\n", "\n```\n")


def _escape_stars(app, what, name, obj, options, lines):
    """Keep the star of a shape such as (n_inputs, *shape) from opening emphasis."""
    lines[:] = [re.sub(r"(?<=[(, ])\*(?=[\w.]+[,)])", r"\\*", line) for line in lines]


def _skip_others(app, what, name, obj, skip, options):
    """Leave out the methods that scikit-learn makes or lends, and torch."""
    if re.fullmatch(r"set_\w+_request", name):
        return True
    if what != "class":
        return None
    source = getattr(obj, "fget", None) or inspect.unwrap(obj)
    own = getattr(source, "__module__", None) or "sksmooth"
    return None if own.split(".")[0] == "sksmooth" else True


def setup(app):
    app.connect("autodoc-process-docstring", _escape_stars, priority=900)
    app.connect("autodoc-skip-member", _skip_others)
    app.connect("source-read", _adapt_markdown)
    app.connect("build-finished", _copy_mathjax)

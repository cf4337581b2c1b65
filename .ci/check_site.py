"""Check the built documentation: no dead links inside it, nothing fetched from afar.

    python .ci/check_site.py docs/_build/html

Every link to a page, a file or a place in a page must lead somewhere. Whatever a
browser loads by itself (scripts, styles, pictures, fonts) must be part of the site,
which works without a network.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes that a browser follows by itself; of <link>, only for these relations.
_LOADS = {("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src")}
_LOADING_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "shortcut icon"}


class _Page(HTMLParser):
    """The places of a page, and what it links to."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.places, self.links = {"", "top"}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        for key in ("href", "src"):
            if attrs.get(key) is None:
                continue
            loads = (tag, key) in _LOADS or (
                tag == "link" and attrs.get("rel") in _LOADING_RELATIONS
            )
            self.links.append((attrs[key], loads))


def problems(site):
    """Yield a line of text for each dead link and each thing loaded from elsewhere."""
    site = Path(site).resolve()
    pages = {
        path: _Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if "_static" not in path.parts  # templates of the theme
    }
    if not pages:
        yield f"{site} has no pages"
    for path, page in sorted(pages.items()):
        name = path.relative_to(site)
        for link, loads in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if loads and parts.scheme != "data":
                    yield f"{name}: loads {link}"
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                yield f"{name}: dead link {link}"
            elif (
                target in pages and unquote(parts.fragment) not in pages[target].places
            ):
                yield f"{name}: no such place {link}"
    for path in sorted(site.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        found = re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", text
        )
        yield from (f"{path.relative_to(site)}: loads {url}" for url in found)


def main(site):
    found = list(problems(site))
    print("\n".join(found) or f"{site}: all links lead somewhere, nothing is from afar")
    return len(found) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

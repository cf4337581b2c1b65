"""Pieces of a page of HTML that stands by itself: nothing is loaded from anywhere."""

import base64
import io
import re
from html import escape

import numpy as np

# The policy also keeps a browser from loading anything that a text might smuggle in.
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light; }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff;
  margin: 0 auto; padding: 1rem; max-width: 58rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; line-height: 1.2; }}
h2 {{ font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; }}
h3 {{ font-size: 1rem; margin: 1.2rem 0 .3rem; }}
p, ul {{ margin: .4rem 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums;
  overflow-wrap: normal; margin: .5rem 0; }}
th, td {{ padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd;
  vertical-align: middle; }}
th {{ font-weight: 600; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; }}
svg {{ width: 100%; height: auto; max-width: 40rem; display: block; }}
td img {{ width: 56px; height: 56px; object-fit: contain; image-rendering: pixelated;
  display: block; }}
code, pre {{ font-family: ui-monospace, monospace; font-size: .9em; }}
pre {{ white-space: pre-wrap; background: #f4f4f4; padding: .6rem; }}
.lead {{ font-size: 1.1rem; }}
.small {{ color: #555; font-size: .9rem; }}
@media (max-width: 30rem) {{
  table {{ font-size: .85rem; }}
  th, td {{ padding: .15rem .35rem; }}
}}
@media print {{
  body {{ font-size: 10pt; max-width: none; padding: 0; }}
  h2, h3 {{ break-after: avoid; }}
  tr, svg, pre {{ break-inside: avoid; }}
  svg {{ max-width: 12cm; }}
  .wide {{ overflow: visible; }}
  table {{ font-size: 9pt; }}
}}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page(title, body):
    """Return a page; `body` is HTML, `title` a text."""
    return _PAGE.format(title=escape(title), body="\n".join(body))


def tag(name, text, **attributes):
    """Return an element that shows a text."""
    given = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{escape(str(text))}</{name}>"


def table(head, rows):
    """Return a table. Cells are texts; those that are `Picture` are shown as such."""
    # On paper, the head stands again on each page that a long table reaches.
    head = "".join(tag("th", cell, scope="col") for cell in head)
    head = re.sub(r"_(?=[^\W_]{3})", "_<wbr>", head)  # where long names may break
    lines = [f"<thead><tr>{head}</tr></thead>", "<tbody>"]
    lines += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    lines.append("</tbody>")
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _cell(cell):
    if isinstance(cell, Picture):
        return f'<td><img src="{cell.source}" alt="{escape(cell.name)}"></td>'
    return tag("td", cell)


class Picture:
    """An image as part of a page.

    Parameters
    ----------
    values : ndarray of shape (height, width) or (height, width, 3)
        From 0 to 1.

    name : str
        What it is called where it cannot be seen.
    """

    def __init__(self, values, name):
        from matplotlib.image import imsave

        content = io.BytesIO()
        limits = {} if values.ndim == 3 else {"cmap": "gray", "vmin": 0, "vmax": 1}
        imsave(content, np.clip(values, 0, 1), format="png", **limits)
        encoded = base64.b64encode(content.getvalue()).decode("ascii")
        self.source, self.name = f"data:image/png;base64,{encoded}", name


def drawing(figure, name, description):
    """Return a figure of matplotlib as SVG.

    Parameters
    ----------
    figure : Figure

    name : str
        Of letters, and of no other drawing of the page.

    description : str
        What it shows, for whom it cannot be seen.
    """
    content = io.StringIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    svg = content.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg[svg.index("<svg") :]
    # Names are of the page, in which there are several drawings.
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    start, _, rest = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', start).group()
    return (
        f'<svg {box} role="img" aria-label="{escape(description)}" '
        'xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink">{rest}'
    )

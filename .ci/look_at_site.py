"""Open pages of the built documentation in Chromium, and report what goes wrong there.

    pip install playwright
    python .ci/look_at_site.py docs/_build/html pictures

Each page is opened at the width of a desk and of a phone, from the disk and without a
network. Reported are messages of the console, requests that fail or leave the disk,
formulas that were not drawn, and what sticks out of the screen. One picture a page and
width is left to be looked at.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGES = [
    "index",
    "install",
    "guide",
    "tutorials/tables",
    "tutorials/images",
    "tutorials/cohen",
    "tutorials/production",
    "cheatsheet",
    "faq",
    "glossary",
    "benchmarks",
    "guarantees",
    "noises",
    "categories",
    "bounds",
    "exact",
    "floating_point",
    "security",
    "choosing",
    "training",
    "nets",
    "displays",
    "cli",
    "scaling",
    "speed",
    "compatibility",
    "pitfalls",
    "comparison",
    "architecture",
    "changelog",
    "auto_examples/index",
    "auto_examples/plot_quickstart",
    "auto_examples/plot_fashion_mnist",
    "api/index",
    "api/generated/sksmooth.SmoothedClassifier",
    "api/generated/sksmooth.CertifiedAccuracyDisplay",
    "api/generated/sksmooth.datasets",
    "api/generated/sksmooth.stats",
    "search",
]
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
# What ends to the right of the screen, unless something around it scrolls.
STICKING_OUT = """
() => [...document.querySelectorAll("article *")].filter((e) => {
  const box = e.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1 || e.closest("svg, .sd-d-none"))
    return false;
  for (let p = e; p && p.tagName !== "ARTICLE"; p = p.parentElement)
    if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return false;
  return true;
}).slice(0, 5).map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`)
"""


def look(browser, site, pictures):
    """Yield a line of text for each thing that went wrong."""
    for device, (width, height) in WIDTHS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True
        )
        for name in PAGES:
            page, found = context.new_page(), []
            page.on(
                "console",
                lambda m, found=found: (
                    found.append(m.text) if m.type in ("error", "warning") else None
                ),
            )
            page.on("pageerror", lambda e, found=found: found.append(str(e)))
            page.on("requestfailed", lambda r, found=found: found.append(r.url))
            page.on(
                "request",
                lambda r, found=found: (
                    None
                    if r.url.startswith(("file:", "data:", "blob:"))
                    else found.append(f"asks for {r.url}")
                ),
            )
            page.goto((site / f"{name}.html").as_uri(), wait_until="load")
            page.wait_for_timeout(300)
            if page.query_selector(".math"):
                page.wait_for_function("window.MathJax?.startup?.promise")
                page.evaluate("MathJax.startup.promise.then(() => null)")
            formulas = page.evaluate(
                "[...document.querySelectorAll('.math')]"
                ".filter((m) => !m.querySelector('mjx-container')).length"
                " + document.querySelectorAll('mjx-merror').length"
            )
            if formulas:
                found.append(f"{formulas} formulas are not drawn")
            found += [f"sticks out: {text}" for text in page.evaluate(STICKING_OUT)]
            file = pictures / f"{name.replace('/', '_')}_{device}.png"
            page.screenshot(path=file, full_page=True)
            yield from (f"{name}, {device}: {text}" for text in found)
            page.close()
        context.close()


def main(site, pictures):
    pictures = Path(pictures)
    pictures.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--disable-gpu"]
        )
        found = list(look(browser, Path(site).resolve(), pictures))
        browser.close()
    print("\n".join(found) or f"{len(PAGES)} pages at {len(WIDTHS)} widths: all well")
    return len(found) > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

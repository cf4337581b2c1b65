"""The page of a run: it stands by itself, and says what the log says."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from sksmooth._entropy import draw_entropy
from sksmooth.logs import read_log, write_log
from sksmooth.logs._changes import log_with_changes
from sksmooth.noise import DeleteTokens, Gaussian
from sksmooth.noise._with_flips import WithFlips

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")

NASTY = "<script>alert(1)</script>"
VOID = {"meta", "img", "use", "path"}
X = np.random.default_rng(0).normal(size=(30, 2)) + np.repeat([[0], [2]], 15, axis=0)
y = np.repeat(["ham & eggs", NASTY], 15)
X[1] = X[0]  # so that one error can be two


class Page(HTMLParser):
    """What a page consists of; fails if elements are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.loaded, self.texts = [], [], [], []
        self.tags, self.columns = set(), []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "action", "srcset"):
                self.loaded.append(value)
            assert not name.startswith("on")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a command in a folder with the files of a run, and return its result."""
    from sksmooth.cli._app import app

    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("page")

    def run(*words, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            result = testing.CliRunner().invoke(app, list(words))
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run.folder = folder
    g = SmoothedClassifier(
        GaussianNB(), sigma=0.25, n=300, random_state=0, method="monte_carlo"
    )
    skops_io.dump(g.fit(X, y), folder / "g.skops")
    g.entropy_ = draw_entropy(98765)  # as --seed does
    run.certificate = g.certify(X)
    np.savez(folder / "test.npz", X=X, y=y)
    run("certify", "g.skops", "test.npz", "--out", "run.tsv", "--seed", "98765")
    return run


@pytest.fixture(scope="module")
def page(run):
    words = "--model g.skops --data test.npz --image-shape 1x2 --html run.html"
    run("report", "run.tsv", *words.split())
    return (run.folder / "run.html").read_text(encoding="utf-8")


def test_page_stands_by_itself(page):
    parsed = Page(page)
    assert parsed.tags >= {"h1", "table", "thead", "svg", "img", "pre", "main"}
    assert not parsed.tags & {"script", "link", "iframe", "object", "form"}
    assert all(one.startswith(("#", "data:image/png")) for one in parsed.loaded)
    assert "default-src 'none'" in page
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert {one[1:] for one in parsed.loaded if one[0] == "#"} <= set(parsed.ids)


def test_page_says_what_the_log_says(run, page):
    texts = " ".join(" ".join(Page(page).texts).split())
    told = [
        line.split("\t") for line in (run.folder / "run.tsv").read_text().splitlines()
    ]
    right = sum(row[1] == row[2] and float(row[3]) >= 0.25 for row in told[1:])
    proved = run.certificate.certified_accuracy_lower_bound(y, radius=0.25)
    assert 0 < proved < right / 30
    shares = [f"{int(1e4 * share + 1e-6) / 1e4:.4f}" for share in (right / 30, proved)]
    assert f" 0.25 {' '.join(shares)} - " in texts
    assert "No share is proved beyond: some inputs are equal" in texts
    assert "sigma 0.25 for every feature" in texts
    assert NASTY in texts and NASTY not in page
    assert "ham & eggs" in texts and "ham &amp; eggs" in page
    assert "--seed ..." in texts and "98765" not in page
    assert "98765" not in (run.folder / "run.json").read_text()


def test_other_files_are_refused(run, tmp_path):
    other = tmp_path / "test.npz"
    np.savez(other, X=X + 1, y=y)
    words = ["report", "run.tsv", "--html", "other.html"]
    result = run(*words, "--data", str(other), code=1)
    assert "is not the file that run.tsv was made from" in result.output
    assert (
        "--model and --data are for the page"
        in run(*words[:2], "--data", "test.npz", code=2).output
    )
    run(*words, "--image-shape", "3x3", "--data", "test.npz", code=2)
    run(*words[:3], "run.json", "--force", code=2)  # which is needed
    write_log(([0, 1], [0.5, 0.25]), [0, 1], run.folder / "bare.tsv")
    result = run("report", "bare.tsv", "--html", "bare.html", code=2)
    assert "bare.json" in result.output
    # Entries of another kind, or none.
    shutil.copy(run.folder / "run.tsv", run.folder / "broken.tsv")
    entries = json.loads((run.folder / "run.json").read_text())
    for name, value in [("repeats", 1), ("versions", None), ("looks", "200")]:
        text = json.dumps({**entries, name: value})
        (run.folder / "broken.json").write_text(text)
        result = run("report", "broken.tsv", "--html", "broken.html", code=1)
        assert "broken.json is damaged: certify again" in result.output
    assert not list(run.folder.glob("[ob]*.html"))


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium")
def test_page_fits_a_phone(page, tmp_path):
    # In a frame, since windows have a least width.
    path = tmp_path / "around.html"
    path.write_text(
        f'<iframe width="390" height="800" frameborder="0" srcdoc="{escape(page)}" '
        'onload="let d = contentDocument.documentElement; document.title = '
        "d.scrollWidth + ' of ' + d.clientWidth\"></iframe>",
        encoding="utf-8",
    )
    options = "--headless --no-sandbox --disable-gpu --dump-dom"
    found = subprocess.run(
        ["chromium", *options.split(), f"--user-data-dir={tmp_path}", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    wide, of = re.search(r"<title>(\d+) of (\d+)</title>", found.stdout).groups()
    assert int(wide) == int(of) > 360  # but for a scroll bar


def test_changed_categories(run):
    """Radii with changes stand beside the log, and are those of the certificate."""
    flips = WithFlips(Gaussian(), 2**31, (0, 1), (2, 5))
    mixed = replace(run.certificate, noise=flips)
    write_log(mixed, y, run.folder / "mixed.tsv")
    log = read_log(run.folder / "mixed.tsv")
    right = {}
    for k in range(4):
        changed = log_with_changes(log, k)
        certified = mixed.certified_for(k)
        assert np.array_equal(changed["predict"] != "-1", certified)
        radius = mixed.radius_for(changes=k)
        assert np.all(changed["radius"] <= radius)
        assert np.allclose(changed["radius"], radius, rtol=1e-5)
        right[k] = np.mean(certified & (mixed.prediction == y))
    assert right[0] >= right[1] > right[2] == right[3]
    words = ["report", "mixed.tsv", "--radii", "0"]
    told = run(*words, "--changes", "0,1,2").output
    found = dict(re.findall(r"mixed, (\d) changed +([\d.]+)", told))
    assert found == {str(k): f"{right[k]:.3f}" for k in range(3)}
    assert "with no category changed" in run(*words).output
    run(*words, "--html", "mixed.html")
    page = (run.folder / "mixed.html").read_text(encoding="utf-8")
    texts = " ".join(" ".join(Page(page).texts).split())
    n = int(mixed.certified_for(1).sum())
    part = texts[texts.index("With up to one changed category") :]
    assert part.index(f"For {n} of 30 inputs") < 100
    assert "no category changed" in texts and "pip install" not in texts
    # What an older version has left says nothing of it, and so does the page.
    entries = json.loads((run.folder / "mixed.json").read_text())
    del entries["changes"]
    (run.folder / "mixed.json").write_text(json.dumps(entries))
    run(*words, "--html", "mixed.html", "--force")
    assert "Nothing here covers changed categories" in (
        run.folder / "mixed.html"
    ).read_text(encoding="utf-8")
    told = run(*words, "--changes", "1", code=1).output
    assert "mixed does not say what holds with changed categories" in told


def test_norms_are_told(run):
    edits = replace(run.certificate, noise=DeleteTokens(0.5), sigma=1.0, n_noisy=None)
    write_log(edits, y, run.folder / "edits.tsv", norm="edits")
    words = ["report", "edits.tsv", "--radii", "0"]
    assert "radii are edits radii" in run(*words, "--plot", "edits.svg").output
    assert "edits for edits, l2 for run" in run(*words, "run.tsv", code=2).output
    assert "edits radii. Leave" in run(*words, "--norm", "l1", code=2).output
    # No guess at what is dangerous.
    told = run(*words, "--forc", code=2).output
    assert "No such option" in told and "--force" not in told

"""The command line: in this process, and a few runs as a user starts them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier, __version__
from sksmooth.cli import main
from sksmooth.logs import read_log
from sksmooth.stats import (
    lower_confidence_bound,
    max_certifiable_radius,
    radius_from_probabilities,
    required_samples,
)
from tests.helpers import OpaqueLogisticRegression

testing = pytest.importorskip("click.testing")
skops_io = pytest.importorskip("skops.io")

NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
SPECIES = np.array(["setosa", "versicolor", "virginica"])
X, y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=NAMES)
PACKAGE_FOLDER = Path(__file__).parents[1]


def smoothed(estimator, **params):
    return SmoothedClassifier(
        estimator,
        **{
            "method": "monte_carlo",
            "sigma": 0.5,
            "n": 1_000,
            "random_state": 0,
            **params,
        },
    )


class Payload:
    """Pickled code: whoever loads it finds a file in the current folder."""

    def __reduce__(self):
        return Path.touch, (Path("loaded"),)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with models and data, made once."""
    folder = tmp_path_factory.mktemp("cli")
    f = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    g = smoothed(f, n_copies=2).fit(X, y)
    on_frame = smoothed(LogisticRegression(max_iter=1_000)).fit(FRAME, SPECIES[y])
    for name, model in [("base", f), ("smoothed", g), ("frame", on_frame)]:
        skops_io.dump(model, folder / f"{name}.skops")
    skops_io.dump(tree, folder / "tree.skops")
    skops_io.dump({"not": "a model"}, folder / "dict.skops")
    skops_io.dump(SVR().fit(X, y), folder / "regressor.skops")
    (folder / "broken.skops").write_bytes(b"PK no zip")
    joblib.dump(f, folder / "base.joblib")
    joblib.dump(Payload(), folder / "payload.pkl")
    joblib.dump(Payload(), folder / "payload.skops")
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    np.save(folder / "Xy.npy", np.column_stack([X, y]))
    np.savez(folder / "test.npz", X=X, y=y)
    np.savez(folder / "names.npz", images=X, kind=SPECIES[y])
    np.savez(folder / "bare.npz", images=X)
    np.save(folder / "objects.npy", np.array([[{}]], dtype=object))
    table = FRAME.assign(species=SPECIES[y], code=y)
    table.to_csv(folder / "test.csv", index=False)
    FRAME.assign(code=y).to_csv(folder / "code.csv", index=False)
    FRAME.assign(code=y).to_parquet(folder / "code.parquet")
    FRAME[NAMES[:2]].to_csv(folder / "narrow.csv", index=False)
    FRAME.assign(code=pd.Series([None, *y[1:]])).to_csv(folder / "holes.csv")
    return folder


@pytest.fixture
def run(files, tmp_path, monkeypatch):
    """Run a command in an empty folder; names with a known file in them are paths."""
    from sksmooth.cli._app import app

    monkeypatch.chdir(tmp_path)

    def run(*words, code=0):
        words = [str(word) for word in words]
        words = [str(files / w) if (files / w).exists() else w for w in words]
        result = testing.CliRunner().invoke(app, words, prog_name="sksmooth")
        assert result.exit_code == code, (result.stdout, result.stderr)
        assert "Traceback" not in result.output
        return result

    return run


def as_table(text):
    rows = [line.split("\t") for line in text.splitlines()]
    return pd.DataFrame(rows[1:], columns=rows[0])


class TestCertify:
    def test_same_as_the_estimator(self, run, files):
        """The log has what certify returns, at the parameters that the file has."""
        run("certify", "smoothed.skops", "test.npz", "--out", "run.tsv")
        log = read_log("run.tsv")
        g = skops_io.load(
            files / "smoothed.skops",
            trusted=["sksmooth._classifier.SmoothedClassifier"],
        )
        certificate = g.certify(X)
        assert list(log) == ["idx", "label", "predict", "radius", "correct", "time"]
        assert np.array_equal(log["label"], y)
        assert np.array_equal(log["predict"], certificate.prediction)
        assert np.all(log["radius"] <= certificate.radius)
        np.testing.assert_allclose(log["radius"], certificate.radius, rtol=1e-5)
        assert np.any(certificate.radius > 0)

    def test_options_override_the_parameters(self, run):
        options = "--sigma 0.3 --alpha 0.01 --n 200 --n0 20 --bound multiclass".split()
        result = run("certify", "smoothed.skops", "test.npz", *options)
        table = as_table(result.stdout)
        g = smoothed(
            make_pipeline(StandardScaler(), LogisticRegression()), n_copies=2
        ).fit(X, y)
        g.set_params(sigma=0.3, alpha=0.01, n=200, n0=20, bound="multiclass")
        assert np.array_equal(table["predict"].astype(int), g.certify(X).prediction)
        assert "sigma=0.3, n=200, alpha=0.01" in result.stderr
        assert "was trained at sigma=0.5" in result.stderr

    def test_another_classifier_is_smoothed(self, run):
        options = ["--sigma", 0.5, "--n", 500, "--seed", 3]
        table = as_table(run("certify", "base.skops", "test.npz", *options).stdout)
        f = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
        g = SmoothedClassifier(f, sigma=0.5, n=500, random_state=3)
        assert np.array_equal(table["predict"].astype(int), g.certify(X).prediction)

    def test_another_classifier_needs_sigma(self, run):
        result = run("certify", "base.skops", "test.npz", code=2)
        assert "holds a Pipeline, not a SmoothedClassifier" in result.stderr
        assert "--sigma" in result.stderr

    def test_seed_makes_other_noise_for_a_fitted_model(self, run):
        """A fitted SmoothedClassifier stores its noise: --seed must replace it."""
        command = ["certify", "smoothed.skops", "test.npz", "-q"]
        stored, again = run(*command), run(*command)
        other, same = run(*command, "--seed", 5), run(*command, "--seed", 5)

        def radii(result):
            return as_table(result.stdout)["radius"].tolist()

        assert radii(stored) == radii(again)
        assert radii(other) == radii(same)
        assert radii(stored) != radii(other)

    def test_exact_certificates_make_no_store(self, run):
        options = ["--sigma", 1, "--trust", "sklearn.tree._tree.Tree"]
        result = run("certify", "tree.skops", "test.npz", *options, "--seed", 0)
        assert "is not made" not in result.stderr
        options += ["--seed", 0, "--store", "votes.sqlite"]
        result = run("certify", "tree.skops", "test.npz", *options)
        assert "votes.sqlite is not made" in " ".join(result.stderr.split())
        assert not Path("votes.sqlite").exists()

    def test_exact_with_endless_radii(self, run, files):
        """The format has no infinity, and a certificate at any radius holds at 1e9."""
        always = LogisticRegression(max_iter=1_000).fit(X, y == 0)
        always.coef_ = np.zeros((1, 4))
        always.intercept_ = np.array([1.0])
        skops_io.dump(always, "always.skops")
        options = ["--sigma", 1, "--method", "exact", "--out", "run.tsv"]
        result = run("certify", "always.skops", files / "test.npz", *options)
        assert np.all(read_log("run.tsv")["radius"] == 1e9)
        assert "150 inputs are certified at any radius" in result.stderr

    def test_without_labels(self, run):
        table = as_table(run("certify", "smoothed.skops", "X.npy").stdout)
        assert list(table) == ["idx", "predict", "radius"]

    def test_skip_and_max_keep_the_places(self, run):
        options = ["--skip", 7, "--max", 5]
        table = as_table(run("certify", "smoothed.skops", "test.npz", *options).stdout)
        whole = as_table(run("certify", "smoothed.skops", "test.npz").stdout)
        assert table["idx"].astype(int).tolist() == [0, 7, 14, 21, 28]
        same = whole.iloc[table["idx"].astype(int)]
        assert table["radius"].tolist() == same["radius"].tolist()

    def test_shards_are_the_whole(self, run):
        """Contiguous or interleaved: each input once, with the noise it has anyway."""
        command = ["certify", "smoothed.skops", "test.npz", "-q"]
        whole = run(*command, "--skip", 10).stdout.splitlines()
        parts = [("--start", 0, "--max", 8), ("--start", 80)]
        for options in parts, [("--start", 0), ("--start", 10)]:
            skip = 10 if options is parts else 20
            lines = []
            for part in options:
                lines += run(*command, *part, "--skip", skip).stdout.splitlines()[1:]
            lines.sort(key=lambda line: int(line.split("\t")[0]))
            assert [line.split("\t")[:4] for line in lines] == [
                line.split("\t")[:4] for line in whole[1:]
            ]
        result = run(*command, "--start", len(X), code=2)
        assert f"test.npz has inputs 0 to {len(X) - 1} only" in result.stderr
        assert run("predict", *command[1:], "--start", 149).stdout.split()[4] == "149"

    def test_a_log_merged_twice_is_not_reported(self, run):
        run("certify", "smoothed.skops", "test.npz", "--max", 3, "--out", "part.tsv")
        text = Path("part.tsv").read_text()
        Path("twice.tsv").write_text(text + text.partition("\n")[2])
        result = run("report", "twice.tsv", code=1)
        assert "has idx 0 more than once" in result.stderr

    def test_search_result_and_frozen_estimator(self, run, files):
        g = smoothed(
            FrozenEstimator(LogisticRegression(max_iter=1_000).fit(X, y)), n=200
        )
        search = GridSearchCV(g, {"sigma": [0.5]}, scoring="accuracy", cv=2)
        joblib.dump(search.fit(X, y), "search.joblib")
        result = run("certify", "search.joblib", files / "test.npz", "--trust-pickle")
        assert "sigma=0.5, n=200" in result.stderr

    def test_pipeline_that_ends_in_a_smoothed_classifier_is_refused(self, run, files):
        inside = make_pipeline(StandardScaler(), smoothed(LogisticRegression()))
        skops_io.dump(inside.fit(X, y), "inside.skops")
        command = ["certify", "inside.skops", files / "test.npz", "--sigma", 1]
        assert "Put the Pipeline inside" in run(*command, code=1).stderr

    def test_file_is_not_overwritten(self, run):
        Path("run.tsv").write_text("precious")
        command = ["certify", "smoothed.skops", "test.npz", "--out", "run.tsv"]
        assert "--force" in run(*command, code=2).stderr
        assert Path("run.tsv").read_text() == "precious"
        run(*command, "--force")
        assert len(read_log("run.tsv")) == 150

    def test_out_in_no_folder(self, run):
        result = run(
            *["certify", "smoothed.skops", "test.npz", "--out", "no/run.tsv"], code=2
        )
        assert "there is no folder" in result.stderr

    def test_labels_that_no_log_can_hold_are_refused_before_the_run(
        self, run, files, monkeypatch
    ):
        monkeypatch.setattr(SmoothedClassifier, "certify", None)
        model = LogisticRegression(max_iter=1_000).fit(X, np.where(y == 0, -1, 1))
        skops_io.dump(model, "signs.skops")
        np.savez("signs.npz", X=X, y=np.where(y == 0, -1, 1))
        command = ["certify", "signs.skops", "signs.npz", "--sigma", 1]
        assert "-1 means an abstention" in run(*command, code=1).stderr
        command = ["certify", "smoothed.skops", "names.npz", "--label", "kind"]
        assert "label" in run(*command, code=1).stderr


class TestPredict:
    def test_same_as_the_estimator(self, run):
        g = smoothed(
            make_pipeline(StandardScaler(), LogisticRegression()), n_copies=2
        ).fit(X, y)
        answer = g.predict(X)
        assert np.any(answer == -1)
        result = run("predict", "smoothed.skops", "test.npz", "--out", "run.tsv")
        log = read_log("run.tsv")
        assert list(log) == ["idx", "label", "predict", "correct"]
        assert np.array_equal(log["predict"], answer)
        assert f"{np.sum(answer == -1)} abstentions" in result.stderr

    def test_without_labels_and_with_names(self, run):
        result = run("predict", "frame.skops", "code.parquet")
        table = as_table(result.stdout)
        assert list(table) == ["idx", "predict"]
        assert set(table["predict"]) <= {"-1", *SPECIES}
        assert "does not know these columns: code" in result.stderr


class TestData:
    @pytest.mark.parametrize(
        ("data", "options"),
        [
            ("X.npy", ["--label", "y.npy"]),
            ("Xy.npy", ["--label", "-1"]),
            ("Xy.npy", ["--label", "4"]),
            ("test.npz", ["--inputs", "X", "--label", "y"]),
            ("bare.npz", ["--label", "y.npy"]),
            ("code.csv", ["--label", "code"]),
            ("code.parquet", ["--label", "code"]),
        ],
    )
    def test_every_kind_of_file_gives_the_same(self, run, data, options):
        expected = as_table(run("certify", "smoothed.skops", "test.npz", "-q").stdout)
        result = as_table(run("certify", "smoothed.skops", data, *options).stdout)
        columns = ["idx", "label", "predict", "radius", "correct"]
        assert result[columns].equals(expected[columns])

    def test_columns_by_name(self, run):
        """The label may be text; columns that the model does not know are left out."""
        command = ["certify", "frame.skops", "test.csv", "--label", "species"]
        result = run(*command, "--out", "run.tsv")
        assert "does not know these columns: code" in result.stderr
        log = read_log("run.tsv")
        assert np.array_equal(log["label"], SPECIES[y])
        assert log["correct"].mean() > 0.5

    @pytest.mark.parametrize(
        ("words", "code", "message"),
        [
            (["smoothed.skops", "nowhere.npz"], 2, "nowhere.npz' does not exist"),
            (["smoothed.skops", "y.npy"], 1, "array of shape (150,)"),
            (["smoothed.skops", "smoothed.skops"], 2, "ends in .npy, .npz, .csv"),
            (["smoothed.skops", "objects.npy"], 1, "are not loaded"),
            (["smoothed.skops", "Xy.npy", "--label", "7"], 2, "no such column"),
            (["smoothed.skops", "Xy.npy", "--label", "code"], 2, "number of a column"),
            (["smoothed.skops", "Xy.npy", "--inputs", "X"], 2, "of a .npz file only"),
            (["smoothed.skops", "test.npz", "--inputs", "Z"], 2, "only X, y"),
            (["smoothed.skops", "names.npz"], 2, "has no array 'X', only images, kind"),
            (["smoothed.skops", "test.npz", "--label", "z"], 2, "only X, y"),
            (["smoothed.skops", "test.npz", "--label", "X"], 2, "shape (150, 4)"),
            (["frame.skops", "test.csv", "--label", "what"], 2, "no column 'what'"),
            (["frame.skops", "narrow.csv"], 1, "no column 'petal length'"),
            (["smoothed.skops", "holes.csv", "--label", "code"], 1, "at row 0"),
            (["smoothed.skops", "Xy.npy"], 1, "5 features"),
        ],
    )
    def test_errors(self, run, words, code, message):
        assert message in " ".join(run("certify", *words, code=code).stderr.split())


class TestModels:
    @pytest.mark.parametrize("command", ["certify", "predict"])
    @pytest.mark.parametrize("model", ["payload.pkl", "payload.skops"])
    def test_no_code_runs_unasked(self, run, command, model):
        result = run(
            *[command, model, "test.npz"], code=2 if model.endswith("pkl") else 1
        )
        assert not Path("loaded").exists()
        if model.endswith("pkl"):
            assert "runs whatever code it holds" in result.stderr
            assert "--trust-pickle" in result.stderr
            # What is refused is real: this is what it would have done.
            run(command, model, "test.npz", "--trust-pickle", code=1)
            assert Path("loaded").exists()

    def test_pickle_that_is_trusted(self, run):
        options = ["--sigma", 0.5, "--n", 200, "--seed", 0]
        pickled = run("certify", "base.joblib", "test.npz", *options, "--trust-pickle")
        plain = run("certify", "base.skops", "test.npz", *options)
        columns = ["predict", "radius"]
        assert as_table(pickled.stdout)[columns].equals(as_table(plain.stdout)[columns])

    def test_types_are_trusted_by_name(self, run, files):
        """A type of somebody's own, as no version of skops knows it."""
        model = OpaqueLogisticRegression(max_iter=1_000).fit(X, y)
        skops_io.dump(model, "own.skops")
        name = f"{OpaqueLogisticRegression.__module__}.OpaqueLogisticRegression"
        command = ["certify", "own.skops", files / "test.npz", "--sigma", 0.5]
        command += ["--n", 200]
        assert f"add: --trust {name}" in run(*command, code=2).stderr
        assert "add: --trust" in run(*command, "--trust", "os.system", code=2).stderr
        run(*command, "--trust", name)

    @pytest.mark.parametrize(
        ("model", "code", "message"),
        [
            ("test.npz", 2, "ends in .skops"),
            ("broken.skops", 1, "is not a skops file"),
            ("dict.skops", 1, "holds a dict, not a classifier"),
            ("regressor.skops", 1, "SVR is a regressor"),
        ],
    )
    def test_what_is_no_model(self, run, model, code, message):
        result = run("certify", model, "test.npz", "--sigma", 1, code=code)
        assert message in " ".join(result.stderr.split())


class TestReport:
    @pytest.fixture
    def logs(self):
        head = "idx\tlabel\tpredict\tradius\tcorrect\ttime\n"
        line = "{}\t1\t1\t{}\t1\t0:00:01\n"
        radii = [0.1, 0.3, 0.6, 0.9]
        text = head + "".join(line.format(k, r) for k, r in enumerate(radii))
        Path("small.tsv").write_text(text)
        Path("large.tsv").write_text(text.replace("\t0.9\t", "\t1.9\t"))
        Path("again").mkdir()
        Path("again/small.tsv").write_text(text)

    def test_table(self, run, logs):
        result = run("report", "small.tsv", "large.tsv", "--radii", "0,0.5,1")
        assert [line.split() for line in result.stdout.splitlines()] == [
            ["radius", "0.0", "0.5", "1.0"],
            ["small", "1.000", "0.500", "0.000"],
            ["large", "1.000", "0.500", "0.250"],
        ]

    def test_markdown_and_names(self, run, logs):
        files = ["a=small.tsv", "b=1=large.tsv"]
        result = run("report", *files, "--radii", "1", "--markdown", "--digits", 2)
        lines = result.stdout.splitlines()
        assert lines[2:] == ["| a      |     0.00 |", "| b=1    | **0.25** |"]
        assert r"\toprule" in run("report", *files, "--latex").stdout

    def test_same_names_are_told_apart(self, run, logs):
        result = run("report", "small.tsv", "again/small.tsv")
        assert "again/small.tsv" in result.stdout
        result = run("report", "a=small.tsv", "a=large.tsv", code=2)
        assert "'a' is given to two logs" in result.stderr

    def test_plot(self, run, logs):
        result = run("report", "small.tsv", "--plot", "a.png")
        assert Path("a.png").read_bytes()[:4] == b"\x89PNG"
        assert "Plot saved to a.png" in result.stderr
        run("report", "small.tsv", "--plot", "a.png", code=2)
        run("report", "small.tsv", "--plot", "a.png", "--force")

    def test_plot_has_the_ceiling_of_what_is_beside_a_log(self, run, logs):
        from sksmooth.cli._report import display_of

        run("certify", "smoothed.skops", "test.npz", "--n", 500, "--out", "run.tsv")
        known, unknown = read_log("run.tsv"), read_log("small.tsv")
        sigma = known.attrs["run"]["sigma"]
        most = max_certifiable_radius(500, sigma, 0.001)
        alone = display_of({"run": known})
        assert alone.max_radius == most and alone.name.startswith(
            f"sigma = {sigma:g}, "
        )
        assert display_of({"small": unknown}).max_radius is None
        both = display_of({"run": known, "small": unknown})
        assert both.max_radius == [most, None] and both.name == ["run", "small"]
        known.attrs["run"]["looks"] = [250, 500]
        assert display_of({"run": known}).max_radius is None

    @pytest.mark.parametrize(
        ("words", "code", "message"),
        [
            (["nowhere.tsv"], 2, "there is no file nowhere.tsv"),
            (["small.tsv", "--radii", "0,x"], 2, "list of numbers"),
            (["small.tsv", "--radii", "-1"], 2, "at least 0"),
            (["small.tsv", "--radii", "nan"], 2, "finite"),
            (["X.npy"], 1, ""),
            ([], 2, "Missing argument"),
        ],
    )
    def test_errors(self, run, logs, words, code, message):
        assert message in " ".join(run("report", *words, code=code).stderr.split())


class TestPlan:
    def test_numbers_are_those_of_the_functions(self, run):
        result = run("plan", "--radius", "0.5,1", "--sigma", "0.25,0.5", "--n", 1_000)
        rows = [line.split() for line in result.stdout.splitlines()[1:]]
        assert [row[:2] for row in rows] == [
            ["0.25", "0.5"],
            ["0.25", "1"],
            ["0.5", "0.5"],
            ["0.5", "1"],
        ]
        for row in (rows[0], rows[2], rows[3]):
            sigma, radius = map(float, row[:2])
            p_needed, fewest, n, votes, reach = map(float, row[2:])
            assert fewest == required_samples(radius, sigma, 0.001)
            assert reach <= max_certifiable_radius(1_000, sigma, 0.001) < reach + 0.001
            bound = lower_confidence_bound(np.array([votes - 1, votes]), 1_000, 0.001)
            radii = radius_from_probabilities(bound, sigma=sigma)
            assert radii[0] < radius <= radii[1]
            assert radius_from_probabilities(p_needed, sigma=sigma) >= radius
        # Four sigma: out of reach of 1,000 votes.
        assert rows[1][-3:] == ["1000", "-", "0.615"]
        assert "n=1000 is too few" in result.stderr

    def test_share_is_never_rounded_to_certainty(self, run):
        row = run("plan", "--radius", 3, "--sigma", 0.25).stdout.splitlines()[1]
        assert row.split()[2:6] == ["1", "-", "1.7e-33", "-"]

    @pytest.mark.parametrize(
        "words",
        [
            ["--sigma", "0", "--radius", "1"],
            ["--sigma", "1"],
            ["--sigma", "1", "--radius", "1", "--alpha", "0"],
            ["--sigma", "1", "--radius", "1", "--n", "0"],
        ],
    )
    def test_errors(self, run, words):
        assert run("plan", *words, code=2).stderr


def test_demo_leaves_files_for_the_other_commands(run):
    result = run("demo", "--dir", "here")
    assert "certified accuracy" in result.stdout
    assert "--force" in run("demo", "--dir", "here", code=2).stderr
    lines = result.stderr.splitlines()
    for line in lines[1:]:
        run(*line.split()[1:])
    assert len(read_log("here/run.tsv")) == 100


class TestEnding:
    def test_version_and_help(self, run):
        assert run("--version").stdout == f"sksmooth {__version__}\n"
        for command in ("certify", "predict", "report", "plan", "demo"):
            assert "Examples:" in run(command, "--help").stdout
            assert command in run("--help").stdout

    def test_interrupt(self, run, monkeypatch):
        def certify(self, X, **keywords):
            raise KeyboardInterrupt

        monkeypatch.setattr(SmoothedClassifier, "certify", certify)
        result = run("certify", "smoothed.skops", "test.npz", code=130)
        assert result.stderr == "Interrupted.\n"
        store = ["--store", "run.sqlite"]
        result = run("certify", "smoothed.skops", "test.npz", *store, code=130)
        assert "run.sqlite: the same command continues" in result.stderr

    def test_run_time_errors_are_one_line_unless_debugged(self, run, monkeypatch):
        def certify(self, X, **keywords):
            raise KeyError("two\nlines")

        monkeypatch.setattr(SmoothedClassifier, "certify", certify)
        result = run("certify", "smoothed.skops", "test.npz", code=1)
        assert len(result.stderr.splitlines()) == 1
        assert "KeyError" in result.stderr and "--debug" in result.stderr
        result = run("certify", "smoothed.skops", "test.npz", "--debug", code=1)
        assert isinstance(result.exception, KeyError)

    def test_cause_of_an_error_in_the_model_is_told(self, run, monkeypatch):
        def predict(self, X):
            raise MemoryError("no room for 7 trees")

        monkeypatch.setattr(DecisionTreeClassifier, "predict", predict)
        # Else numba, where it is installed, would answer for the tree.
        monkeypatch.setattr("sksmooth.votes._recognise.compiled", lambda *_: None)
        options = ["--sigma", 1, "--trust", "sklearn.tree._tree.Tree"]
        options += ["--method", "monte_carlo"]
        result = run("certify", "tree.skops", "test.npz", *options, code=1)
        assert "no room for 7 trees" in result.stderr

    def test_without_click(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "click", None)
        with pytest.raises(SystemExit, match=r"pip install 'sksmooth\[cli\]'"):
            main()

    def test_a_store_continues(self, run, monkeypatch):
        store = ["-q", "--store", "run.sqlite"]
        command = ["certify", "smoothed.skops", "test.npz"]
        expected = run(*command, "-q").stdout
        run(*command, "--max", 20, *store)

        def columns(text):  # without the time
            return as_table(text)[["idx", "label", "predict", "radius"]].to_numpy()

        for _ in range(2):
            stored = columns(run(*command, *store).stdout)
            assert np.array_equal(stored, columns(expected))
        refused = run(*command, *store, "--sigma", 0.4, code=1).stderr
        assert "sigma is 0.5 there and 0.4 here" in refused

    def test_store_needs_a_seed_that_lasts(self, run):
        command = ["certify", "base.skops", "test.npz", "--sigma", 1]
        assert "--seed" in run(*command, "--store", "a.sqlite", code=2).stderr


def start(words, folder, **options):
    """Start the command line as a user does."""
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE_FOLDER}{os.pathsep}{folder}"}
    return subprocess.Popen(
        [sys.executable, "-m", "sksmooth", *map(str, words)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_process_end_to_end(files, tmp_path):
    words = ["certify", files / "smoothed.skops", files / "test.npz", "--out", "a.tsv"]
    process = start(words, tmp_path)
    stdout, stderr = process.communicate(timeout=100)
    assert (process.returncode, stdout) == (0, "")
    assert "inputs certified" in stderr
    assert len(read_log(tmp_path / "a.tsv")) == 150


def test_pipe_that_closes_early(files, tmp_path):
    """As in `sksmooth ... | head`: no trace, and the exit code that shells expect."""
    data = np.random.default_rng(0).normal(size=(40_000, 4))
    np.save(tmp_path / "many.npy", data)  # far more text than a pipe holds
    words = ["predict", files / "smoothed.skops", "many.npy", "--n", 11, "-q"]
    process = start(words, tmp_path)
    assert process.stdout.readline() == "idx\tpredict\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=100) == 141


def test_ctrl_c(files, tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "class Slow(LogisticRegression):\n"
        "    def predict(self, X):\n"
        "        Path('started').touch()\n"
        "        for _ in range(3_000):\n"
        "            time.sleep(0.1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import slow

    joblib.dump(slow.Slow(max_iter=1_000).fit(X, y), tmp_path / "slow.joblib")
    monkeypatch.delitem(sys.modules, "slow")
    words = ["certify", "slow.joblib", files / "test.npz", "--sigma", 1]
    process = start([*words, "--trust-pickle"], tmp_path)
    while not (tmp_path / "started").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=100)
    assert (process.returncode, stdout, stderr) == (130, "", "Interrupted.\n")

"""What certificates say of themselves, in text and in the files beside logs."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier
from sksmooth._statement_columns import lengths
from sksmooth.logs import read_log, write_log
from sksmooth.noise import DeleteTokens, Gaussian, SparseFlip, Split
from sksmooth.noise._with_flips import WithFlips
from sksmooth.stats import (
    certified_accuracy_lower_bound,
    lower_confidence_bound,
    population_accuracy_lower_bound,
)
from sksmooth.votes.run._fingerprint import hash_estimator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)) + np.repeat([[0], [1.5]], 20, axis=0)
y = np.repeat([0, 1], 20)
SECRET = 123456789


@pytest.fixture(scope="module")
def g():
    return SmoothedClassifier(
        GaussianNB(), sigma=0.5, n=500, random_state=SECRET, method="monte_carlo"
    ).fit(X, y)


@pytest.fixture(scope="module")
def certificate(g):
    return g.certify(X)


def rows_of(text):
    """Return {radius: [found, proved here, proved beyond]} of a statement."""
    found = re.findall(r"^  +([\d.]+)  +([\d.]+)  +([\d.-]+)  +([\d.-]+)$", text, re.M)
    return {float(row[0]): list(row[1:]) for row in found}


def down(share):
    return f"{np.floor(share * 1e4 + 1e-9) / 1e4:.4f}"


def test_shares_are_those_of_the_theorems(certificate):
    radii = [0, 0.25, 0.5]
    told = rows_of(certificate.statement(y, radius=radii))
    assert list(told) == radii
    for radius in radii:
        k = int(np.sum((certificate.prediction == y) & (certificate.radius >= radius)))
        assert 0 < k < 40
        settings = {"alpha": 0.001, "rho": 0.001}
        assert told[radius] == [
            down(k / 40),
            down(certified_accuracy_lower_bound(k, 40, **settings) / 40),
            down(population_accuracy_lower_bound(k, 40, **settings)),
        ]


def test_no_population_where_noise_is_shared(certificate):
    twice = replace(certificate, first_equal=np.r_[0, 0, 2:40])
    assert rows_of(twice.statement(y))[0][2] == "-"
    assert "some inputs are equal and so share their noise" in twice.statement(y)
    shared = replace(certificate, shared_noise=True)
    assert rows_of(shared.statement(y))[0][2] == "-"
    assert "claims may be wrong together" in shared.statement(y)
    # From what is exact, no error can be shared.
    exact = replace(twice, alpha=0.0, bound="exact", shared_noise=True)
    k = int(np.sum(certificate.prediction == y))
    assert rows_of(exact.statement(y))[0][1:] == [
        down(k / 40),
        down(lower_confidence_bound(k, 40, 0.001)),
    ]
    assert "Nothing is left to chance" in exact.statement()


def test_settings_are_named(g, certificate):
    text = certificate.statement(model=g)
    n_certified = int(certificate.certified.sum())
    assert f"For {n_certified} of 40 inputs" in text
    assert f"{40 - n_certified} are not certified" in text
    assert "CERTIFIED ACCURACY" not in text
    for words in ("l2 (Euclidean)", "sigma 0.5 for", "n = 500", "alpha = 0.001"):
        assert words in text
    assert hash_estimator(g.estimator_) in text  # as in stores
    assert str(SECRET) not in text and str(g.entropy_) not in text
    assert "is exact" in text and "on a grid" not in text
    assert max(map(len, text.splitlines())) <= 79


def test_units_and_grid_are_told(g, certificate):
    names = np.array(["age", "amount", "kind"], dtype=object)
    sigma = np.array([0.5, 0.0, 0.25])
    by_column = replace(certificate, sigma=sigma, feature_names=names)
    text = " ".join(by_column.statement().split())
    assert "'age': 0.5, 'kind': 0.25; 0 for 'amount'." in text
    assert "in units of sigma" in text
    on_grid = replace(certificate, radius_loss=np.full(40, 0.001))
    assert "at most 0.001, is subtracted" in " ".join(on_grid.statement().split())


def test_what_cannot_be_stated_is_refused(certificate):
    with pytest.raises(ValueError, match="projection certifies nothing"):
        certificate.recertify(n=10_000).statement()
    with pytest.raises(ValueError, match="inconsistent numbers"):
        certificate.statement(y[:-1])
    with pytest.raises(ValueError, match="rho"):
        certificate.statement(rho=2)


def test_log_has_its_settings_beside_it(g, certificate, tmp_path):
    path = tmp_path / "run.tsv"
    write_log(certificate, y, path)
    assert path.read_text().splitlines()[0].split("\t") == [
        *("idx", "label", "predict", "radius", "correct", "time"),
    ]
    content = (tmp_path / "run.json").read_text()
    assert str(SECRET) not in content and str(g.entropy_) not in content
    run = read_log(path).attrs["run"]
    assert run == json.loads(content)
    assert (run["sigma"], run["n"], run["n0"], run["alpha"]) == (0.5, 500, 100, 0.001)
    assert np.all(np.array(run["p_lower"]) <= certificate.p_lower)
    assert np.allclose(run["p_lower"], certificate.p_lower, atol=1e-6)
    # Of another log it says nothing.
    path.write_text(path.read_text().replace("0:00:00", "0:00:01"))
    with pytest.warns(UserWarning, match="does not belong to"):
        assert "run" not in read_log(path).attrs


def test_names_beside_logs(certificate, tmp_path):
    write_log(certificate, y, tmp_path / "sigma_0.25")
    write_log(tuple(certificate), y, tmp_path / "pair.tsv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("pair.tsv", "sigma_0.25", "sigma_0.25.json")
    ]
    assert "run" not in read_log(tmp_path / "pair.tsv").attrs


def test_what_is_somebody_elses_stays(certificate, tmp_path):
    other = tmp_path / "run.json"
    other.write_text('{"mine": 1}')
    with pytest.raises(ValueError, match="holds something else"):
        write_log(certificate, y, tmp_path / "run.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    write_log(tuple(certificate), y, tmp_path / "run.tsv")
    assert "run" not in read_log(tmp_path / "run.tsv").attrs


def sentences(text):
    return " ".join(text.split())


def of_split():
    on_grid = np.round(X)
    return (
        SmoothedClassifier(GaussianNB(), noise=Split(8, 1))
        .fit(on_grid, y)
        .certify(on_grid)
    )


def test_what_moves_is_said(certificate):
    """Flags have no distances; categories have a probability and not a sigma."""
    flags = (X > 0.5).astype(float)
    noise = SparseFlip(0.01, 0.3)
    h = SmoothedClassifier(GaussianNB(), noise=noise, n=1000, random_state=0)
    text = sentences(h.fit(flags, y).certify(flags).statement(changes=(1, 2)))
    assert "at most 1 zeros into ones and at most 2 ones into zeros" in text
    assert "one with probability 0.01, and each one a zero with probability 0.3" in text
    assert not re.search("sigma|istance from|radii", text.split("WHAT IS ASSUMED")[0])
    flipped = WithFlips(Gaussian(), 2**30, (2,), (4,))
    mixed = replace(certificate, noise=flipped)
    text = sentences(mixed.statement(changes=1))
    assert (
        "independently, with standard" in text and "anew with probability 0.25" in text
    )
    assert "at most one category changes" in text
    for other in (
        replace(mixed, noise=WithFlips(Gaussian(), 2, (2,), (4,), False)),
        of_split(),
    ):
        assert "sigma" not in sentences(other.statement()).split("Distances")[0]
        assert "standard deviation" not in other.statement()


def test_what_is_not_certified_is_not_said_to_be_an_abstention(g):
    """Without an abstain label there is an answer, and nothing proved of it."""
    never = replace(g.certify(X), certified=np.arange(40) < 30, abstain_label=None)
    text = sentences(never.statement())
    assert "10 are not certified: nothing is proved there." in text


def test_no_number_is_rounded_to_more_than_it_is(certificate):
    alike = replace(certificate, sigma=0.12345678, alpha=0.00123456789)
    text = sentences(alike.statement(y, radius=0.1234567, rho=1.23456789e-9))
    assert "sigma 0.12345678 for" in text and "alpha = 0.00123456789," in text
    assert " 0.1234567 " in text and "at most 1.23456789e-09" in text


def of_a_table(**settings):
    """Return a certificate of a table whose columns have all the roles there are."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "owner": rng.normal(size=40),
            "kind": rng.choice(list("abcd"), 40),
            "amount": X[:, 0],
            "times": rng.integers(0, 9, 40),
        }
    )
    numbers = make_column_transformer(("passthrough", ["owner", "amount", "times"]))
    h = SmoothedClassifier(
        make_pipeline(numbers, GaussianNB()),
        sigma={"amount": 0.5, "times": 2.0, "*": 0},
        categorical_features=["kind"],
        **{"flip": 0.3, "n": 60, "n0": 20, "random_state": 0} | settings,
    )
    return h.fit(table, y).certify(table)


def test_columns_are_named():
    """What is out of reach is assumed, categories are not, and counts are rounded."""
    certificate = of_a_table()
    text = sentences(certificate.statement(y, radius=[0, 0.5]))
    assert "(sigma 0), which nothing here proves: 'owner'. A cert" in text
    assert "by column 'amount': 0.5, 'times': 2; 0 for 'owner'." in text
    assert "Categories: 'kind' (4 values). A value that fit did not see" in text
    assert "within the range of the column, for 'times'." in text
    assert "with probability 0.3, from" in text  # which as drawn is 0.30000000004656613
    assert "amount 0.5 0.25 times 2 1.0" in text  # at a radius of 0.5
    of_array = replace(certificate, feature_names=None)
    text = sentences(of_array.statement())
    assert "by column column 2: 0.5, column 3: 2; 0 for column 0." in text


def test_many_columns_are_counted(certificate):
    sigma = np.r_[np.zeros(13), np.ones(25)]
    names = np.array([f"c{k}" for k in range(38)], dtype=object)
    many = replace(certificate, sigma=sigma, feature_names=names)
    text = sentences(many.statement())
    assert "0 for 'c0', 'c1', " in text and "'c9' and 3 more" in text
    assert "'c32': 1, and 5 more columns" in text


def test_what_is_not_certified_with_changes_may_be_without(certificate):
    flipped = WithFlips(Gaussian(), 2**30, (2,), (4,))
    mixed = replace(certificate, noise=flipped)
    kept, known = (int(mixed.certified_for(k).sum()) for k in (1, 0))
    assert 0 < kept < known < 40
    words = f"{40 - kept} are not certified for 1 change of categories"
    assert f"{words}; of {40 - known} nothing is proved" in sentences(
        mixed.statement(changes=1)
    )
    almost = replace(certificate, certified=np.arange(40) > 0)
    assert "1 is not certified: nothing" in sentences(almost.statement())


def test_noise_is_told_in_words():
    assert DeleteTokens(0.8).in_words == (
        "each word, split at whitespace, is deleted with probability 0.8, independently"
    )
    assert "as str.split splits a text" in DeleteTokens(0.8, str.split).in_words
    assert repr(DeleteTokens()) == "DeleteTokens(p_del=0.9)"


def test_sigma_without_effect_is_not_shown(certificate):
    texts = replace(certificate, noise=DeleteTokens(), sigma=1.0, n_noisy=None)
    assert "noise=DeleteTokens(p_del=0.9), n=500" in sentences(repr(texts))
    assert "sigma" not in repr(texts)


def test_lengths_of_columns_are_rounded_down():
    entries = {"sigma": {"a": 0.3, "b": 7.0, "still": 0.0}}
    rows = lengths(entries, np.array([1.2345]), np.array([True]), [1.2345])
    assert rows[1:] == [["a", "0.3", "0.370"], ["b", "7", "8.64"]]  # .37035 and 8.6415

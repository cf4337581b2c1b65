"""From a log at one alpha to another: never more than the votes would give."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from sksmooth.logs import certified_accuracy_table, read_log, recertify_log, write_log
from sksmooth.logs._write import radius_text
from sksmooth.stats import lower_confidence_bound, radius_from_probabilities

pd = pytest.importorskip("pandas")

SIGMA = 0.5


def radius_of(counts, n, alpha):
    return radius_from_probabilities(
        lower_confidence_bound(counts, n, alpha), sigma=SIGMA
    )


def as_printed(radius, digits):
    """As the reference code rounds, to nearest, or as `write_log` does, down."""
    return float(f"{radius:.3}" if digits == 3 else radius_text(radius))


@pytest.mark.parametrize("n", [100, 1_000])
@pytest.mark.parametrize("digits", [3, 6])
@pytest.mark.parametrize(("alpha", "new_alpha"), [(0.01, 0.001), (0.001, 0.05)])
def test_every_count(n, digits, alpha, new_alpha):
    counts = np.arange(n + 1)
    radius = radius_of(counts, n, alpha)
    counts, radius = counts[radius > 0], radius[radius > 0]
    printed = [as_printed(one, digits) for one in radius]
    log = pd.DataFrame({"label": 1, "predict": 1, "radius": printed})
    run = {"sigma": SIGMA, "n": n, "alpha": alpha, "digits": digits}
    found = recertify_log(log, **run, new_alpha=new_alpha)
    truth = radius_of(counts, n, new_alpha)
    assert (found["radius"] <= truth).all()
    # Three digits tell almost all counts of 1,000, and all of 100, apart.
    n_lost = np.sum(found["radius"] < truth)
    assert n_lost == 0 if n == 100 or digits == 6 else n_lost < 0.1 * len(counts)
    assert (found["predict"] == np.where(found["radius"] > 0, 1, -1)).all()
    assert (found["correct"] == (found["radius"] > 0)).all()
    # Fewer digits than there are lose more, and nothing else.
    vague = recertify_log(log, **{**run, "digits": 2}, new_alpha=new_alpha)
    assert (vague["radius"] <= found["radius"]).all()


def test_published_logs(published):
    """Every radius is one of the counts at the alpha of the run, and at 0.001 less."""
    path = published / "cohen2019" / "certify_cifar10_resnet110_sigma_0.50.tsv"
    run = {"sigma": 0.5, "n": 100_000, "new_alpha": 0.001}
    log, found = read_log(path), recertify_log(path, **run, alpha=0.01)
    known = log["radius"] > 0
    assert (found["radius"][known] < log["radius"][known]).all()
    assert (found["radius"][known] > 0.95 * log["radius"][known] - 0.01).all()
    with pytest.raises(ValueError, match="no count of 100,000 votes has a radius of 1"):
        recertify_log(path, **run, alpha=0.001)


def test_what_stands_beside_a_log_decides(tmp_path):
    X, y = np.array([[-1], [-0.5], [-0.02], [0.02], [0.5], [1]]), np.repeat([0, 1], 3)
    run = {"sigma": SIGMA, "n": 500, "alpha": 0.01}
    g = SmoothedClassifier(GaussianNB().fit(X, y), random_state=0, **run)
    certificate = g.certify(X)
    write_log(certificate, y, tmp_path / "run.tsv")
    log = read_log(tmp_path / "run.tsv")
    found = recertify_log(log, **run, new_alpha=0.001, digits=6)
    truth = certificate.recertify(alpha=0.001).radius
    np.testing.assert_allclose(found["radius"], truth, rtol=1e-12)
    assert 0 < (truth > 0).sum() < 6 and (found["radius"] <= truth).all()
    assert not found.attrs
    table = certified_accuracy_table({"a": found}, [0])
    assert table.iloc[0, 0] == (truth > 0).mean()
    with pytest.raises(ValueError, match="the log was made with .*'n': 500"):
        recertify_log(log, **{**run, "n": 600}, new_alpha=0.001)
    for change in ({"looks": [100, 500]}, {"bound": "joint"}, {"grid": True}):
        log.attrs["run"] |= change
        with pytest.raises(ValueError, match="do not tell the counts"):
            recertify_log(log, **run, new_alpha=0.001)
        log = read_log(tmp_path / "run.tsv")


@pytest.mark.parametrize("wrong", [{"n": [100]}, {"digits": 0}, {"new_alpha": 1}])
def test_wrong_settings(wrong):
    log = pd.DataFrame({"label": ["a"], "predict": ["a"], "radius": [0.1]})
    run = {"sigma": SIGMA, "n": 100, "alpha": 0.01, "new_alpha": 0.001}
    with pytest.raises(ValueError, match="must"):
        recertify_log(log, **{**run, **wrong})

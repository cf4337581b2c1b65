"""What 1,000 votes cost with the models that people have for tables.

    pip install -e ".[test]" -c constraints.txt catboost
    python benchmarks/tables.py [MODEL ...] [--seconds 1] [--repeats 3]

Milliseconds of process time, one thread, for 1,000 votes on inputs of breast_cancer:
from an array, from a data frame, and from a frame through a StandardScaler and a
sampler in a Pipeline of imbalanced-learn; by sksmooth, and by a loop with NumPy noise,
in batches of 1,024, and the model's own predict. All take turns, and medians of the
repeats are reported. "asked" is the share of votes for which the model's own predict
was asked. Libraries that are not installed are left out.
"""

import argparse
import importlib.util
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sksmooth import SmoothedClassifier
from sksmooth.votes.voters._predict import AnyVoter

SIGMA, VOTES = 0.5, 10_000


def xgboost():
    from xgboost import XGBClassifier

    return XGBClassifier(n_jobs=1)


def lightgbm():
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1)


def catboost():
    from catboost import CatBoostClassifier

    return CatBoostClassifier(thread_count=1, verbose=0, allow_writing_files=False)


def catboost_leafwise():
    return catboost().set_params(grow_policy="Lossguide")


MODELS = {
    "XGBClassifier": ("xgboost", xgboost),
    "LGBMClassifier": ("lightgbm", lightgbm),
    "CatBoostClassifier": ("catboost", catboost),
    'CatBoostClassifier(grow_policy="Lossguide")': ("catboost", catboost_leafwise),
    "HistGradientBoostingClassifier": (
        "sklearn",
        lambda: HistGradientBoostingClassifier(random_state=0),
    ),
    "GradientBoostingClassifier": (
        "sklearn",
        lambda: GradientBoostingClassifier(random_state=0),
    ),
    "RandomForestClassifier": (
        "sklearn",
        lambda: RandomForestClassifier(random_state=0),
    ),
    "ExtraTreesClassifier": ("sklearn", lambda: ExtraTreesClassifier(random_state=0)),
}


def containers(f, X, y):
    """Yield (name, fitted model, inputs): ways in which X gets to the model."""
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    noise = SIGMA * np.random.default_rng(0).normal(size=X.shape)
    yield "array", f.fit(X + noise, y), X
    yield "frame", clone(f).fit(frame + noise, y), frame
    if importlib.util.find_spec("imblearn") is not None:
        from imblearn.pipeline import make_pipeline
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=0)
        pipeline = make_pipeline(StandardScaler(), sampler, clone(f))
        yield "imblearn", pipeline.fit(frame + noise, y), frame


def clone(f):
    return type(f)(**f.get_params())


def by_sksmooth(f, X, n_inputs):
    g = SmoothedClassifier(
        f, method="monte_carlo", sigma=SIGMA, n=VOTES, n0=1, random_state=0
    )
    g.certify(X[:n_inputs])


def by_loop(f, X, n_inputs):
    rng = np.random.default_rng(0)
    for row in range(n_inputs):
        x = np.asarray(X[row : row + 1])
        for start in range(0, VOTES, 1024):
            size = min(1024, VOTES - start)
            batch = x + SIGMA * rng.standard_normal((size, x.shape[1]))
            if isinstance(X, pd.DataFrame):
                batch = pd.DataFrame(batch, columns=X.columns)
            np.unique(f.predict(batch), return_counts=True)


def asked(f, X):
    """Return the share of votes for which predict was asked."""
    rows, by_predict = [], AnyVoter._by_predict

    def counting(self, estimator, X, size):
        rows.append(size)
        return by_predict(self, estimator, X, size)

    AnyVoter._by_predict = counting
    try:
        by_sksmooth(f, X, 5)
    finally:
        AnyVoter._by_predict = by_predict
    return sum(rows) / (5 * (VOTES + 1))


def seconds(way, f, X, n_inputs):
    start = time.process_time()
    way(f, X, n_inputs)
    return time.process_time() - start


def measured(f, X, options):
    """Return milliseconds for 1,000 votes by both, medians of turns."""
    ways, sizes = (by_sksmooth, by_loop), []
    for way in ways:
        seconds(way, f, X, 1)  # imports, compilation
        pace = seconds(way, f, X, 2) / 2
        sizes.append(int(np.clip(options.seconds / pace, 1, len(X))))
    times = [[], []]
    for _ in range(options.repeats):
        for way, size, found in zip(ways, sizes, times, strict=True):
            found.append(seconds(way, f, X, size) / size / VOTES * 1e6)
    return np.median(times, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # as of names that a batch does not have
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    print("| model | from | ms | its own loop | x | asked |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, (library, make) in MODELS.items():
        wanted = not options.models or any(part in name for part in options.models)
        if not wanted or importlib.util.find_spec(library) is None:
            continue
        with threadpool_limits(1):
            for container, f, inputs in containers(make(), X, y):
                own, loop = measured(f, inputs, options)
                share = f"{asked(f, inputs):.2g}"
                row = name, container, f"{own:.2f}", f"{loop:.2f}", f"{loop / own:.1f}"
                print("|", " | ".join((*row, share)), "|", flush=True)


if __name__ == "__main__":
    main()

"""The command demo: a small run, and files to try the other commands on."""

import io
import os

import click
import numpy as np

from .._classifier import SmoothedClassifier
from .._writing import write_file
from ..metrics import certified_accuracy_score
from ._command import command
from ._paths import check_output
from ._streams import emit, say


@command(
    "demo",
    "demo --dir demo",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    help="Keep the model and the test images in this folder, made if need be.",
)
@click.option("--force", is_flag=True, help="Overwrite files of an earlier demo.")
def demo(folder, force):
    """Smooth a classifier of handwritten digits and certify 100 test images.

    Takes a few seconds. The digits come with scikit-learn; a pixel is from 0 to 1.
    """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if folder is not None:
        import skops.io

        os.makedirs(folder, exist_ok=True)
        model_path = os.path.join(folder, "model.skops")
        data_path = os.path.join(folder, "test.npz")
        for path in (model_path, data_path):
            check_output(path, "--dir", {}, force=force)
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=100, stratify=y, random_state=0
    )
    f = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1_000))
    g = SmoothedClassifier(f, sigma=0.25, n=10_000, n_copies=4, random_state=0)
    g.fit(X_train, y_train)
    certificate = g.certify(X_test)
    radii = [0, 0.25, 0.5, 0.75]
    scores = certified_accuracy_score(y_test, certificate, radius=radii)
    lines = [
        f"{len(y_test)} images of digits, noise of sigma = {g.sigma} on pixels",
        "  l2 radius   certified accuracy",
        *(
            f"  {r:9.2f}   {score:18.0%}"
            for r, score in zip(radii, scores, strict=True)
        ),
        "Within its radius no change of an image changes the answer; each certificate "
        "is",
        f"wrong with probability {g.alpha:g} at most.",
    ]
    emit("\n".join(lines) + "\n")
    if folder is None:
        return
    images = io.BytesIO()
    np.savez(images, X=X_test, y=y_test)
    write_file(model_path, skops.io.dumps(g))
    write_file(data_path, images.getvalue())
    log = os.path.join(folder, "run.tsv")
    say(
        f"Saved {model_path} and {data_path}. Now try\n"
        f"  sksmooth certify {model_path} {data_path} --out {log}\n"
        f"  sksmooth report {log}"
    )

"""Count the calls and changes of file that one `certify` takes, for three models.

    python tools/trace_certify.py

What a reader has to follow: calls of functions of the package, the files they are in,
and how often the next call is in another file than the last.
"""

import sys
import warnings
from pathlib import Path

import sklearn.datasets
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

import sksmooth
from sksmooth import SmoothedClassifier

PACKAGE = str(Path(sksmooth.__file__).parent)


def trace(call):
    """Return the files of all calls of functions of the package, in order."""
    files = []

    def note(frame, event, argument):
        code = frame.f_code
        # What a comprehension or a class body does is no call to follow.
        if event == "call" and code.co_filename.startswith(PACKAGE):
            if not code.co_name.startswith("<"):
                files.append(code.co_filename)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return files


def models():
    """Yield (name, classifier)."""
    yield "scaler, logistic", make_pipeline(StandardScaler(), LogisticRegression())
    yield "forest", RandomForestClassifier(10, random_state=0)
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    )
    net = NeuralNetClassifier(
        module, criterion=torch.nn.CrossEntropyLoss, max_epochs=3, verbose=0
    )
    yield "scaler, skorch MLP", make_pipeline(StandardScaler(), net)


def main():
    warnings.simplefilter("ignore")
    X, y = sklearn.datasets.load_iris(return_X_y=True)
    X = X.astype("float32")
    for name, f in models():
        g = SmoothedClassifier(f, method="monte_carlo", n=1_000, random_state=0).fit(
            X, y
        )
        g.certify(X[:2])  # what is found out once for all calls
        files = trace(lambda g=g: g.certify(X[:2]))
        changes = sum(a != b for a, b in zip(files, files[1:], strict=False))
        print(
            f"{name:20} {len(files):4} calls, {len(set(files)):3} files, "
            f"{changes:4} changes of file"
        )


if __name__ == "__main__":
    main()

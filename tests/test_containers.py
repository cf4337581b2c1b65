"""X as users have it: images in any container, texts, sparse matrices."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from sksmooth import GaussianAugmenter, SmoothedClassifier
from tests.helpers import Fixed

BYTES = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8)).astype(np.uint8)
BYTES[0, 0, 0, :2] = 0, 255
IMAGES = Fixed(lambda X: (X.reshape(len(X), -1).mean(axis=1) > 0.5).astype(int))


def images():
    yield "uint8", BYTES
    yield "a list of uint8", list(BYTES)
    yield "a tuple of uint8", tuple(BYTES)
    yield "lists of numbers", BYTES.tolist()
    yield "a list of lists of uint8", [list(image) for image in BYTES]
    yield "int64", BYTES.astype(np.int64)
    yield "int16", BYTES.astype(np.int16)
    yield "uint32", BYTES.astype(np.uint32)
    yield "a list of int64", list(BYTES.astype(np.int64))
    yield "dark", BYTES.astype(np.int64) // 100
    yield "black, uint8", np.zeros_like(BYTES)
    yield "grey", BYTES[:, 0]
    yield "a list of grey ones", list(BYTES[:, 0])
    yield "read-only", np.frombuffer(BYTES.tobytes(), np.uint8).reshape(BYTES.shape)


@pytest.mark.parametrize(("name", "X"), list(images()), ids=lambda v: None)
def test_images_of_bytes_are_refused(name, X):
    g = SmoothedClassifier(IMAGES, n=100, random_state=0)
    for ask in (g.predict, g.certify, lambda X: g.fit(X, [0, 1, 0, 1])):
        with pytest.raises(ValueError, match="pixels from 0 to 255.*scale X first"):
            ask(X)
    with pytest.raises(ValueError, match="pixels from 0 to 255"):
        GaussianAugmenter().fit(X)


def test_tensors_of_bytes_are_refused():
    torch = pytest.importorskip("torch")
    from sksmooth.torch import ModuleClassifier

    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64, 2))
    net = ModuleClassifier(module)
    tensor = torch.from_numpy(BYTES)
    for f in (IMAGES, net):
        g = SmoothedClassifier(f, n=100, random_state=0)
        for X in (tensor, list(tensor), tuple(tensor), tensor.long(), tensor.short()):
            with pytest.raises(ValueError, match="pixels from 0 to 255"):
                g.predict(X)
        scaled = tensor / 255
        expected = g.certify((BYTES / np.float32(255)).astype("float32")).counts
        for X in (scaled, list(scaled), list(scaled.numpy()), scaled.requires_grad_()):
            np.testing.assert_array_equal(g.certify(X).counts, expected)
    flat = BYTES.reshape(4, -1)
    g = SmoothedClassifier(ModuleClassifier(module[1]), n=100, random_state=0)
    for X in (flat, list(flat), torch.from_numpy(flat), list(torch.from_numpy(flat))):
        with pytest.raises(ValueError, match="pixels from 0 to 255"):
            g.predict(X)


def test_pictures_of_pillow_are_refused():
    image = pytest.importorskip("PIL.Image")
    pictures = [image.fromarray(one.transpose(1, 2, 0)) for one in BYTES]
    g = SmoothedClassifier(IMAGES, n=100, random_state=0)
    for X in (
        pictures,
        tuple(pictures),
        pictures[0],
        [p.convert("L") for p in pictures],
    ):
        with pytest.raises(ValueError, match="uint8, pixels from 0 to 255"):
            g.predict(X)


@pytest.mark.parametrize(
    "X",
    [
        BYTES / 255,
        list(BYTES / 255),
        BYTES.astype("float32"),  # as the error says
        (BYTES > 100).astype(int),
        BYTES > 100,
        BYTES.astype(int) - 128,
        BYTES.astype(int) * 10,
    ],
)
@pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
def test_other_images_pass(X):
    g = SmoothedClassifier(IMAGES, n=100, random_state=0)
    counts = g.certify(X).counts
    np.testing.assert_array_equal(g.certify(list(X)).counts, counts)


def test_tables_are_no_images():
    table = BYTES.reshape(4, -1)[:, :5]
    f = Fixed(lambda X: np.zeros(len(X), int))
    g = SmoothedClassifier(f, n=100, random_state=0)
    columns = {f"x{j}": table[:, j] for j in range(5)}
    for X in (table, table.astype(int), table.tolist(), list(table)):
        assert len(g.certify(X).radius) == 4
    for X in (pd.DataFrame(columns), pl.DataFrame(columns)):
        assert len(g.certify(X).radius) == 4


def test_lists_are_taken_as_before():
    f = Fixed(lambda X: np.zeros(len(X), int))
    g = SmoothedClassifier(f, n=100, random_state=0)
    expected = g.certify(np.eye(3)).counts
    for X in (np.eye(3).tolist(), list(np.eye(3)), np.eye(3, dtype=int).tolist()):
        np.testing.assert_array_equal(g.certify(X).counts, expected)
    assert len(g.certify([["1", "2"], ["3", "4"]]).radius) == 2  # as scikit-learn
    for X, message in (
        ([[1.0], [1.0, 2.0]], r"X\[0\] has \(1,\), X\[1\] has \(2,\)"),
        ([1.0, 2.0], "Expected 2D array, got 1D array"),
        ([], "Expected 2D array"),
        (3.0, "Expected 2D array, got scalar"),
        (None, "NoneType|Expected 2D array"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            g.certify(X)


TEXTS = ["good film", "bad film", "good plot", "bad plot", "a film", "a plot"] * 5
LABELS = [1, 0, 1, 0, 1, 0] * 5


@pytest.mark.parametrize(
    "X",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        [text.encode() for text in TEXTS],
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype=object),
        pl.Series(TEXTS),
        [[text] for text in TEXTS],
        np.array(TEXTS).reshape(-1, 1),
        pd.DataFrame({"text": TEXTS}),
        pl.DataFrame({"text": TEXTS, "title": TEXTS}),
        [[1.0, text] for text in TEXTS],
    ],
    ids=lambda X: type(X).__name__,
)
def test_text(X):
    advice = r"X holds text.*behind TfidfVectorizer: V = .*toarray\(\).*many words"
    f = make_pipeline(TfidfVectorizer(), LogisticRegression())
    with pytest.raises(ValueError, match=advice):
        SmoothedClassifier(f).fit(X, LABELS)
    g = SmoothedClassifier(f.fit(TEXTS, LABELS))
    for ask in (g.predict, g.certify):
        with pytest.raises(ValueError, match=advice):
            ask(X)
    with pytest.raises(ValueError, match="X holds text.*behind the vectorizer"):
        SmoothedClassifier(LogisticRegression()).fit(X, LABELS)


def test_dicts_for_a_vectorizer():
    X = [{"good": 1.0}, {"bad": 2.0}] * 15
    f = make_pipeline(DictVectorizer(), LogisticRegression())
    with pytest.raises(ValueError, match="X holds dicts.* behind DictVectorizer"):
        SmoothedClassifier(f).fit(X, LABELS)


def test_what_the_error_proposes():
    vectorizer = TfidfVectorizer().fit(TEXTS)
    V = vectorizer.transform(TEXTS).toarray()
    g = SmoothedClassifier(LogisticRegression(), sigma=0.1, n=500, random_state=0)
    assert g.fit(V, LABELS).certify(V).certified.mean() > 0.5


@pytest.mark.parametrize("f", [MultinomialNB(), make_pipeline(MultinomialNB())])
@pytest.mark.parametrize(
    "kind", [sparse.csr_array, sparse.coo_matrix, sparse.dok_array]
)
def test_sparse(kind, f):
    V = CountVectorizer().fit_transform(TEXTS)
    g = SmoothedClassifier(f.fit(V, LABELS))
    advice = r"Sparse data.*V = X.toarray\(\).*radius is an l2 distance"
    for ask in (g.predict, g.certify, lambda X: g.fit(X, LABELS)):
        with pytest.raises(TypeError, match=advice):
            ask(kind(V))


def test_text_beside_numbers_is_for_a_sigma_of_0():
    frame = pd.DataFrame({"x": np.arange(30.0), "text": TEXTS})
    encoder = make_column_transformer(
        (CountVectorizer(), "text"), remainder="passthrough"
    )
    f = make_pipeline(encoder, LogisticRegression())
    with pytest.raises(ValueError, match="'text' .*sigma of 0"):
        SmoothedClassifier(f).fit(frame, LABELS)
    g = SmoothedClassifier(f, sigma=[0.1, 0], n=100, random_state=0)
    assert g.fit(frame, LABELS).score(frame, LABELS) > 0.8

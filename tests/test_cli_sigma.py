"""--sigma: one number, or one for each column."""

import pytest

click = pytest.importorskip("click")

from sksmooth.cli._types import Sigma, is_one_level, sigma_text  # noqa: E402


def parse(text):
    return Sigma().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3", 0.3),
        ("1e-3", 1e-3),
        ("amount=0.3", {"amount": 0.3}),
        ("amount=0.3,age=2,*=0", {"amount": 0.3, "age": 2.0, "*": 0.0}),
        ("amount=0.3, age=2", {"amount": 0.3, "age": 2.0}),
        ("a=b=0.3", {"a=b": 0.3}),
        ('"a,b=0.3",c=1', {"a,b": 0.3, "c": 1.0}),
        ("sepal length (cm)=1", {"sepal length (cm)": 1.0}),
        ("*=1,age=0", {"*": 1.0, "age": 0.0}),
        ("größe=1", {"größe": 1.0}),
    ],
)
def test_parsed(text, expected):
    sigma = parse(text)
    assert sigma == expected and parse(sigma) is sigma
    if isinstance(expected, dict):
        assert list(sigma) == list(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "above 0"),
        ("-1", "above 0"),
        ("nan", "not a finite number"),
        ("inf", "not a finite number"),
        ("", "not a finite number"),
        ("amount", "nor COLUMN=NUMBER"),
        ("amount=", "not a finite number"),
        ("amount=-1", "of at least 0"),
        ("amount=nan", "not a finite number"),
        ("=1", "not of the form COLUMN=NUMBER"),
        ("amount=1,", "not of the form COLUMN=NUMBER"),
        ("amount=1,2", "not of the form COLUMN=NUMBER"),
        ("a=1,b,c=1", "not of the form COLUMN=NUMBER"),
        ("a=1,a=1", "'a' is named twice"),
        ("a=0,*=0", "one column at least needs noise"),
    ],
)
def test_refused(text, message):
    with pytest.raises(click.BadParameter, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("sigma", "text"),
    [(0.25, "0.25"), ({"a": 0.3, "*": 0.0}, "a=0.3,*=0"), ([1, 2], "an array")],
)
def test_told(sigma, text):
    assert sigma_text(sigma) == text
    assert is_one_level(sigma) == (text == "0.25")

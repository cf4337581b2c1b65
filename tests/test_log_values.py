"""What a log may hold, and how what it may not hold is told."""

from datetime import timedelta

import numpy as np
import pytest

from sksmooth.logs import (
    certified_accuracy_table,
    prediction_table,
    read_log,
    write_log,
)

pd = pytest.importorskip("pandas")

COLUMNS = ["idx", "label", "predict", "radius", "correct", "time"]
GOOD = dict(zip(COLUMNS, ["7", "3", "3", "0.5", "1", "0:00:01"], strict=True))
LARGEST = 2**63 - 1
LONG = "1" * 5_000  # more digits than Python converts


@pytest.fixture
def read(tmp_path):
    """Read a log of two lines, with some values of the second one changed."""

    def read(**changed):
        rows = [COLUMNS, GOOD.values(), {**GOOD, **changed}.values()]
        if extra := [name for name in changed if name not in GOOD]:
            rows[0], rows[1] = [*COLUMNS, *extra], [*GOOD.values(), *"1" * len(extra)]
        path = tmp_path / "log"
        path.write_text("".join("\t".join(row) + "\n" for row in rows))
        return read_log(path)

    return read


@pytest.mark.parametrize("column", ["idx", "label", "predict"])
@pytest.mark.parametrize(
    "text",
    [str(LARGEST + 1), str(-LARGEST - 2), "9" * 25, LONG, f"{LARGEST + 1}.0"]
    + ["1_0", "\u0663", "\uff13", "3e0", "0x3", "nan", "inf", "", "- 1", "3.5", "+"],
)
def test_whole_numbers(read, column, text):
    with pytest.raises(ValueError, match=f"log, line 3: {column} is .* whole number"):
        read(**{column: text})


@pytest.mark.parametrize("text", [str(LARGEST), str(-LARGEST - 1), "+3", "00003", "3."])
@pytest.mark.parametrize("column", ["idx", "label"])
def test_whole_numbers_of_64_bits(read, column, text):
    assert read(**{column: text})[column].iloc[1] == int(
        float(text) if "." in text else text
    )


@pytest.mark.parametrize(
    "text",
    ["1_0.5", "1_0", "nan", "inf", "-inf", "Infinity", "1e999", "-0.5", "-1e-300"]
    + ["\u0661.5", "\uff10.5", "0,5", "0.5m", "", "0x1p-1", "tensor(0.5)", "0. 5"],
)
def test_radii(read, text):
    with pytest.raises(ValueError, match="log, line 3: radius is "):
        read(radius=text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5),
        ("5e-1", 0.5),
        ("+0.5", 0.5),
        ("5E-324", 5e-324),
        ("\u00a00.5 ", 0.5),
    ],
)
def test_radii_as_programs_write_them(read, text, value):
    assert read(radius=text)["radius"].iloc[1] == value


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "-1", "1_0", "1_0:00:00", "\u0661:00:00", "1e999", "-1:00:00"]
    + ["-1 day, 23:59:59", f"{LONG}:00:00", f"{LONG} days, 0:00:00", LONG, "1:2"],
)
def test_times(read, text):
    with pytest.raises(ValueError, match="log, line 3: time is "):
        read(time=text)


@pytest.mark.parametrize("text", ["2", "-1", "nan", "yes", "1_0", LONG, "\u0661", "0"])
def test_correct_is_never_believed(read, text):
    assert read(correct=text)["correct"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        (str(2**63), 2.0**63, "f"),  # a count that is no int64
        (str(LARGEST), LARGEST, "i"),
        ("2.0", 2.0, "f"),
        ("nan", np.nan, "f"),
        ("1_0", "1_0", "O"),
        ("\u0663", "\u0663", "O"),
        (LONG, np.inf, "f"),
    ],
)
def test_further_columns(read, text, value, kind):
    column = read(count=text)["count"]
    assert column.dtype.kind == kind
    np.testing.assert_equal(column.iloc[1], value)


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_that_is_not_utf8(tmp_path, line, end):
    rows = [
        "\t".join(COLUMNS),
        "0\tKatze\tKatze\t0.5\t1\t1",
        "1\tHund\tHund\t0.5\t1\t1",
    ]
    rows[line - 1] += "\u00e4"
    path = tmp_path / "log"
    path.write_bytes("".join(row + end for row in rows).encode("latin-1"))
    with pytest.raises(ValueError, match=f"log, line {line}: byte 0xe4 is not UTF-8"):
        read_log(path)


def test_text_of_windows(tmp_path):
    path = tmp_path / "log"
    path.write_text("\t".join(COLUMNS) + "\n", encoding="utf-16")
    with pytest.raises(ValueError, match="log, line 1: byte 0xff is not UTF-8"):
        read_log(path)


@pytest.mark.parametrize("label", ["-1", "-1.0", "-01"])
def test_to_abstain_is_never_right(read, label):
    """Whatever the log calls the truth, as no class is named."""
    log = read(idx="8", label=label, predict="-1", radius="0")
    assert log["correct"].tolist() == [True, False]
    assert certified_accuracy_table({"a": log}, [0]).iloc[0, 0] == 0.5
    answers = ["-1", "a"]
    texts = pd.DataFrame({"label": answers, "predict": answers, "radius": [0.0, 1.0]})
    assert certified_accuracy_table({"a": texts}, [0]).iloc[0, 0] == 0.5


def test_an_abstention_has_no_radius(read):
    """As a class -1 is not to be taken for an abstention in silence."""
    with pytest.raises(ValueError, match="log, line 3: predict is -1, an abstention"):
        read(predict="-1", radius="0.5")
    frame = pd.DataFrame({"label": [1, 0], "predict": [1, -1], "radius": [0.5, 0.1]})
    with pytest.raises(ValueError, match="log 'a', row 1: predict is -1"):
        certified_accuracy_table({"a": frame}, [0])


@pytest.mark.parametrize("radius", [np.nan, -0.5])
def test_radii_of_frames(radius):
    frame = pd.DataFrame({"label": [1, 1], "predict": [1, 1], "radius": [0.5, radius]})
    with pytest.raises(ValueError, match="log 'a': the radius in row 1 is"):
        certified_accuracy_table({"a": frame}, [0])


def test_no_input_counts_twice(tmp_path):
    path = tmp_path / "log"
    write_log(([1, 0], [0.5, 0.25]), [1, 1], path, idx=[7, 9])
    log = read_log(path)
    twice = pd.concat([log, log])
    twice.to_csv(tmp_path / "twice", sep="\t", index=False)
    assert len(read_log(tmp_path / "twice")) == 4  # it can be read, and mended
    radii, told = [0, 0.5], "has idx 7 more than once, and 1 other idx"
    for bad in (twice, tmp_path / "twice"):
        with pytest.raises(ValueError, match=f"log 'a' {told}"):
            certified_accuracy_table({"a": bad}, radii)
        with pytest.raises(ValueError, match=f"log 'a' {told}"):
            prediction_table({"a": bad}, log)
        with pytest.raises(ValueError, match=f"the reference {told}"):
            prediction_table({"a": log}, bad)
    mended = certified_accuracy_table({"a": twice.drop_duplicates("idx")}, radii)
    assert mended.loc["a"].tolist() == [0.5, 0.5]
    parts = pd.concat([log, log.assign(idx=[1, 2])])
    assert certified_accuracy_table({"a": parts}, radii).equals(mended)
    with pytest.raises(ValueError, match="idx must be different"):
        write_log(([1, 0], [0.5, 0.25]), [1, 1], path, idx=[7, 7])


@pytest.mark.parametrize("make", [list, lambda logs: logs["a"]])
def test_logs_have_names(make):
    frame = pd.DataFrame({"idx": [0], "label": [1], "predict": [1], "radius": [0.5]})
    logs = make({"a": frame})
    with pytest.raises(TypeError, match="logs must be a dict of names and logs, got a"):
        certified_accuracy_table(logs, [0])
    with pytest.raises(TypeError, match="logs must be a dict of names and logs, got a"):
        prediction_table(logs, frame)
    with pytest.raises(TypeError, match="log 'a' must be a file or what read_log"):
        certified_accuracy_table({"a": [frame]}, [0])


@pytest.mark.parametrize(
    "label",
    [np.inf, -np.inf, np.nan, 0.5, 1e30, 2.0**63, np.datetime64(3, "s")]
    + [np.timedelta64(3, "s"), np.uint64(2**63)],
)
def test_labels_that_no_log_can_hold(tmp_path, label):
    problem = "labels must be whole numbers or strings"
    if isinstance(label, np.datetime64 | np.timedelta64):
        problem = "must hold labels that are all numbers or all strings"
    with pytest.raises(ValueError, match=problem):
        write_log(([label], [0.5]), [label], tmp_path / "log")
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("extra", [{"idx": [np.inf]}, {"time": [1e300]}])
def test_other_numbers_that_no_log_can_hold(tmp_path, extra):
    with pytest.raises(ValueError, match="must hold"):
        write_log(([1], [0.5]), [1], tmp_path / "log", **extra)


@pytest.mark.parametrize("label", [LARGEST, -LARGEST - 1, np.uint64(LARGEST), 2.0**62])
def test_labels_at_the_limits(tmp_path, label):
    write_log(([label], [0.5]), [label], tmp_path / "log")
    assert read_log(tmp_path / "log")["label"].tolist() == [int(label)]


SECONDS = np.array([1, 2, 90_000])


@pytest.mark.parametrize(
    "time",
    [
        SECONDS.astype("m8[s]"),
        (SECONDS * 1_000).astype("m8[ms]"),
        (SECONDS * 10**9).astype("m8[ns]"),
        pd.to_timedelta(SECONDS, unit="s"),
        pd.Series(pd.to_timedelta(SECONDS, unit="s")),
        pd.Series(pd.to_timedelta(SECONDS, unit="s"), dtype=object),
        [timedelta(seconds=int(one)) for one in SECONDS],
        [np.timedelta64(one, "s") for one in SECONDS],
        [timedelta(seconds=1), 2.0, np.timedelta64(1_500, "m")],
        SECONDS,
    ],
)
def test_times_keep_their_unit(tmp_path, time):
    c = ([1, 0, 1], [0.5, 0.25, 0.1])
    write_log(c, [1, 1, 1], tmp_path / "log", time=time)
    times = [
        line.split("\t")[-1] for line in (tmp_path / "log").read_text().splitlines()
    ][1:]
    assert times == ["0:00:01", "0:00:02", "1 day, 1:00:00"]


@pytest.mark.parametrize(
    "time",
    [
        np.array([1], "m8[M]"),
        np.array([1], "m8"),
        np.array([3], "M8[s]"),
        [np.datetime64(3, "s")],
        np.array(["NaT"], "m8[s]"),
        pd.to_timedelta([-1], unit="s"),
        ["soon"],
    ],
)
def test_times_that_are_no_length_of_time(tmp_path, time):
    with pytest.raises(ValueError, match="time "):
        write_log(([1], [0.5]), [1], tmp_path / "log", time=time)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("kind", [object, str])
def test_texts_are_never_numbers(kind):
    texts = np.array(["3", "2"], dtype=kind)
    for label, predict in [(texts, [3, 2]), ([3, 2], texts), (texts, [-1, 2])]:
        radius = np.where(np.asarray(predict).astype(str) == "-1", 0.0, 1.0)
        idx = [0, 1]
        log = pd.DataFrame(
            {"idx": idx, "label": label, "predict": predict, "radius": radius}
        )
        with pytest.raises(ValueError, match="labels of different kinds are never"):
            certified_accuracy_table({"a": log}, [0])
        with pytest.raises(ValueError, match="labels of different kinds are never"):
            prediction_table({"a": log}, log)


def test_a_reference_of_another_kind():
    log = pd.DataFrame({"idx": [0, 1], "label": [3, 2], "predict": [3, 2]})
    texts = log.assign(predict=["3", "2"])
    with pytest.raises(ValueError, match="labels of different kinds are never equal"):
        prediction_table({"a": log}, texts)


def test_abstentions_are_of_no_kind():
    """-1 stands beside classes of both kinds, as a number and as a text."""
    words = ["a", "b"]
    for predict, share in [([-1, -1], 0.0), (["a", -1], 0.5), (["a", "-1"], 0.5)]:
        log = pd.DataFrame({"idx": [0, 1], "label": words, "predict": predict})
        table = prediction_table({"x": log}, log)
        assert table.loc["x", "correct, accurate"] == share
        log["radius"] = 0.0
        assert certified_accuracy_table({"x": log}, [0]).iloc[0, 0] == share

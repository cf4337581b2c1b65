"""The commands that take a model and data: certify, predict and verify."""

import os
import sys
from time import perf_counter

import click
import numpy as np

from .. import __version__
from .._certificate import round_down
from .._claims import CERTAIN
from .._writing import is_stream, write_file
from ..logs._beside import write_beside
from ..logs._write import certification_text, label_texts
from ..noise._sigma import is_one_number, sigma_by_column
from ._about_run import about_run, check_place
from ._command import command
from ._data import as_model_takes, load_data
from ._demo import demo
from ._key import read_key
from ._log import log_of_certificate, log_of_prediction
from ._model import as_smoothed, load_model
from ._options import (
    FILES,
    HOW,
    INPUTS,
    LEVELS,
    MODEL_AND_DATA,
    OF_CERTIFY,
    READ,
    TRUST,
    options,
)
from ._paths import check_output, check_store, with_companions
from ._planning import plan
from ._report import report
from ._streams import emit, say
from ._types import sigma_text
from ._verify import verify_run


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
    epilog="Begin with: sksmooth demo --dir demo",
)
@click.version_option(__version__, prog_name="sksmooth", message="%(prog)s %(version)s")
def app():
    """Certify classifiers by randomized smoothing.

    Results go to stdout or to files, all else to stderr. Exit codes: 0 done, 1 failed,
    2 wrong use, 130 interrupted.
    """


@command(
    "certify model.skops test.npz --out run.tsv",
    "certify model.skops test.csv --label species --sigma 0.5 --n 10000",
    'certify model.skops test.csv --label fraud --sigma "amount=0.3,*=0"',
    "certify model.skops test.npz --out run.tsv --store run.sqlite --jobs -1",
    "certify forest.joblib test.npz --sigma 0.25 --trust-pickle --seed 7",
)
@options(MODEL_AND_DATA + LEVELS + OF_CERTIFY + HOW + FILES)
def certify(model, data, radius_tol, store, out, quiet, **options):
    """Certify each input of DATA: a class, and a radius within which it stays.

    MODEL is a fitted classifier: a .skops file, or a pickle with --trust-pickle. A
    SmoothedClassifier is used as it is, and options override its parameters. Any
    other classifier is smoothed, which needs --sigma.

    DATA is a .npy, .npz, .csv or .parquet file. With labels, the result is a log in the
    Cohen log format (idx, label, predict, radius, correct, time), which
    `sksmooth report` reads; without, idx, predict and radius. predict is -1 for inputs
    that are not certified. Beside --out run.tsv, run.json holds the settings, without
    secrets.
    """
    paths = model, data
    g, data = _prepare(*paths, store, out, quiet, beside=out, **options)
    made_by = None
    if out is not None and not is_stream(out):
        made_by = about_run(g, *paths, **options)
    start = perf_counter()
    certificate = g.certify(data.X, radius_tol=radius_tol, store=store)
    seconds = perf_counter() - start
    text, radius = log_of_certificate(certificate, data.y, data.idx, seconds)
    _write(text, out)
    if made_by is not None:
        write_beside(out, certificate, text, **made_by, seconds=round(seconds, 3))
    if not is_one_number(g.sigma):
        say("Note: sigma differs between features, so radii are in units of sigma.")
    if certificate.norm != "l2":
        say(f"Note: radii are {certificate.norm} radii, which the log does not say.")
    if store is not None and not certificate.n:
        say(f"Note: {store} is not made, because exact certificates draw no votes.")
    n_certified = int(np.sum(certificate.certified))
    words = f"{n_certified} of {len(data.idx)} inputs certified"
    if n_certified:
        middle = np.quantile(radius[certificate.certified], 0.5, method="lower")
        words += f", median radius {round_down(middle)}"
    if certificate.bound in CERTAIN:
        settings = certificate.bound
    else:
        level = f"sigma={sigma_text(g.sigma)}"
        if not certificate.noise.bind(certificate.sigma).scales:  # without effect
            level = f"noise={certificate.noise!r}"
        settings = f"{level}, n={g.n}, alpha={g.alpha:g}"
    if not quiet:
        _tell(f"{words} ({settings}); {seconds:.1f} s", out)


@command(
    "predict model.skops new.csv",
    "predict model.skops test.npz --alpha 0.01 | cut -f 3 | sort | uniq -c",
)
@options(MODEL_AND_DATA + LEVELS + HOW + FILES)
def predict(model, data, store, out, quiet, **options):
    """Predict the class of each input of DATA, or abstain.

    MODEL and DATA are as for `sksmooth certify`. The result has the columns idx and
    predict, with labels also label and correct. predict is -1 where the vote is a close
    call.
    """
    g, data = _prepare(model, data, store, out, quiet, **options)
    start = perf_counter()
    answer = g.predict(data.X, store=store)
    seconds = perf_counter() - start
    text, certain = log_of_prediction(answer, g.abstain_label_, data.y, data.idx)
    _write(text, out)
    if not quiet:
        words = f"{np.sum(certain)} of {len(data.idx)} inputs predicted"
        _tell(f"{words}, {np.sum(~certain)} abstentions; {seconds:.1f} s", out)


@command(
    "verify run.sqlite model.skops test.npz --sample 100 --key-file key",
    "verify run.tsv model.skops test.npz --seed 7 --n 10000",
)
@click.argument("run", type=READ)
@options(MODEL_AND_DATA + LEVELS + OF_CERTIFY + HOW)
@click.option(
    "--predict",
    "predicts",
    is_flag=True,
    help="The votes in the store are those of `sksmooth predict`.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="M",
    help="Inputs to check, drawn at random.",
)
@click.option(
    "--settings",
    type=READ,
    help="The .json file beside the log of the run: says which versions differ.",
)
@options(INPUTS + TRUST)
def verify(run, model, data, predicts, sample, settings, radius_tol, quiet, **options):
    """Make again what RUN holds of inputs chosen at random, and compare.

    RUN is what `sksmooth certify` or `predict` wrote for MODEL and DATA: the votes in
    the file of --store, or the log of --out, which is all that exact certificates
    leave. Give the options of that run, and its seed or key file; RUN is not changed.
    Exit code 0 says that all is the same, bit for bit, 1 that something is not, and
    what may be the reason.
    """
    key = options["key_file"]
    if key is not None and not os.path.exists(key):
        raise click.UsageError(f"--key-file {key}: there is no such file.")
    g, data = _prepare(model, data, None, None, quiet, force=False, **options)
    asked = {"radius_tol": radius_tol, "predicts": predicts}
    verify_run(g, data, run, sample, settings, **asked)


for one in (certify, predict, report, plan, verify, demo):
    app.add_command(one)


def _write(text, out):
    if out is None:
        emit(text)
    else:
        write_file(out, text)


def _tell(words, out):
    say(words if out is None else f"{words}; see {out}")


def _prepare(
    model_path,
    data_path,
    store,
    out,
    quiet,
    *,
    beside=None,
    force,
    key_file,
    trust,
    trust_pickle,
    unpack_limit,
    label,
    inputs,
    start,
    skip,
    most,
    **params,
):
    """Load everything, and refuse before the run what would fail after it."""
    params = {name: value for name, value in params.items() if value is not None}
    read = {"MODEL": model_path, "DATA": data_path}
    if key_file is not None:
        read["--key-file"] = key_file
    if label is not None and label.endswith(".npy"):
        read["--label"] = label
    check_store(store, read)
    others = read | with_companions(store)
    check_output(out, "--out", others, force=force)
    check_place(beside, others, force=force)
    if key_file is not None:
        if "random_state" in params:
            raise click.UsageError("--seed and --key-file: give one of them.")
        params["random_state"] = read_key(key_file)
    limit = 1e9 * unpack_limit
    model = load_model(model_path, trust, trust_pickle, limit)
    g = as_smoothed(model, model_path, params)
    g.set_params(verbose=int(not quiet and sys.stderr.isatty()))
    data = load_data(data_path, label, inputs, start, skip, most, limit)
    classes = getattr(g, "classes_", None)
    if classes is not None:
        label_texts(np.asarray(classes))
        if data.y is not None:
            # Whatever is wrong with the labels is said now.
            nothing = np.full(len(data.idx), classes[0]), np.zeros(len(data.idx))
            certification_text(nothing, data.y)
    if store is not None:
        if "entropy_" not in vars(g) and g.random_state is None:
            raise click.UsageError(
                "--store needs --key-file or --seed with this model: without one the "
                "noise is new each time, and stored votes could not be used again."
            )
        click.get_current_context().meta["sksmooth.if_interrupted"] = (
            f" The votes counted so far are in {store}: the same command continues."
        )
    if isinstance(g.sigma, dict) and hasattr(data.X, "columns"):
        if getattr(g, "feature_names_in_", None) is None:
            # Its columns have no names when the model gets them.
            try:
                g.set_params(sigma=sigma_by_column(g.sigma, data.X.columns))
            except ValueError as error:
                raise click.UsageError(f"--sigma: {error}") from error
    return g, data._replace(X=as_model_takes(data.X, g))

"""Other ways to run a net: the same answers, set up once, clear errors."""

import pickle
from shutil import which

import cloudpickle
import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth import SmoothedClassifier  # noqa: E402
from sksmooth.models import _net_engines, _net_modes  # noqa: E402
from sksmooth.models._net_memory import Memory  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._recognise import recognise  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from sksmooth.votes._voting import Voting  # noqa: E402
from tests.helpers import make_voter  # noqa: E402
from tests.nets import MLP, Answers, binary_classifier, classifier  # noqa: E402
from tests.votes.test_torch import CLASSES, X, votes  # noqa: E402

IMAGES = np.random.default_rng(0).normal(size=(30, 2, 8, 8)).astype(np.float32)
WAYS = [
    {"mode": "frozen"},
    {"mode": "onnxruntime"},
    {"channels_last": True},
]


def conv():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(2, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(72, 3),
    ).eval()


def needs(options):
    if options.get("mode") == "onnxruntime":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")


def recognised(f, options, X=IMAGES, say=print):
    return recognise(f, f.classes_, Inputs.from_array(X, 0.3), options, say)


class TestSameAnswers:
    @pytest.mark.parametrize("options", WAYS, ids=str)
    def test_votes(self, options):
        needs(options)
        f = ModuleClassifier(conv())
        expected = votes(f, IMAGES, 300)
        got = votes(f, IMAGES, 300, net_options=options)
        np.testing.assert_array_equal(got, expected)
        some = votes(f, IMAGES[:9], 300, net_options=options, batch_size=41)
        np.testing.assert_array_equal(some, got[:9])
        with joblib.parallel_config(backend="threading"):
            shared = votes(f, IMAGES, 300, net_options=options, n_jobs=2)
        np.testing.assert_array_equal(shared, got)

    @pytest.mark.parametrize(
        ("mode", "dtype"),
        [
            ("frozen", torch.float32),
            ("frozen", torch.float64),
            ("onnxruntime", torch.float32),
        ],
    )
    def test_a_tuple_and_double_precision(self, mode, dtype):
        needs({"mode": mode})

        class Both(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.part = conv()

            def forward(self, x):
                return self.part(x), x.sum()

        f = ModuleClassifier(Both().to(dtype), classes=CLASSES)
        np.testing.assert_array_equal(
            votes(f, IMAGES, net_options={"mode": mode}), votes(f, IMAGES)
        )

    def test_what_a_module_gets_with_channels_last(self):
        """The same numbers in the same places, in another order in memory."""
        seen = []

        def forward(x):
            seen.append(x.clone(memory_format=torch.preserve_format))
            return x[:, :, 0, 0]

        f = ModuleClassifier(Answers(forward), classes=[0, 1])
        one = Inputs.from_array(IMAGES[:1], 0.3)
        for layout in (False, True):
            voter = make_voter(f, f.classes_, one)
            if layout:
                voter.net.memory_format = torch.channels_last
            voter.allocate(50)
            voter.fill(0, 50, 0, voter.open(bytes(32)))
            voter.classify(50)
        plain, last = seen
        assert torch.equal(plain, last)
        assert plain.is_contiguous()
        assert last.is_contiguous(memory_format=torch.channels_last)
        assert not last.is_contiguous()

    @pytest.mark.parametrize("options", WAYS, ids=str)
    def test_the_module_is_left_alone(self, options):
        needs(options)
        module = conv().train()
        before = {k: v.clone() for k, v in module.state_dict().items()}
        strides = [p.stride() for p in module.parameters()]
        votes(ModuleClassifier(module), IMAGES, net_options=options)
        assert [p.stride() for p in module.parameters()] == strides
        assert module.training
        for name, value in module.state_dict().items():
            assert torch.equal(value, before[name])

    def test_compile(self, monkeypatch):
        """With a backend that needs no compiler, for a net with convolutions."""
        compile = torch.compile

        def compile_in_a_moment(module, dynamic):
            return compile(module, dynamic=dynamic, backend="eager")

        monkeypatch.setattr(torch, "compile", compile_in_a_moment)
        f = ModuleClassifier(conv())
        one = recognised(f, {"mode": "compile", "channels_last": True})
        assert type(one.voter.net.module).__name__ == "OptimizedModule"
        got = votes(f, IMAGES, net_options=one.settled, batch_size=700)
        np.testing.assert_array_equal(got, votes(f, IMAGES))

    @pytest.mark.skipif(which("g++") is None, reason="no C++ compiler")
    def test_compile_by_a_compiler(self):
        """A small net: even so it takes some twenty seconds."""
        import torch._inductor.config as inductor

        f = ModuleClassifier(MLP().eval())
        options = {"mode": "compile", "push_forward": False}
        with inductor.patch(compile_threads=1):
            got = votes(f, X, net_options=options, batch_size=700)
        expected = votes(f, X, net_options={"push_forward": False})
        np.testing.assert_array_equal(got, expected)


def test_onnxruntime_where_it_is_not_installed(monkeypatch):
    monkeypatch.setattr(_net_engines, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'sksmooth\[onnx\]'"):
        votes(ModuleClassifier(conv()), IMAGES, net_options={"mode": "onnxruntime"})


class TestErrors:
    @pytest.mark.parametrize("mode", ["eager", "frozen"])
    def test_wrong_channel_order_is_not_the_fault_of_the_mode(self, mode):
        f = ModuleClassifier(torch.nn.Conv2d(3, 8, 3), classes=CLASSES)
        message = "failed on a batch.*channels last.*transpose"
        with pytest.raises(RuntimeError, match=message):
            votes(f, np.zeros((2, 8, 8, 3)), net_options={"mode": mode})

    @pytest.mark.parametrize("options", WAYS, ids=str)
    def test_what_cannot_be_run_so(self, options):
        needs(options)

        class Odd(torch.nn.Module):
            def forward(self, x):
                if x.is_contiguous() and not torch.jit.is_tracing():
                    return x[:, :, 0, 0].repeat(1, 2)[:, :3]
                raise KeyError("not so")

        f = ModuleClassifier(Odd(), classes=CLASSES)
        with pytest.raises(ValueError, match="cannot be used in mode .*not so"):
            votes(f, IMAGES, net_options=options)

    def test_no_compiler(self, monkeypatch):
        def no_compiler(module, dynamic):
            def fail(batch):
                raise RuntimeError("InvalidCxxCompiler: no working compiler\nat all")

            return fail

        monkeypatch.setattr(torch, "compile", no_compiler)
        message = r"mode 'compile': .*no working compiler \(torch.compile needs a C"
        with pytest.raises(ValueError, match=message):
            votes(ModuleClassifier(conv()), IMAGES, net_options={"mode": "compile"})

    def test_a_module_that_cannot_be_copied(self):
        module = conv()
        module.extra = module[0].weight * 2  # a tensor with a history
        with pytest.raises(ValueError, match="cannot be copied"):
            votes(ModuleClassifier(module), IMAGES, net_options={"mode": "frozen"})


class TestOnce:
    def test_certify_freezes_once_for_both_draws(self, monkeypatch):
        frozen = []

        def freeze(module, batch):
            frozen.append(len(batch))
            return _net_engines.freeze(module, batch)

        monkeypatch.setattr(_net_modes, "freeze", freeze)
        monkeypatch.setattr(_net_modes, "engines", Memory())
        options = {"mode": "frozen"}
        f = ModuleClassifier(conv())
        g = SmoothedClassifier(f, n=200, n0=20, random_state=0, net_options=options)
        certificate = g.certify(IMAGES)
        assert frozen == [2]  # on as few rows as will do
        plain = g.set_params(net_options=None).certify(IMAGES)
        np.testing.assert_array_equal(certificate.counts, plain.counts)
        assert not any(isinstance(v, torch.nn.Module) for v in vars(g).values())

    def test_workers_get_the_decision_and_not_the_graph(self):
        f, inputs = ModuleClassifier(conv()), Inputs.from_array(IMAGES, 0.3)
        options = {"mode": "frozen"}
        voting = Voting(f, f.classes_, inputs, entropy=0, net_options=options)
        frozen = voting.recognised.voter.net.module
        assert isinstance(frozen, torch.jit.ScriptModule)
        sent = pickle.loads(cloudpickle.dumps(voting))
        assert "recognised" not in vars(sent)
        assert sent.net_options == voting.recognised.settled
        assert (sent.net_options.mode, sent.net_options.push_forward) == (
            "frozen",
            True,
        )
        assert isinstance(sent.estimator.module, torch.nn.Sequential)

    @pytest.mark.parametrize("module", [conv, lambda: MLP(128, 3).eval()])
    @pytest.mark.parametrize("push", [False, True])
    def test_memory_does_not_depend_on_the_number_of_votes(
        self, monkeypatch, module, push
    ):
        X = IMAGES[:1] if module is conv else IMAGES[:1].reshape(1, -1)
        module, empty, sizes = module(), torch.empty, []

        def recorded(*size, **settings):
            sizes[-1].append(size)
            return empty(*size, **settings)

        monkeypatch.setattr(torch, "empty", recorded)
        options = {"push_forward": push}
        for n in (20_000, 40_000):
            sizes.append([])
            votes(ModuleClassifier(module), X, n, net_options=options)
        assert sizes[0] == sizes[1]
        rows = max(size[0][0] for size in sizes[0])
        assert rows * X[0].size * X.itemsize <= 2**24


class TestLabels:
    """Labels that are names, trained and predicted on either way to take votes."""

    @pytest.mark.parametrize("step", [StandardScaler(), Normalizer()], ids=str)
    @pytest.mark.parametrize("given", [False, True])
    @pytest.mark.filterwarnings("ignore:sigma is small for the units of X")
    def test_names(self, step, given):
        X, y = load_iris(return_X_y=True)
        names = np.array(["setosa", "versicolor", "virginica"])
        order = names[[2, 0, 1]] if given else names
        net = classifier(max_epochs=40, classes=order.tolist() if given else None)
        g = SmoothedClassifier(make_pipeline(step, net), sigma=1e-4, n=200)
        g.fit(X, names[y])
        assert g.classes_.tolist() == order.tolist()
        expected = order[g.estimator_.predict(X.astype(np.float32))]
        assert np.mean(g.predict(X) == expected) > 0.97
        assert np.mean(expected == names[y]) > 0.6
        with pytest.raises(ValueError, match="'tulip', which is not one of the class"):
            net.set_params(classes=order.tolist())
            g.fit(X, np.where(y == 1, "tulip", names[y]))

    @pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"]])
    def test_two_classes_and_one_output(self, labels):
        X, y = load_iris(return_X_y=True)
        X, y = X[:100].astype(np.float32), np.array(labels)[y[:100]]
        net = binary_classifier(torch.nn.Linear(4, 1), max_epochs=30, lr=0.1)
        g = SmoothedClassifier(net, sigma=0.1, n=200, random_state=0).fit(X, y)
        assert g.classes_.tolist() == labels
        assert g.score(X[::5], y[::5]) > 0.9

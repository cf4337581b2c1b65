"""Votes counted on a net's device are the votes of predict, in distribution."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from sksmooth.models._unwrap import unwrap  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._frame_rows import FrameInputs  # noqa: E402
from sksmooth.votes._recognise import Recognised  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from sksmooth.votes.voters._net import TorchVoter  # noqa: E402
from sksmooth.votes.voters._predict import AnyVoter  # noqa: E402
from tests.helpers import count_votes, make_voter  # noqa: E402
from tests.nets import (  # noqa: E402
    MLP,
    Answers,
    binary_classifier,
    classifier,
    halfspace_module,
)
from tests.votes.test_linear import chi_square_p_value  # noqa: E402

X, y = load_iris(return_X_y=True)
X = X.astype(np.float32)
CLASSES = np.arange(3)
KEY = {"entropy": 3, "purpose": "estimate"}


def fitted(estimator, X=X, y=y):
    torch.manual_seed(0)
    return estimator.fit(X, y)


@pytest.fixture(scope="module")
def net():
    return fitted(classifier())


def votes(estimator, X=X, n=137, sigma=0.3, classes=CLASSES, **settings):
    inputs = X if isinstance(X, Inputs) else Inputs.from_array(X, sigma)
    return count_votes(estimator, classes, inputs, n, **{**KEY, **settings}).counts


def recognise_nothing(estimator, classes, inputs, *_):
    voter = AnyVoter(estimator, classes, inputs.values.dtype)
    return Recognised(estimator, unwrap(estimator), voter)


def votes_by_predict(estimator, inputs, n, classes=CLASSES, entropy=4):
    """The same by the voter for any classifier, with other noise by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sksmooth.votes._voting.recognise", recognise_nothing)
        return votes(estimator, inputs, n, classes=classes, entropy=entropy)


def voter_of(estimator, X=X, sigma=0.3):
    return make_voter(estimator, CLASSES, Inputs.from_array(X, sigma))


class TestDistribution:
    @pytest.mark.parametrize("sigma", [0.5, [0.5, 0.2, 0.0, 1.0]], ids=str)
    def test_a_skorch_net(self, net, sigma):
        sigma = 3 * np.array(sigma)
        inputs = Inputs.from_array(X, sigma)
        assert isinstance(make_voter(net, CLASSES, inputs), TorchVoter)
        a = votes_by_predict(net, inputs, 1000)
        b = votes(net, inputs, 1000)
        assert chi_square_p_value(a, b) > 1e-3

    def test_the_comparison_would_see_a_wrong_sigma(self, net):
        a = votes_by_predict(net, Inputs.from_array(X, 0.5), 5000)
        b = votes(net, X, 5000, sigma=0.53)
        assert chi_square_p_value(a, b) < 1e-6

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda f: f,
            FrozenEstimator,
            lambda f: make_pipeline("passthrough", FrozenEstimator(f)),
        ],
    )
    def test_shares_of_a_linear_module_are_the_exact_probabilities(self, wrap):
        weights, offset, sigma, n = [3.0, -4.0, 0.0], 0.5, 0.3, 5_000
        f = wrap(ModuleClassifier(halfspace_module(weights, offset)))
        X = np.random.default_rng(0).normal(size=(150, 3))
        counts = votes(f, X, n, sigma, classes=np.arange(2))
        p = stats.norm.cdf((X @ weights + offset) / (sigma * 5))
        inside = (p > 0.001) & (p < 0.999)
        p = p[inside]
        z = (counts[inside, 1] - n * p) / np.sqrt(n * p * (1 - p))
        assert stats.kstest(z, "norm").pvalue > 1e-3
        assert abs(z).max() < 4.5

    @pytest.mark.parametrize(
        "steps",
        [
            [StandardScaler()],
            [MinMaxScaler((-1, 3)), StandardScaler(with_mean=False)],
            [SelectKBest(k=4), "passthrough", StandardScaler()],
        ],
        ids=str,
    )
    @pytest.mark.parametrize("container", ["array", "frame"])
    def test_behind_scalers(self, steps, container):
        f = make_pipeline(*steps, classifier())
        sigma = [0.4, 0.2, 0.0, 0.8]
        if container == "frame":
            frame = pd.DataFrame(X, columns=list("abcd"))
            f = fitted(f, frame)
            inputs = FrameInputs.from_frame(frame, sigma)
        else:
            f = fitted(f)
            inputs = Inputs.from_array(X, sigma)
        assert isinstance(make_voter(f, CLASSES, inputs), TorchVoter)
        a = votes_by_predict(f, inputs, 1000)
        b = votes(f, inputs, 1000)
        assert chi_square_p_value(a, b) > 1e-3

    def test_large_offsets_before_a_scaler_do_not_drown_the_noise(self):
        """As float32, inputs around 1e8 would have no room for noise of 1."""
        far = X.astype(float) + 1e8
        f = make_pipeline(StandardScaler(), ModuleClassifier(MLP().eval()))
        f[0].fit(far)
        near = make_pipeline(StandardScaler(), f[1])
        near[0].fit(X.astype(float))
        a, b = votes(f, far, 2000), votes(near, X.astype(float), 2000)
        assert chi_square_p_value(a, b) > 1e-3

    def test_steps_that_are_not_affine_go_through_predict(self, capsys):
        f = fitted(make_pipeline(Normalizer(), classifier()))
        assert isinstance(voter_of(f), AnyVoter)
        votes(f, verbose=1)
        said = capsys.readouterr().err
        assert "through predict, which is slower: Normalizer is not affine" in said
        votes(f)
        assert capsys.readouterr().err == ""
        # float64, which the net would not take
        np.testing.assert_array_equal(votes(f, X.astype(float)).sum(axis=1), 137)


class TestSameVotes:
    def test_however_they_are_drawn(self, net):
        expected = votes(net)
        assert np.all(expected.sum(axis=1) == 137)
        for batch_size in (7, 137, 10_000):
            got = votes(net, batch_size=batch_size)
            np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(votes(net, n_jobs=2), expected)
        with joblib.parallel_config(backend="threading"):
            np.testing.assert_array_equal(votes(net, n_jobs=2), expected)
        few = votes(net, X[:5], batch_size=1)
        np.testing.assert_array_equal(few, expected[:5])
        order = np.random.default_rng(0).permutation(len(X))
        np.testing.assert_array_equal(votes(net, X[order]), expected[order])
        np.testing.assert_array_equal(votes(net, X[17:18]), expected[17:18])
        assert not np.array_equal(votes(net, entropy=4), expected)
        assert not np.array_equal(votes(net, purpose="select"), expected)

    def test_in_another_process(self):
        code = (
            "import numpy as np, torch\n"
            "from tests.votes.test_torch import X, votes, ModuleClassifier\n"
            "from tests.nets import halfspace_module\n"
            "f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0))\n"
            "print(votes(f, X[::9], classes=np.arange(2)).ravel().tolist())"
        )
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0))
        expected = votes(f, X[::9], classes=np.arange(2)).ravel().tolist()
        assert len(set(expected)) > 5
        assert run.stdout.strip() == str(expected)

    def test_nets_of_a_script_reach_the_workers(self, tmp_path):
        """skorch itself cannot pickle a module that is defined in __main__."""
        script = tmp_path / "script.py"
        script.write_text(
            "import numpy as np, torch\n"
            "from skorch import NeuralNetClassifier\n"
            "from sksmooth import SmoothedClassifier\n"
            "class Mine(torch.nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        self.weight = torch.nn.Parameter(torch.tensor([-1.0, 1.0]))\n"
            "    def forward(self, x):\n"
            "        return x * self.weight\n"
            "if __name__ == '__main__':\n"
            "    net = NeuralNetClassifier(Mine, classes=[0, 1]).initialize()\n"
            "    g = SmoothedClassifier(net, n=100, n_jobs=2)\n"
            "    print(g.predict(np.array([[-1.0], [1.0]])))\n"
        )
        run = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True
        )
        assert run.stdout.strip() == "[0 1]", run.stderr

    def test_out_of_memory_halves_the_batch(self):
        linear = halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0)

        def forward(x):
            if len(x) > 20:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to")
            return linear(x)

        module = Answers(forward)
        classes = np.arange(2)
        whole = {"net_options": {"push_forward": False}}
        expected = votes(ModuleClassifier(linear), classes=classes, **whole)
        got = votes(ModuleClassifier(module, classes=[0, 1]), classes=classes)
        np.testing.assert_array_equal(got, expected)
        assert sum(size > 20 for size in module.sizes) < 20  # halved once, for all
        module.function = lambda x: forward(torch.cat([x] * 21))
        with pytest.raises(RuntimeError, match="out of memory"):
            votes(ModuleClassifier(module, classes=[0, 1]), classes=classes)

    def test_memory_for_the_batch_itself(self, net, monkeypatch):
        expected = votes(net)
        empty = torch.empty

        def short_of_memory(size, *args, **kwargs):
            if isinstance(size, tuple) and size[0] > 100:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return empty(size, *args, **kwargs)

        monkeypatch.setattr(torch, "empty", short_of_memory)
        np.testing.assert_array_equal(votes(net), expected)

    def test_copies_that_the_module_has_changed_are_not_tried_again(self, monkeypatch):
        def in_place(x):
            if len(module.sizes) > 1:  # the first batch is kept, to see what is done
                x.sub_(1)
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
            return x[:, :3]

        module = Answers(in_place)
        f = ModuleClassifier(module, classes=CLASSES)
        with pytest.raises(RuntimeError, match="failed on a batch of 50 noisy copies"):
            votes(f, X[:1], batch_size=50)
        assert module.sizes == [50, 50]


class TestParts:
    """Images go through a net in parts of a batch, and are counted together."""

    def test_parts_are_equal_and_their_answers_kept(self):
        buffer, sizes = torch.zeros(96, 3), []

        class OneBuffer(torch.nn.Conv2d):
            def forward(self, x):
                sizes.append(len(x))
                out = buffer[: len(x)]
                out.copy_(super().forward(x).amax(dim=(2, 3)))
                return out

            def __deepcopy__(self, memo):
                return self

        torch.manual_seed(0)
        module = OneBuffer(1, 3, 2)
        images = np.random.default_rng(0).normal(size=(5, 1, 4, 4)).astype("f4")
        f = ModuleClassifier(module.eval(), classes=CLASSES)
        expected = votes(f, images, n=100, batch_size=50)
        assert set(sizes) == {50}
        sizes.clear()
        np.testing.assert_array_equal(votes(f, images, n=100, batch_size=250), expected)
        assert sizes == [84, 83, 83] * 2


class TestWhatSkorchDoes:
    """Outputs are read as skorch's predict reads them."""

    def same_as_predict(self, net, n_outputs=2, X=X):
        net.initialize()
        inputs = Inputs.from_array(X, 0.5)
        assert isinstance(voter_of(net, X), TorchVoter)
        classes = np.arange(n_outputs)
        a = votes_by_predict(net, inputs, 500, classes, KEY["entropy"])
        b = votes(net, inputs, 500, classes=classes)
        # The noise is the same; scores equal up to rounding may turn a vote.
        assert np.abs(a - b).sum() <= (4 if list(net.module_.parameters()) else 0)

    @pytest.mark.parametrize("reshape", [lambda s: s, lambda s: s[:, None]])
    @pytest.mark.parametrize("threshold", [0.5, 0.8])
    def test_one_logit(self, reshape, threshold):
        module = Answers(lambda x: reshape(x[:, 0] - x[:, 2]))
        self.same_as_predict(binary_classifier(module, threshold=threshold))

    def test_a_tuple(self):
        module = Answers(lambda x: (x[:, :3], None))
        net = classifier(module, classes=[0, 1, 2])
        net.initialize()
        a = votes(net, X, 500, sigma=1.0)
        module.function = lambda x: x[:, :3]
        np.testing.assert_array_equal(votes(net, X, 500, sigma=1.0), a)

    @pytest.mark.parametrize("nonlinearity", ["auto", None, torch.neg])
    def test_a_nonlinearity(self, nonlinearity):
        net = classifier(
            Answers(lambda x: torch.stack([x[:, 0], x[:, 1] + 2.6], 1)),
            predict_nonlinearity=nonlinearity,
            classes=[0, 1],
        )
        self.same_as_predict(net)

    def test_errors_of_a_module_are_explained(self):
        def ends(x):
            return next(iter([]))  # as of a module without parameters

        f = ModuleClassifier(Answers(ends), classes=CLASSES)
        with pytest.raises(RuntimeError, match="failed on a batch of 137 noisy copies"):
            votes(f, X[:1])

    def test_a_module_with_another_number_of_rows(self):
        f = ModuleClassifier(Answers(lambda x: x[:5, :3]), classes=CLASSES)
        with pytest.raises(ValueError, match=r"shape \(5, 3\) for 137 inputs; one row"):
            votes(f, X[:1])

    def test_ties_go_to_the_first_class(self):
        f = ModuleClassifier(Answers(lambda x: torch.ones(len(x), 3)), classes=CLASSES)
        assert votes(f, X[:1]).tolist() == [[137, 0, 0]]

    @pytest.mark.parametrize("kind", ["skorch", "logits"])
    def test_scores_that_softmax_makes_equal(self, kind):
        """Softmax is left out only where it cannot change the winner."""
        low, inf = np.float32(0.1), np.inf
        high = np.nextafter(low, low + 1)
        table = [[low, high, 0], [high, low, 0], [0, 9, 9.000001]]
        table += [[0, 1, 1 + 5e-6], [0, 1, 1 + 2e-5], [-inf, 0, 1], [2, 2, 2]]
        table = torch.tensor(table, dtype=torch.float32)
        equal = table.softmax(1)[:, :2].diff(dim=1) == 0
        assert equal[0]  # else this would show nothing
        for scores in table:
            module = Answers(lambda x, s=scores: s.expand(len(x), 3))
            if kind == "logits":
                f = ModuleClassifier(module, classes=CLASSES)
            else:
                f = classifier(module, classes=[0, 1, 2]).initialize()
            winner = f.predict(X[:1])[0]
            assert votes(f, X[:1])[0, winner] == 137
        assert f.predict(X[:1]) == 0

    def test_a_row_that_is_not_clear_among_others(self):
        """Large logits, to which a lead of 1e-5 is nothing, do not make up for it."""
        low = np.float32(0.1)
        near = [low, np.nextafter(low, low + 1), 0]
        table = torch.tensor([near, [1e3, 0, 0], near, [0, 1e7, 0]])

        def answers(x):
            return table[torch.arange(len(x)) % 4]

        f = ModuleClassifier(Answers(answers), classes=CLASSES)
        expected = np.bincount(f.predict(np.tile(X[:1], (4, 1))), minlength=3)
        got = votes(f, X[:1], n=400, batch_size=4)
        np.testing.assert_array_equal(got[0], 100 * expected)

    @pytest.mark.parametrize("scores", [[np.inf, 0, 1], [np.nan, 0, 1], [-np.inf] * 3])
    def test_scores_without_a_softmax(self, scores):
        row = torch.tensor(scores)
        module = Answers(lambda x: row.expand(len(x), 3))
        f = ModuleClassifier(module, classes=CLASSES)
        with pytest.raises(
            ValueError, match="returned NaN for noisy copies of input 0"
        ):
            votes(f, X[:1])

    def test_more_than_one_dimension(self):
        images = np.random.default_rng(0).normal(size=(200, 2, 5, 7)).astype("f4")
        conv = torch.nn.Sequential(
            torch.nn.Conv2d(2, 3, 3),
            torch.nn.BatchNorm2d(3),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
        )
        self.same_as_predict(classifier(conv, classes=[0, 1, 2]), 3, images)

    def test_what_is_overridden_is_respected(self, net):
        class OwnPredict(type(net)):
            def predict(self, X):
                return np.zeros(len(X), int)

        class OwnInfer(type(net)):
            def infer(self, x, **params):
                return super().infer(-x, **params)

        own = fitted(OwnPredict(MLP, verbose=0, train_split=None, max_epochs=1))
        assert isinstance(voter_of(own), AnyVoter)
        assert votes(own)[:, 0].tolist() == [137] * len(X)
        own = OwnInfer(MLP, classes=[0, 1, 2]).initialize()
        own.module_ = net.module_
        assert isinstance(voter_of(own), TorchVoter)
        np.testing.assert_allclose(
            votes(own, -X, 4000) / 4000, votes(net, X, 4000) / 4000, atol=0.06
        )

    def test_a_dataset_with_a_transform_is_respected(self, net):
        import skorch.dataset

        class Scaled(skorch.dataset.Dataset):
            def transform(self, X, y):
                return super().transform(X / 10, y)

        own = classifier(dataset=Scaled)
        assert isinstance(voter_of(fitted(own)), AnyVoter)


class TestTheModuleIsLeftAlone:
    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("copies", [False, True])
    def test_modes_of_all_parts(self, fails, copies):
        class Part(torch.nn.Dropout):
            def forward(self, x):
                assert not self.training
                if fails:
                    raise KeyError("no such tensor")
                return x

        module = torch.nn.Sequential(
            Part(), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3)
        )
        module[1].eval()
        if not copies:  # a tensor with a history cannot be copied
            module.extra = module[2].weight * 2
        before = {k: v.clone() for k, v in module.state_dict().items()}
        modes = [part.training for part in module.modules()]
        f = ModuleClassifier(module)
        if fails:
            with pytest.raises(RuntimeError, match="no such tensor"):
                votes(f)
        else:
            votes(f)
        assert [part.training for part in module.modules()] == modes
        for name, value in module.state_dict().items():
            assert torch.equal(value, before[name])
        assert all(p.requires_grad and p.grad is None for p in module.parameters())

    def test_dropout_is_off(self):
        module = torch.nn.Sequential(torch.nn.Dropout(0.99), halfspace_module([1.0]))
        f = ModuleClassifier(module.train())
        counts = votes(f, np.ones((5, 1)), sigma=0.1, classes=np.arange(2))
        assert np.all(counts[:, 1] == 137)

    def test_weights_are_not_copied(self, net):
        mine = list(net.module_.parameters())
        theirs = list(voter_of(net).net.module.parameters())
        assert [p.data_ptr() for p in theirs] == [p.data_ptr() for p in mine]

    @pytest.mark.parametrize("direct", [True, False])
    def test_noise_for_validation_is_not_added_to_the_votes(self, net, direct):
        noisy = classifier(module__sigma=30.0, module__in_eval=True, classes=CLASSES)
        noisy.initialize()
        noisy.module_.load_state_dict(net.module_.state_dict())
        assert not np.array_equal(noisy.predict(X), net.predict(X))
        if not direct:
            noisy = make_pipeline(Normalizer().fit(X), noisy)
            net = make_pipeline(noisy[0], net)
        np.testing.assert_array_equal(votes(noisy), votes(net))


class TestPrecision:
    def test_float64_inputs_to_a_float32_net(self, net):
        expected = votes(net)
        got = votes(net, X.astype(float))  # other bytes, other noise
        assert not np.array_equal(got, expected)
        np.testing.assert_allclose(got, expected, atol=5 * np.sqrt(137 / 2))
        assert voter_of(net, X.astype(float)).dtype == torch.float32

    def test_a_float64_module(self):
        module = halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0).double()
        f = ModuleClassifier(module)
        assert voter_of(f).dtype == torch.float64
        assert votes(f, classes=np.arange(2)).sum() == 137 * len(X)

    def test_a_bfloat16_module(self):
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0).bfloat16())
        whole = {"net_options": {"push_forward": False}}
        a = votes(f, n=500, classes=np.arange(2))
        f = ModuleClassifier(halfspace_module([1.0, -1.0, 0.5, 0.0], -2.0))
        b = votes(f, n=500, classes=np.arange(2), **whole)
        np.testing.assert_allclose(a / 500, b / 500, atol=0.05)


class TestOptions:
    def conv(self):
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3),
            torch.nn.BatchNorm2d(8),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(72, 3),
        )

    def test_modes(self, capsys):
        images = np.random.default_rng(0).normal(size=(60, 1, 8, 8)).astype("f4")
        f = ModuleClassifier(self.conv())
        expected = votes(f, images)
        for mode in ("eager", "frozen", "auto"):
            options = {"mode": mode}
            got = votes(f, images, net_options=options, verbose=mode == "auto")
            np.testing.assert_array_equal(got, expected)
        assert "mode 'auto' is 'eager'" in capsys.readouterr().err

    def test_a_graph_that_freezing_would_change(self):
        """Tracing keeps one side of a branch, of batches larger than the few compared.

        ``test_net_choice`` has what "auto" does.
        """

        class Branches(torch.nn.Module):
            def forward(self, x):
                return x[:, :3] if len(x) > 200 else -x[:, :3]

        f = ModuleClassifier(Branches(), classes=CLASSES)
        with pytest.raises(ValueError, match="answers differently in mode 'frozen'"):
            votes(f, net_options={"mode": "frozen"})

    def test_bfloat16(self, net):
        got = votes(net, n=500, net_options={"dtype": "bfloat16"})
        np.testing.assert_allclose(got / 500, votes(net, n=500) / 500, atol=0.05)
        seen = []
        module = Answers(lambda x: seen.append(linear(x).dtype) or linear(x))
        linear = torch.nn.Linear(4, 3)
        f = ModuleClassifier(module, classes=CLASSES)
        votes(f, net_options={"dtype": "bfloat16"})
        assert set(seen) == {torch.bfloat16}

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"modes": "eager"}, "net_options has no 'modes'"),
            ({"mode": "fast"}, "must be one of .*got 'fast'"),
            ({"dtype": "int8"}, "must be one of .*got 'int8'"),
            ({"mode": "frozen", "dtype": "bfloat16"}, "keeps the net's dtype"),
            ({"mode": "frozen", "channels_last": True}, "its own memory format"),
            ({"mode": "auto", "channels_last": True}, "leave channels_last out"),
            ({"channels_last": True}, r"for images .* shape \(4,\)"),
            ({"push_forward": "yes"}, "must be one of .*got 'yes'"),
        ],
    )
    def test_bad_options(self, net, options, message):
        with pytest.raises(ValueError, match=message):
            votes(net, net_options=options)

    def test_options_for_what_is_no_net(self):
        from tests.helpers import sign_rule

        with pytest.raises(ValueError, match="Fixed does not end in a neural net"):
            votes(sign_rule([1, 2, 3, 4]), net_options={"mode": "auto"})


class TestBadInput:
    def test_nan_names_the_first_input(self, net):
        def forward(x):
            scores = x[:, :3].clone()
            scores[x[:, 0] > 50] = torch.nan
            return scores

        f = ModuleClassifier(Answers(forward), classes=CLASSES)
        far = X.copy()
        far[[77, 130]] += 100
        for settings in ({}, {"batch_size": 10}):
            with pytest.raises(ValueError, match=r"NaN for noisy copies of input 77 "):
                votes(f, far, **settings)
        # With workers it may not be the first of all, and then it says so.
        alone = r"of input 77 \(counted from 0\)"
        among = r"input (77|130) \(counted from 0; the first among inputs \d+ to \d+\)"
        with pytest.raises(ValueError, match=f"{alone}|{among}"):
            votes(f, far, n_jobs=2)
        part = Inputs.from_array(far, 0.3).take(np.array([5, 130, 140]))
        with pytest.raises(ValueError, match="of input 130 "):
            votes(f, part)

    def test_number_of_outputs(self, net):
        message = r"shape \(.*, 3\) for .* inputs, but it has 2 classes: \[0, 1\]"
        with pytest.raises(ValueError, match=message):
            votes(net, classes=np.arange(2))

    def test_no_tensor(self):
        f = ModuleClassifier(Answers(lambda x: {"logits": x}), classes=CLASSES)
        with pytest.raises(ValueError, match="returned a dict; a tensor"):
            votes(f)

    def test_channels_last(self):
        f = ModuleClassifier(torch.nn.Conv2d(3, 8, 3), classes=CLASSES)
        with pytest.raises(RuntimeError, match="channels last.*transpose"):
            votes(f, np.zeros((2, 8, 8, 3)))

    def test_wrong_shape(self, net):
        message = r"failed on a batch of .* of shape \(.*, 5\), torch.float32 on cpu"
        with pytest.raises(RuntimeError, match=message) as info:
            votes(net, np.zeros((2, 5)))
        assert info.value.__cause__ is not None

    def test_a_net_whose_module_was_moved_by_hand(self, net):
        moved = fitted(classifier(max_epochs=1))
        moved.module_.to("meta")
        with pytest.raises(ValueError, match="but its weights are on .meta"):
            votes(moved)

    def test_overflow(self, net):
        with pytest.raises(ValueError, match="overflows float32"):
            votes(net, np.full((2, 4), 1e39))

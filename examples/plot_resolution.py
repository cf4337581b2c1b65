"""
More pixels can bear more noise
===============================

A certified radius is a few sigma, whatever the number of pixels. Is the same
radius worth less for a large image, then? No: the same picture in more pixels
can bear more noise, so sigma can grow with the resolution (Cohen, Rosenfeld and
Kolter 2019, figure 4 and appendix G).
"""

# %%
# One photograph, two resolutions
# -------------------------------
# A flower from scikit-learn's sample images, cut to a square. The small image
# is the mean of each 4 x 4 pixels of the large one. Pixels are from 0 to 1.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from sksmooth import NoisyInputsDisplay


def average(image, k):
    """Return the image with each k x k pixels replaced by their mean."""
    height, width = image.shape[0] // k, image.shape[1] // k
    return image.reshape(height, k, width, k, 3).mean(axis=(1, 3))


photograph = load_sample_image("flower.jpg") / 255
large = photograph[60:284, 190:414]
small = average(large, 4)
print(f"large: {large.shape[:2]} pixels, small: {small.shape[:2]} pixels")

# %%
# What noise leaves
# -----------------
# Averaging k x k noisy pixels divides the noise by k. So at four times the
# resolution the same content survives four times the noise.
sigma = 0.5
noise = np.random.default_rng(0).normal(0, sigma, large.shape)
print(f"noise on the large image:  sigma = {noise.std():.3f}")
print(f"after averaging 4 x 4:     sigma = {average(noise, 4).std():.3f}")

# %%
# The distance between two pictures grows by the same factor, so the larger
# radius is worth as much as the small one: relative to how far the picture is
# from a plain grey one, say.
for name, image in {"small": small, "large": large}.items():
    distance = np.linalg.norm(image - image.mean())
    print(f"l2 distance of the {name} image from grey: {distance:6.1f}")

# %%
# Plot
# ----
fig, axes = plt.subplots(2, 3, figsize=(8.5, 6.2), layout="constrained")
for row, image in zip(axes, [small, large], strict=True):
    NoisyInputsDisplay.from_image(
        image, sigma=[0, sigma / 4, sigma], random_state=0, ax=row
    )
    row[0].set_ylabel(f"{len(image)} x {len(image)} pixels")
plt.show()

# %%
# On the right, both have noise of sigma = 0.5, as in the paper's figure: the
# small image has lost the flower, the large one has not. The large image bears that
# noise about as well as the small image bears a quarter of it (top, middle). A
# classifier that averages 4 x 4 pixels first can therefore be smoothed with
# four times the sigma for the same votes, and so with four times the radius.

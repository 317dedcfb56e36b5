# Training and test images of MNIST as tensors: x float32 [n, 784], normalized, and y int64 [n].
import os
import numpy as np
import torch


def read(folder, prefix):
    images = np.fromfile(os.path.join(folder, prefix + "-images-idx3-ubyte"), dtype=np.uint8)[16:].reshape(-1, 784)
    labels = np.fromfile(os.path.join(folder, prefix + "-labels-idx1-ubyte"), dtype=np.uint8)[8:]
    x = (torch.from_numpy(images).float() / 255 - 0.1307) / 0.3081
    return x, torch.from_numpy(labels.astype(np.int64))

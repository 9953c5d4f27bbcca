#!/usr/bin/python3
"""Trains a small network in floating point on Fashion-MNIST and exports it as ONNX: what `cimstat import` is for.

    export_fashion.py [FILE.onnx] [EPOCHS]      (Debian's python3-torch; about a minute an epoch)
"""
import gzip
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
MEAN, DEVIATION = 0.286, 0.353


def images(part):
    with gzip.open(FOLDER / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(FOLDER / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = numpy.frombuffer(file.read(), numpy.uint8, offset=8)
    scaled = (torch.from_numpy(pixels.astype("f4")) / 255 - MEAN) / DEVIATION
    return scaled, torch.from_numpy(labels.astype("i8"))


class Block(nn.Module):
    """A residual block: its sum has a branch with a sign."""
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_first = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm_second = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = functional.relu(self.norm_first(self.first(x)))
        return functional.relu(self.norm_second(self.second(y)) + x)


def network():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        Block(12), nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(24),
        nn.ReLU(), Block(24), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10))


def main():
    file = sys.argv[1] if len(sys.argv) > 1 else "fashion_residual.onnx"
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    torch.manual_seed(1)
    x, labels = images("train")
    model = network()
    steps = epochs * (len(x) // 128)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.2, steps)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(128)[:len(x) // 128]:
            loss = functional.cross_entropy(model(x[batch]), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}", flush=True)
    model.eval()
    test, answers = images("t10k")
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in test.split(1000)]) == answers
    print(f"right: {right.float().mean().item():.4f} of {len(test)} test images")
    torch.onnx.export(model, test[:1], file, opset_version=13, input_names=["image"],
                      output_names=["scores"], dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}})


if __name__ == "__main__":
    main()

"""Trains a network of binary weights and signs for Fashion-MNIST and writes it as a network file.

    python3 train_binary.py FILE.h5 [EPOCHS]

Three fully connected layers whose weights and inputs are -1 and +1, the image (a pixel from 128 on is +1) and the
last layer among them, with BatchNormalization and a sign behind the first two: every product of it can lie on
columns of accuracy.weights = "xnor". Gradients go straight through signs where values lie within +-1 (Courbariaux
et al., arXiv 1602.02830). Needs python3-numpy and python3-h5py, no more.
"""
import gzip
import sys

import h5py
import numpy

FOLDER = "/usr/share/datasets/fashion-mnist/"  # Debian's dataset-fashion-mnist
WIDTHS = [784, 512, 512, 10]
EPSILON = 1e-4


def read_set(name):
    with gzip.open(FOLDER + name + "-images-idx3-ubyte.gz") as file:
        pixels = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 784)
    with gzip.open(FOLDER + name + "-labels-idx1-ubyte.gz") as file:
        labels = numpy.frombuffer(file.read(), numpy.uint8, offset=8)
    return numpy.where(pixels >= 128, 1, -1).astype(numpy.float32), labels.astype(numpy.int64)


def signs(values):
    return numpy.where(values >= 0, 1, -1).astype(numpy.float32)


class Adam:
    def __init__(self, shape):
        self.mean = numpy.zeros(shape, numpy.float32)
        self.square = numpy.zeros(shape, numpy.float32)
        self.steps = 0

    def step(self, gradient, rate):
        self.steps += 1
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.001 * (gradient * gradient - self.square)
        mean = self.mean / (1 - 0.9**self.steps)
        square = self.square / (1 - 0.999**self.steps)
        return rate * mean / (numpy.sqrt(square) + 1e-8)


class Layer:
    """Binary weights, then BatchNormalization: a factor and a shift of each output."""

    def __init__(self, inputs, outputs, random):
        self.weight = random.uniform(-1, 1, (inputs, outputs)).astype(numpy.float32)
        self.factor = numpy.ones(outputs, numpy.float32)
        self.shift = numpy.zeros(outputs, numpy.float32)
        self.mean = numpy.zeros(outputs, numpy.float32)
        self.variance = numpy.full(outputs, float(inputs), numpy.float32)
        self.adams = [Adam(part.shape) for part in (self.weight, self.factor, self.shift)]

    def train(self, x):
        self.x = x
        self.binary = signs(self.weight)
        sums = x @ self.binary
        mean, variance = sums.mean(0), sums.var(0)
        self.mean += 0.1 * (mean - self.mean)
        self.variance += 0.1 * (variance - self.variance)
        self.deviation = numpy.sqrt(variance + EPSILON)
        self.normal = (sums - mean) / self.deviation
        return self.normal * self.factor + self.shift

    def learn(self, gradient, rate):
        """From the gradient of what it gave to that of its input."""
        of_factor = (gradient * self.normal).sum(0)
        of_shift = gradient.sum(0)
        count = len(gradient)
        inner = gradient * self.factor
        inner -= (inner.sum(0) + self.normal * (inner * self.normal).sum(0)) / count
        inner /= self.deviation
        of_weight = self.x.T @ inner
        back = inner @ self.binary.T
        self.weight = numpy.clip(self.weight - self.adams[0].step(of_weight, rate), -1, 1)
        self.factor -= self.adams[1].step(of_factor, rate)
        self.shift -= self.adams[2].step(of_shift, rate)
        return back

    def folded(self):
        """Factor and shift of the integer sums."""
        factor = self.factor / numpy.sqrt(self.variance + EPSILON)
        return factor.astype(float), (self.shift - self.mean * factor).astype(float)


def train(layers, images, labels, epochs, random):
    for epoch in range(epochs):
        rate = 2e-3 * 0.5 * (1 + numpy.cos(numpy.pi * epoch / epochs))
        order = random.permutation(len(images))
        for first in range(0, len(order) - 255, 256):
            some = order[first : first + 256]
            x, inner = images[some], []
            for layer in layers[:-1]:
                inner.append(layer.train(x))
                x = signs(inner[-1])
            scores = layers[-1].train(x)
            share = numpy.exp(scores - scores.max(1, keepdims=True))
            share /= share.sum(1, keepdims=True)
            share[numpy.arange(len(some)), labels[some]] -= 1
            gradient = layers[-1].learn(share / len(some), rate)
            for layer, value in zip(reversed(layers[:-1]), reversed(inner)):
                gradient = layer.learn(gradient * (numpy.abs(value) <= 1), rate)


def right(layers, images, labels):
    """In integers and folded scales, as the file says it."""
    x = images
    for layer in layers:
        factor, shift = layer.folded()
        values = (x @ signs(layer.weight)).astype(float) * factor + shift
        x = signs(values)
    return int((values.argmax(1) == labels).sum())


def write(path, layers):
    def text(value):
        return numpy.bytes_(value.encode())

    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update({"filetype": text("cimstat network"), "schema_version": [1, 4], "name": text("fashion-binary"),
                           "description": text("binary weights and signs, trained by train_binary.py"),
                           "input_shape": [1, 28, 28], "input_bits": 1, "classes": 10})
        plain = {"kernel": 1, "stride": 1, "padding": 0, "weight_bits": 0, "output_bits": 0}
        group = file.create_group("layers/000_flatten")
        group.attrs.update(plain | {"name": text("flatten"), "kind": text("flatten"), "inputs": text("input")})
        before = "flatten"
        for place, layer in enumerate(layers, 1):
            is_last = place == len(layers)
            name = f"binary{place}"
            factor, shift = layer.folded()
            group = file.create_group(f"layers/{place:03}_{name}")
            group.attrs.update(plain | {"name": text(name), "kind": text("fully_connected"), "inputs": text(before),
                                        "weight_bits": 1, "input_values": text("signs"),
                                        "output_bits": 0 if is_last else 1})
            # Level 1 from value + 1/2 = 1/2 on: where the sign is +1.
            arrays = {"weight": signs(layer.weight).T.astype("i1"), "scale": factor,
                      "bias": shift if is_last else shift + 0.5}
            for key, values in arrays.items():
                group.create_dataset(key, data=values, chunks=True, compression="gzip", fletcher32=True)
            before = name


def main():
    path = sys.argv[1]
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    random = numpy.random.default_rng(1)
    layers = [Layer(inputs, outputs, random) for inputs, outputs in zip(WIDTHS, WIDTHS[1:])]
    images, labels = read_set("train")
    train(layers, images, labels, epochs, random)
    images, labels = read_set("t10k")
    print(f"{right(layers, images, labels)} of {len(labels)} test images right")
    write(path, layers)


main()

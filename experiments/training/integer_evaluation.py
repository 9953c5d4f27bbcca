#!/usr/bin/python3
"""Runs an ONNX model of levels and integer weights in whole numbers, apart from cimstat's own code.

    integer_evaluation.py FILE.onnx TEST_BATCH.bin PREDICTIONS [IMAGES]    (python3-onnx, python3-numpy)

Writes one byte an image: its class. Convolutions and products are sums of int32; what is between them
(scales, biases, sums of branches, means) is in double; a value between two levels becomes the nearer one, the
upper one from the middle, as in cimstat's networks (ONNX takes the even one there).
"""
import sys

import numpy
import onnx
from onnx import numpy_helper


def windows(x, kernel, strides, pads):
    """[image][channel][row][column] as [image][row][column][channel, kernel row, kernel column]"""
    x = numpy.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    view = numpy.lib.stride_tricks.sliding_window_view(x, kernel, (2, 3))[:, :, ::strides[0], ::strides[1]]
    return view.transpose(0, 2, 3, 1, 4, 5)


class Evaluation:
    """Values are pairs: levels and their scale, or real numbers and None."""
    def __init__(self, file):
        graph = onnx.load(file).graph
        self.graph = graph
        self.constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}

    def run(self, image):
        values = {self.graph.input[0].name: (image, None)}
        values.update({name: (array, None) for name, array in self.constants.items()})
        for node in self.graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = getattr(self, node.op_type)(inputs, attributes)
        return values[self.graph.output[0].name][0]

    def QuantizeLinear(self, inputs, _):
        (x, _), (scale, _), (zero, _) = inputs
        assert zero.dtype == numpy.uint8 and zero == 0
        return numpy.clip(numpy.floor(x / numpy.float64(scale) + 0.5), 0, 255).astype("i4"), None

    def Clip(self, inputs, _):
        (x, _), (low, _), (high, _) = inputs
        return numpy.clip(x, int(low), int(high)), None

    def DequantizeLinear(self, inputs, _):
        (x, _), (scale, _), (zero, _) = inputs
        assert not numpy.any(zero)
        return x.astype("i4"), numpy.float64(scale)

    def Conv(self, inputs, attributes):
        (x, scale), (weight, factor), (bias, _) = inputs
        taken = windows(x, weight.shape[2:], attributes["strides"], attributes["pads"])
        shape = taken.shape[:3]
        sums = taken.reshape(numpy.prod(shape), -1).astype("f4") @ weight.reshape(len(weight), -1).T.astype("f4")
        assert abs(sums).max() < 2 ** 24  # so that float32 holds each partial sum exactly
        return (sums.astype("f8") * (scale * factor) + bias).reshape(*shape, -1).transpose(0, 3, 1, 2), None

    def Gemm(self, inputs, _):
        (x, scale), (weight, factor), (bias, _) = inputs
        return (x @ weight.T).astype("f8") * (scale * factor) + bias, None

    def Relu(self, inputs, _):
        return numpy.maximum(inputs[0][0], 0), None

    def Add(self, inputs, _):
        return inputs[0][0] + inputs[1][0], None

    def MaxPool(self, inputs, attributes):
        kernel = attributes["kernel_shape"]
        return windows(inputs[0][0], kernel, attributes["strides"], [0] * 4).max((4, 5)).transpose(0, 3, 1, 2), None

    def GlobalAveragePool(self, inputs, _):
        return inputs[0][0].mean((2, 3), keepdims=True), None

    def Flatten(self, inputs, _):
        x, scale = inputs[0]
        return x.reshape(len(x), -1), scale


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    records = numpy.fromfile(sys.argv[2], numpy.uint8).reshape(-1, 3073)
    records = records[:int(sys.argv[4])] if len(sys.argv) == 5 else records
    network = Evaluation(sys.argv[1])
    classes = []
    for part in numpy.array_split(records, -(-len(records) // 100)):
        classes.append(network.run(part[:, 1:].reshape(-1, 3, 32, 32) / 255.0).argmax(1))
    classes = numpy.concatenate(classes).astype("u1")
    classes.tofile(sys.argv[3])
    print(f"right: {(classes == records[:, 0]).sum()} of {len(records)}")


if __name__ == "__main__":
    main()

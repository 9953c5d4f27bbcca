#!/usr/bin/python3
"""Writes a network that train_cifar10.py trained as ONNX with the scales of its quantisers.

    export_cifar10.py CHECKPOINT FILE.onnx      (Debian's python3-torch and python3-onnx)

Opset 13, as Brevitas writes fewer than 8 bits: QuantizeLinear, Clip to 0 .. 15, DequantizeLinear. Weights
are int8 in -7 .. 7 behind a DequantizeLinear; batch normalisation is folded into their scales and into
real biases, where it would turn a scale around, the weights are negated.
"""
import sys

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from cifar10_networks import ACTIVATION_LEVELS, NETWORKS, WEIGHT_LEVELS, Vgg8


class Graph:
    def __init__(self):
        self.nodes = []
        self.constants = {}

    def constant(self, name, values, kind):
        self.constants[name] = numpy_helper.from_array(numpy.asarray(values, kind), name)
        return name

    def node(self, kind, name, inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [f"{name}_out"], name, **attributes))
        return f"{name}_out"

    def levels(self, name, x, step, highest):
        scale = self.constant(f"{name}_step", step, "f4")
        zero = self.constant("zero_level", 0, "u1")
        x = self.node("QuantizeLinear", f"{name}_quantise", [x, scale, zero])
        if highest < 255:
            highest = self.constant("highest_level", highest, "u1")
            x = self.node("Clip", f"{name}_clip", [x, zero, highest])
        return self.node("DequantizeLinear", f"{name}_levels", [x, scale, zero])

    def weight(self, name, layer, factor):
        """Levels behind DequantizeLinear; `factor` multiplies each output channel."""
        weight = layer.weight.detach().double()
        step = layer_step(layer).double()
        shape = [-1] + [1] * (weight.dim() - 1)
        level = (weight / step.reshape(shape)).clamp(-WEIGHT_LEVELS, WEIGHT_LEVELS).round()
        level *= torch.where(factor < 0, -1.0, 1.0).reshape(shape)
        scale = (step * factor.abs()).clamp_min(1e-30)
        return self.node("DequantizeLinear", f"{name}_weight", [
            self.constant(f"{name}_integers", level.numpy(), "i1"),
            self.constant(f"{name}_scale", scale.numpy(), "f4"),
            self.constant(f"{name}_zero", numpy.zeros(len(scale)), "i1")], axis=0)

    def convolution(self, name, module, x):
        norm = module.norm
        factor = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
        bias = norm.bias.detach().double() - norm.running_mean.double() * factor
        plain = module.convolution
        return self.node("Conv", name, [
            x, self.weight(name, plain, factor), self.constant(f"{name}_bias", bias.numpy(), "f4")],
            kernel_shape=plain.kernel_size, strides=plain.stride, pads=list(plain.padding) * 2)

    def linear(self, name, module, x):
        plain = module.linear
        ones = torch.ones(plain.out_features, dtype=torch.double)
        return self.node("Gemm", name, [
            x, self.weight(name, plain, ones),
            self.constant(f"{name}_bias", plain.bias.detach().numpy(), "f4")], transB=1)

    def relu_levels(self, name, module, x):
        return self.levels(name, x, module.step.abs().item(), ACTIVATION_LEVELS)


def layer_step(layer):
    return layer.quantiser.step.detach().abs().clamp_min(1e-8)


def resnet20(graph, model, x):
    x = graph.node("Relu", "first_relu", [graph.convolution("first", model.first, x)])
    for place, block in enumerate(model.blocks):
        name = f"block{place + 1}"
        level = graph.relu_levels(f"{name}_in", block.levels, x)
        y = graph.node("Relu", f"{name}_middle_relu", [graph.convolution(f"{name}_a", block.first, level)])
        y = graph.convolution(f"{name}_b", block.second, graph.relu_levels(f"{name}_middle", block.middle, y))
        skip = x if block.skip is None else graph.convolution(f"{name}_skip", block.skip, level)
        x = graph.node("Relu", f"{name}_relu", [graph.node("Add", f"{name}_sum", [y, skip])])
    x = graph.node("Flatten", "flatten", [graph.node("GlobalAveragePool", "mean", [x])])
    return graph.linear("classes", model.classes, graph.relu_levels("features", model.levels, x))


def vgg8(graph, model, x):
    for place, convolution in enumerate(model.convolutions):
        name = f"convolution{place + 1}"
        x = graph.node("Relu", f"{name}_relu", [graph.convolution(name, convolution, x)])
        if place % 2 == 1:
            x = graph.node("MaxPool", f"{name}_pool", [x], kernel_shape=[2, 2], strides=[2, 2])
        x = graph.relu_levels(name, model.levels[place], x)
    x = graph.linear("hidden", model.hidden, graph.node("Flatten", "flatten", [x]))
    x = graph.relu_levels("hidden", model.levels[6], graph.node("Relu", "hidden_relu", [x]))
    return graph.linear("classes", model.classes, x)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    state = torch.load(sys.argv[1], map_location="cpu")
    model = NETWORKS[state["network"]]()
    model.load_state_dict(state["model"])
    for module in model.modules():
        if hasattr(module, "weights"):
            layer = module.convolution if hasattr(module, "convolution") else module.linear
            layer.quantiser = module.weights
    graph = Graph()
    pixels = graph.levels("pixel", "image", 1 / 255, 255)
    write = vgg8 if isinstance(model, Vgg8) else resnet20
    scores = write(graph, model, pixels)
    graph.nodes[-1].output[0] = "scores"
    assert scores == "classes_out"
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 32, 32])
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])
    proto = helper.make_graph(graph.nodes, state["network"], [image], [output], list(graph.constants.values()))
    whole = helper.make_model(proto, opset_imports=[helper.make_opsetid("", 13)], producer_name="cimstat training")
    whole.ir_version = 7
    onnx.checker.check_model(whole)
    onnx.save(whole, sys.argv[2])


if __name__ == "__main__":
    main()

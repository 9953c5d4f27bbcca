#!/usr/bin/python3
"""Writes the models beside this file, as PyTorch exports them, and what PyTorch answers.

Run by hand (Debian's python3-torch 1.13.1 and python3-onnx 1.12.0), not by the tests:
    /usr/bin/python3 make_models.py
NAME.onnx is the model, NAME.json holds an image and the output for it.
"""
import json
import pathlib

import numpy
import onnx
import onnx.numpy_helper
import torch
from torch import nn
from torch.nn import functional

FOLDER = pathlib.Path(__file__).parent


def randomise(model):
    """Weights and running statistics that no layer can hide behind."""
    for tensor in list(model.parameters()) + list(model.buffers()):
        if tensor.dtype == torch.float32:
            tensor.data = torch.randn(tensor.shape) * 0.3 + 0.1
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var = torch.rand(module.running_var.shape) + 0.5


def store(name, image, output):
    numbers = {"input": [round(float(x), 7) for x in image.flatten()],
               "output": [float(x) for x in output.flatten()]}
    (FOLDER / f"{name}.json").write_text(json.dumps(numbers) + "\n")


def export(name, model, shape, opset, **options):
    torch.manual_seed(len(name))
    randomise(model)
    model.eval()
    image = torch.randn(shape).mul(1000).round().div(1000)
    torch.onnx.export(model, image, str(FOLDER / f"{name}.onnx"), opset_version=opset,
                      input_names=["image"], output_names=["scores"], **options)
    with torch.no_grad():
        store(name, image, model(image))


class Plain(nn.Module):
    """BatchNorm kept apart, Dropout, clipped ReLU."""
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
                                  nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, groups=2, bias=False),
                                  nn.ReLU6(), nn.Dropout(), nn.Flatten(), nn.Linear(24, 5))

    def forward(self, x):
        return self.body(x)


class Windows(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
        self.second = nn.Conv2d(4, 4, (2, 4), padding=(1, 2))
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        x = functional.max_pool2d(self.first(x), 3, 2, 1, ceil_mode=True)
        x = self.second(x)
        x = functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False) + \
            functional.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=True)
        return self.last(functional.pad(x, (1, 2, 0, 1)).mean((2, 3)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.a = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.short = nn.Conv2d(4, 8, 1, stride=2)
        self.last = nn.Linear(8, 4)

    def forward(self, x):
        x = functional.relu(self.stem(x))
        y = self.b(functional.relu(self.norm(self.a(x))))
        x = functional.relu(y + self.short(x))
        x = functional.adaptive_avg_pool2d(x, 1)
        return self.last(x.view(x.size(0), -1))


class Transformer(nn.Module):
    def __init__(self, width=8, heads=2, tokens=5):
        super().__init__()
        self.heads = heads
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.place = nn.Parameter(torch.zeros(1, tokens, width))
        self.norm_a = nn.LayerNorm(width)
        self.norm_b = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.last = nn.Linear(width, 4)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm_a(x)).chunk(3, dim=-1)
        q, k, v = (t.reshape(batch, tokens, self.heads, -1).transpose(1, 2) for t in (q, k, v))
        scores = (q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5).softmax(-1)
        x = x + self.out((scores @ v).transpose(1, 2).reshape(batch, tokens, width))
        x = x + self.down(functional.gelu(self.up(self.norm_b(x))))
        return self.last(x[:, 0])


class Multihead(nn.Module):
    """PyTorch's own attention; mean over the tokens; a ReLU in one block and GELU in the other."""
    def __init__(self, width=12, heads=3):
        super().__init__()
        self.patch = nn.Conv2d(2, width, (2, 3), stride=(2, 3))
        self.place = nn.Parameter(torch.zeros(1, 8, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention = nn.ModuleList(nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(2))
        self.up = nn.ModuleList(nn.Linear(width, 10) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(10, width) for _ in range(2))
        self.last = nn.Linear(width, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.place
        for block in range(2):
            y = self.norms[block](x)
            x = x + self.attention[block](y, y, y)[0]
            bend = functional.gelu if block else functional.relu
            x = x + self.down[block](bend(self.up[block](x)))
        return self.last(self.norms[2](x).mean(1))


def quantised():
    """QuantizeLinear and DequantizeLinear around a convolution, weights by channel."""
    random = numpy.random.default_rng(5)
    image = numpy.round(random.normal(size=(1, 2, 5, 5)), 3).astype("f4")
    weight = random.integers(-127, 128, (3, 2, 3, 3)).astype("i1")
    scale = numpy.array([0.01, 0.02, 0.005], "f4")
    helper, given = onnx.helper, onnx.numpy_helper.from_array
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["x"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wx"], axis=0),
        helper.make_node("Conv", ["x", "wx"], ["y"], strides=[2, 2]),
        helper.make_node("Relu", ["y"], ["scores"])]
    graph = helper.make_graph(
        nodes, "quantised",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["batch", 2, 5, 5])],
        [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["batch", 3, 2, 2])],
        [given(numpy.array(0.02, "f4"), "s"), given(numpy.array(128, "u1"), "z"), given(weight, "w"),
         given(scale, "ws"), given(numpy.zeros(3, "i1"), "wz")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(FOLDER / "quantised.onnx"))
    levels = numpy.clip(numpy.rint(image / numpy.float32(0.02)) + 128, 0, 255)
    real = ((levels - 128) * numpy.float32(0.02)).astype("f8")
    kernel = weight.astype("f8") * scale[:, None, None, None]
    output = numpy.zeros((3, 2, 2))
    for channel, row, column in numpy.ndindex(3, 2, 2):
        seen = real[0, :, 2 * row:2 * row + 3, 2 * column:2 * column + 3]
        output[channel, row, column] = max(0.0, (seen * kernel[channel]).sum())
    store("quantised", image, output)


class Builder:
    """A graph of a model, node by node; tensors are numbered."""
    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def constant(self, value):
        self.constants.append(onnx.numpy_helper.from_array(numpy.asarray(value),
                                                           f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, kind, inputs, output=None, **attributes):
        output = output or f"t{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, [output], f"{kind}_{len(self.nodes)}",
                                                **attributes))
        return output

    def levels(self, x, scale, highest=255):
        """QCDQ: uint8, zero point 0, a Clip where fewer levels are wanted."""
        scale, zero = self.constant(numpy.float32(scale)), self.constant(numpy.uint8(0))
        x = self.node("QuantizeLinear", [x, scale, zero])
        if highest < 255:
            x = self.node("Clip", [x, zero, self.constant(numpy.uint8(highest))])
        return self.node("DequantizeLinear", [x, scale, zero])

    def weights(self, shape):
        """Levels -7 .. 7 as int8, a scale for each output channel."""
        scale = self.random.uniform(0.02, 0.1, shape[0]).astype("f4")
        return self.node("DequantizeLinear", [
            self.constant(self.random.integers(-7, 8, shape).astype("i1")), self.constant(scale),
            self.constant(numpy.zeros(shape[0], "i1"))], axis=0)

    def bias(self, count):
        return self.constant(self.random.normal(size=count).astype("f4") * 0.1)

    def convolution(self, x, outputs, inputs, kernel=3, stride=1):
        return self.node("Conv", [x, self.weights((outputs, inputs, kernel, kernel)),
                                  self.bias(outputs)], kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=[kernel // 2] * 4)

    def write(self, name, shape, classes):
        values = [onnx.helper.make_tensor_value_info(what, onnx.TensorProto.FLOAT, ["N", *extents])
                  for what, extents in (("image", shape), ("scores", [classes]))]
        graph = onnx.helper.make_graph(self.nodes, name, values[:1], values[1:], self.constants)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)],
                                       ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(FOLDER / f"{name}.onnx"))


def clipped_residual():
    """4-bit weights and activations, sums in real numbers, a ReLU that a quantiser and a sum take."""
    build = Builder(8)
    x = build.levels("image", 1 / 255)
    x = build.node("Relu", [build.convolution(x, 4, 3)])
    level = build.levels(x, 0.11, 15)
    y = build.node("Relu", [build.convolution(level, 4, 4)])
    y = build.convolution(build.levels(y, 0.17, 15), 4, 4)
    x = build.node("Relu", [build.node("Add", [y, x])])
    level = build.levels(x, 0.21, 15)
    y = build.node("Relu", [build.convolution(level, 8, 4, stride=2)])
    y = build.convolution(build.levels(y, 0.19, 15), 8, 8)
    skip = build.convolution(level, 8, 4, kernel=1, stride=2)
    x = build.node("Relu", [build.node("Add", [y, skip])])
    x = build.node("Flatten", [build.node("GlobalAveragePool", [x])])
    x = build.levels(x, 0.06, 15)
    build.node("Gemm", [x, build.weights((5, 8)), build.bias(5)], "scores", transB=1)
    build.write("clipped_residual", [3, 8, 8], 5)


class FakeQuantised(nn.Module):
    """As PyTorch trains it: weights of 8 bits by channel, activations with zero points."""
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3, padding=1)
        self.b = nn.Conv2d(6, 6, 3, padding=1, groups=3, bias=False)
        self.last = nn.Linear(24, 4)

    @staticmethod
    def levels(x, scale, zero, lowest=0, highest=255):
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, lowest, highest)

    @staticmethod
    def weights(weight):
        scale = torch.tensor([0.005 + 0.001 * i for i in range(int(weight.shape[0]))])
        zeros = torch.zeros(len(scale), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, -128, 127)

    def forward(self, x):
        x = self.levels(x, 1 / 255, 0)
        x = functional.conv2d(x, self.weights(self.a.weight), self.a.bias, padding=1)
        x = self.levels(x, 0.034, 119)
        y = functional.conv2d(x, self.weights(self.b.weight), padding=1, groups=3)
        y = self.levels(functional.relu(y), 0.041, 0, 0, 127)
        x = self.levels(x + y, 0.05, -31, -128, 127)
        x = functional.max_pool2d(functional.relu(x), 4)
        return functional.linear(x.flatten(1), self.weights(self.last.weight), self.last.bias)


if __name__ == "__main__":
    export("plain", Plain(), (1, 3, 8, 8), 11, training=torch.onnx.TrainingMode.PRESERVE,
           do_constant_folding=False)
    export("windows", Windows(), (1, 3, 11, 9), 13)
    export("residual", Residual(), (1, 3, 8, 8), 12, do_constant_folding=False,
           dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}})
    export("transformer13", Transformer(), (1, 3, 8, 8), 13,
           dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}})
    export("transformer17", Transformer(), (1, 3, 8, 8), 17)
    export("multihead", Multihead(), (1, 2, 8, 6), 13)
    quantised()
    clipped_residual()
    export("fake_quantised", FakeQuantised(), (1, 3, 8, 8), 13)

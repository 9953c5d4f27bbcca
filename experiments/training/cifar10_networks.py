"""ResNet-20 and a narrow VGG-8 whose convolutions take 4-bit levels and 4-bit weights.

Quantisers learn their steps (Esser et al., "Learned step size quantization", ICLR 2020): weights are
s q with q = -7 .. 7 and a step s for each output channel, activations s q with q = 0 .. 15 and one s
for each map. Pixels are p / 255 as they stand, so that windows over the edge see level 0. Sums of
residual blocks stay real.
"""
import torch
from torch import nn
from torch.nn import functional

WEIGHT_LEVELS = 7
ACTIVATION_LEVELS = 15


class RoundedWeight(torch.autograd.Function):
    """s clamp(round(w / s), -7, 7) for each output channel; gradients of w pass inside the range."""
    @staticmethod
    def forward(context, weight, step):
        scale = step.reshape(-1, *[1] * (weight.dim() - 1))
        ratio = weight / scale
        level = ratio.clamp(-WEIGHT_LEVELS, WEIGHT_LEVELS).round()
        context.save_for_backward(ratio, level)
        return level * scale

    @staticmethod
    def backward(context, gradient):
        ratio, level = context.saved_tensors
        inside = ratio.abs() <= WEIGHT_LEVELS
        to_step = gradient * torch.where(inside, level - ratio, level)
        factor = (ratio[0].numel() * WEIGHT_LEVELS) ** -0.5
        return gradient * inside, to_step.flatten(1).sum(1) * factor


class Levels(nn.Module):
    """A ReLU whose values become levels 0 .. 15 of a learned step."""
    def __init__(self):
        super().__init__()
        self.step = nn.Parameter(torch.tensor(0.0))  # 0: not quantised yet
        self.register_buffer("zero", torch.zeros(1), persistent=False)
        self.real = False

    def forward(self, x):
        if self.real:
            return functional.relu(x)
        if self.step.item() == 0:
            with torch.no_grad():
                self.step.copy_(2 * x.relu().mean() / ACTIVATION_LEVELS ** 0.5)
        factor = (x[0].numel() * ACTIVATION_LEVELS) ** -0.5
        return torch._fake_quantize_learnable_per_tensor_affine(
            x, self.step.abs().clamp_min(1e-6).reshape(1), self.zero, 0, ACTIVATION_LEVELS, factor)


class Weights(nn.Module):
    """A step for each output channel of a weight."""
    def __init__(self, outputs):
        super().__init__()
        self.step = nn.Parameter(torch.zeros(outputs))  # 0: not quantised yet
        self.real = False

    def forward(self, weight):
        if self.real:
            return weight
        if self.step[0].item() == 0:
            with torch.no_grad():
                self.step.copy_(2 * weight.flatten(1).abs().mean(1) / WEIGHT_LEVELS ** 0.5)
        return RoundedWeight.apply(weight, self.step.abs().clamp_min(1e-8))


class Convolution(nn.Module):
    """Quantised weights, then batch normalisation."""
    def __init__(self, inputs, outputs, kernel=3, stride=1):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        nn.init.kaiming_normal_(self.convolution.weight)
        self.norm = nn.BatchNorm2d(outputs)
        self.weights = Weights(outputs)

    def forward(self, x):
        weight = self.weights(self.convolution.weight)
        plain = self.convolution
        return self.norm(functional.conv2d(x, weight, None, plain.stride, plain.padding))


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.weights = Weights(outputs)

    def forward(self, x):
        return functional.linear(x, self.weights(self.linear.weight), self.linear.bias)


class Block(nn.Module):
    """x: real values not below 0, as the block before left them."""
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.levels = Levels()
        self.first = Convolution(inputs, outputs, 3, stride)
        self.middle = Levels()
        self.second = Convolution(outputs, outputs)
        self.skip = Convolution(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        level = self.levels(x)
        y = self.second(self.middle(self.first(level)))
        return functional.relu(y + (x if self.skip is None else self.skip(level)))


class ResNet20(nn.Module):
    """He et al., CVPR 2016, section 4.2 with n = 3; 1 x 1 convolutions where the width changes."""
    def __init__(self):
        super().__init__()
        self.first = Convolution(3, 16)
        widths = [16] * 4 + [32] * 3 + [64] * 3
        self.blocks = nn.ModuleList(
            Block(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:]))
        self.levels = Levels()
        self.classes = Linear(64, 10)

    def forward(self, x):
        x = functional.relu(self.first(x))
        for block in self.blocks:
            x = block(x)
        return self.classes(self.levels(x.mean((2, 3))))


class Vgg8(nn.Module):
    """Six convolutions in three pairs, each pair ending in a maximum over 2 x 2, and two fully
    connected layers: the shape of NeuroSim's VGG-8 at a quarter of its width."""
    def __init__(self):
        super().__init__()
        widths = [3, 32, 32, 64, 64, 128, 128]
        self.convolutions = nn.ModuleList(Convolution(a, b) for a, b in zip(widths, widths[1:]))
        self.levels = nn.ModuleList(Levels() for _ in range(7))
        self.hidden = Linear(128 * 16, 256)
        self.classes = Linear(256, 10)

    def forward(self, x):
        for place, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if place % 2 == 1:
                x = functional.max_pool2d(x, 2)
            x = self.levels[place](x)
        x = self.levels[6](self.hidden(x.flatten(1)))
        return self.classes(x)


def compute_in_reals(model, real):
    """Whether quantisers let values pass as they are (activations through a plain ReLU)."""
    for module in model.modules():
        if isinstance(module, (Levels, Weights)):
            module.real = real


NETWORKS = {"resnet20": ResNet20, "vgg8": Vgg8}

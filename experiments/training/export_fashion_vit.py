#!/usr/bin/python3
"""Trains a small vision transformer on Fashion-MNIST and exports it as ONNX, for `cimstat import`.

    export_fashion_vit.py [FILE.onnx] [EPOCHS]      (Debian's python3-torch; about a minute an epoch on one core)

16 tokens of 7 x 7 pixels, 48 numbers each, 3 heads, 2 blocks, mean over tokens.
"""
import sys

import torch
from export_fashion import images
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        parts = self.qkv(self.norm_attention(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
        context = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.project(context)
        return x + self.down(functional.gelu(self.up(self.norm_mlp(x))))


class Transformer(nn.Module):
    def __init__(self, width=48, heads=3, hidden=96, blocks=2, patch=7):
        super().__init__()
        self.patch = nn.Conv2d(1, width, patch, stride=patch)
        self.place = nn.Parameter(torch.randn(1, (28 // patch) ** 2, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads, hidden) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.place
        return self.head(self.norm(self.blocks(x)).mean(1))


def accuracy(model, x, labels):
    model.eval()
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in x.split(1000)]) == labels
    model.train()
    return right.float().mean().item()


def main():
    file = sys.argv[1] if len(sys.argv) > 1 else "fashion_vit.onnx"
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    torch.manual_seed(1)
    torch.set_num_threads(1)
    x, labels = images("train")
    test, answers = images("t10k")
    model = Transformer()
    steps = epochs * (len(x) // 128)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(128)[:len(x) // 128]:
            seen = x[batch]
            mirrored = torch.rand(len(batch)) < 0.5
            seen[mirrored] = seen[mirrored].flip(-1)
            loss = functional.cross_entropy(model(seen), labels[batch], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, right {accuracy(model, test, answers):.4f}", flush=True)
    model.eval()
    torch.onnx.export(model, test[:1], file, opset_version=17, input_names=["image"],
                      output_names=["scores"], dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}})


if __name__ == "__main__":
    main()

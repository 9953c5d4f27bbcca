#!/usr/bin/python3
"""Trains ResNet-20 or a narrow VGG-8 on CIFAR-10 with 4-bit weights and activations.

    train_cifar10.py NETWORK FOLDER CHECKPOINT [EPOCHS [FROM]]      (Debian's python3-torch)

NETWORK is resnet20 or vgg8, FOLDER has data_batch_1.bin .. test_batch.bin (the binary version). The first
half of the epochs is in real numbers (ResNet-20 on pieces of 24 x 24 pixels, at half the time), the rest on
levels; two to six minutes an epoch of one core. After each epoch CHECKPOINT holds all that is needed to go
on: the same command goes on where it was stopped. With FROM, the checkpoint of a run that has ended, its
weights are trained further, on levels alone and at a fifth of the rate. export_cifar10.py makes ONNX of it.
"""
import os
import pathlib
import sys
import time

import numpy
import torch
from torch.nn import functional

from cifar10_networks import NETWORKS, compute_in_reals

BATCH = 128
HIGHEST_RATE = 0.2
HIGHEST_STEP_RATE = 0.01  # of quantisers: at the others' rate steps of the first layer jump over 0
DECAY = 5e-4


def images(files):
    raw = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, 3073) for file in files])
    return torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32)), torch.from_numpy(raw[:, 0].astype("i8"))


def piece(pixels, side, generator):
    """A square of each image, mirrored or not, up to four pixels over its edge, where it is black."""
    count = len(pixels)
    wide = functional.pad(pixels, (4, 4, 4, 4))
    corner = torch.randint(0, 41 - side, (count, 2), generator=generator)
    mirrored = torch.rand(count, generator=generator) < 0.5
    line = torch.arange(side)
    rows = corner[:, :1] + line
    columns = corner[:, 1:] + torch.where(mirrored[:, None], side - 1 - line, line)
    return wide[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def as_input(pixels):
    return (pixels.float() / 255).contiguous(memory_format=torch.channels_last)


def right_of(model, pixels, labels):
    model.eval()
    with torch.no_grad():
        right = sum((model(as_input(part)).argmax(1) == answers).sum().item()
                    for part, answers in zip(pixels.split(500), labels.split(500)))
    model.train()
    return right


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    folder, checkpoint = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    epochs = int(sys.argv[4]) if len(sys.argv) > 4 else 30
    before = torch.load(sys.argv[5])["model"] if len(sys.argv) > 5 else None
    highest = HIGHEST_RATE / 5 if before else HIGHEST_RATE
    torch.manual_seed(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    model = NETWORKS[sys.argv[1]]().to(memory_format=torch.channels_last)
    if before:
        model.load_state_dict(before)
    x, labels = images([folder / f"data_batch_{k}.bin" for k in range(1, 6)])
    test, answers = images([folder / "test_batch.bin"])
    decayed = [p for p in model.parameters() if p.dim() > 1]
    steps = [p for name, p in model.named_parameters() if name.endswith("step")]
    others = [p for name, p in model.named_parameters() if p.dim() <= 1 and not name.endswith("step")]
    optimiser = torch.optim.SGD(
        [{"params": decayed, "weight_decay": DECAY}, {"params": others}, {"params": steps}],
        highest, momentum=0.9, nesterov=True)
    batches = len(x) // BATCH
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [highest, highest, HIGHEST_STEP_RATE], epochs * batches, pct_start=0.25)
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        rate.load_state_dict(state["rate"])
        done = state["epochs"]
    for epoch in range(done, epochs):
        real = before is None and epoch < epochs // 2
        side = 24 if real and sys.argv[1] == "resnet20" else 32
        compute_in_reals(model, real)
        begin, total = time.time(), 0.0
        generator = torch.Generator().manual_seed(epoch + (1000 if before else 0))
        for batch in torch.randperm(len(x), generator=generator).split(BATCH)[:batches]:
            loss = functional.cross_entropy(model(as_input(piece(x[batch], side, generator))), labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            rate.step()
            total += loss.item()
        partial = checkpoint.with_suffix(".partial")
        torch.save({"network": sys.argv[1], "epochs": epoch + 1, "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(), "rate": rate.state_dict()}, partial)
        partial.replace(checkpoint)
        right = right_of(model, test, answers)
        print(f"epoch {epoch + 1} of {epochs}: loss {total / batches:.3f}, right {right} of {len(test)} "
              f"test images, {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()

"""Wrong network files; run.py says how to read this file."""

import h5py
import numpy
from hdf5_edits import (FOLDER, KINDS, MACRO, all_of, attribute, bytes_changed, dataset, edited,
                        element, rewritten, text)

NAN = float("nan")
SOUND = FOLDER / "net.h5"


def layer(data, place, name, kind, source, weight=None, **numbers):
    group = data.create_group(f"layers/{place:03}_{name}")
    group.attrs.update(name=text(name), kind=text(kind), inputs=text(source))
    for key in ("kernel", "stride", "padding", "weight_bits", "output_bits"):
        group.attrs[key] = numbers.get(key, 1 if key in ("kernel", "stride") else 0)
    if weight is not None:
        group["weight"] = weight
        group["scale"], group["bias"] = numpy.full(len(weight), 0.01), numpy.zeros(len(weight))


# As a user would write one (experiments/README.md), so without a content hash.
with h5py.File(SOUND, "w", libver="latest") as sound:
    sound.attrs.update(filetype=text("cimstat network"), schema_version=[1, 0], name=text("tiny"),
                       description=text("made by hand"), input_shape=[1, 4, 4], input_bits=4, classes=3)
    generator = numpy.random.default_rng(1)
    layer(sound, 0, "conv", "convolution", "input", generator.integers(-8, 8, (2, 1, 3, 3), "i1"),
          kernel=3, padding=1, weight_bits=4, output_bits=4)
    layer(sound, 1, "pool", "max_pool", "conv", kernel=2, stride=2)
    layer(sound, 2, "flat", "flatten", "pool")
    layer(sound, 3, "logits", "fully_connected", "flat", generator.integers(-8, 8, (3, 8), "i1"),
          weight_bits=4)
SIZE = SOUND.stat().st_size
CONV, POOL, FLAT, LOGITS = (f"layers/{name}" for name in ("000_conv", "001_pool", "002_flat", "003_logits"))

CASES = {"file": "net.h5", "exit": 3, "kinds": KINDS, "case": [],
         "arguments": ["accuracy", "macro.toml", "--set", "accuracy.network={file}",
                       "--set", "accuracy.data_set=none", "-o", "a.h5"]}


def case(kind, name, recipe, line, **more):
    def with_macro(folder, file):
        (folder / "macro.toml").write_text(MACRO)
        recipe(folder, file)
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": with_macro}, "line": line, **more})


def net(*changes):
    return edited(SOUND, all_of(*changes))


# ---- missing
case("missing", "the file", lambda folder, file: None,
     "net.h5: can't be read (no such file); check the path", exit=2)
case("missing", "the shipped network, under the name that results give it", lambda folder, file: None,
     "fashion_cnn: can't be read (no such file); did you mean fashion-cnn?", exit=2,
     arguments=["accuracy", "macro.toml", "--set", "accuracy.network=fashion_cnn"])
case("missing", "a folder of that name", lambda folder, file: file.mkdir(),
     "net.h5: can't be read (it is a directory); check the path", exit=2)
case("missing", "the layers", net(lambda data: data.__delitem__("layers")),
     "net.h5: /layers: is missing; check that this is the right file, or make it again")
case("missing", "an attribute of a layer", net(attribute(POOL, "stride", None)),
     "net.h5: /layers/001_pool: attribute 'stride' is missing; check that this is the right file, or make it again")
case("missing", "the weights", net(dataset(f"{CONV}/weight", None)),
     "net.h5: /layers/000_conv/weight: is missing; check that this is the right file, or make it again")
case("missing", "the scales", net(dataset(f"{CONV}/scale", None)),
     "net.h5: /layers/000_conv: 0 scales and 2 biases (2 and 2 are needed); correct the network and write it again")
# ---- truncated
case("truncated", "an empty file", bytes_changed(SOUND, lambda whole: whole[:0]),
     "net.h5: is empty; copy it again or make it again")
case("truncated", "a begun signature", bytes_changed(SOUND, lambda whole: whole[:5]),
     "net.h5: is truncated (5 of 9 bytes are there); copy it again or make it again")
case("truncated", "a begun superblock", bytes_changed(SOUND, lambda whole: whole[:40]),
     "net.h5: is truncated (40 of 48 bytes are there); copy it again or make it again")
case("truncated", "half", bytes_changed(SOUND, lambda whole: whole[:SIZE // 2]),
     f"net.h5: is truncated ({SIZE // 2} of {SIZE} bytes are there); copy it again or make it again")
case("truncated", "all but the last byte", bytes_changed(SOUND, lambda whole: whole[:SIZE - 1]),
     f"net.h5: is truncated ({SIZE - 1} of {SIZE} bytes are there); copy it again or make it again")
# ---- foreign
case("foreign", "a text", lambda folder, file: file.write_text("no HDF5 at all\n" * 20),
     "net.h5: is not an HDF5 file, or its beginning is lost; check the path")
case("foreign", "an error table", net(attribute("/", "filetype", text("cimstat error table"))),
     "net.h5: /: is a file of type 'cimstat error table'; give a cimstat network file here")
case("foreign", "the oldest HDF5 format", rewritten(SOUND),
     'net.h5: is of an old HDF5 format whose structure has no checksums (superblock version 0); rewrite it with h5repack -L OLD NEW, or in h5py with libver="latest"')
case("foreign", "of a later version", net(attribute("/", "schema_version", [2, 0])),
     "net.h5: /: has schema version 2.0 (this program reads version 1.x); use a newer cimstat, or make the file again with this one")
case("foreign", "a text of variable length", net(attribute("/", "name", "tiny")),
     "net.h5: /: attribute 'name' is a text of variable length (such texts carry no checksum); write it with a fixed length, in h5py as numpy.bytes_(text.encode())")
case("foreign", "weights in another file", net(
    dataset(f"{CONV}/weight", None),
    lambda data: data.create_dataset(f"{CONV}/weight", (2, 1, 3, 3), "i1", external=[("w.bin", 0, 18)])),
     "net.h5: /layers/000_conv/weight: keeps its values in another file; write the values into this file")
case("foreign", "a layer in another file", net(
    lambda data: data.__delitem__(CONV),
    lambda data: data.__setitem__(CONV, h5py.ExternalLink("other.h5", "/layer"))),
     "net.h5: /layers/000_conv: is a soft or external link; put the object itself in its place")
case("foreign", "a layer that is the root again", net(
    lambda data: data.__delitem__(CONV), lambda data: data.__setitem__(CONV, data["/"])),
     "net.h5: /: is linked more than once (2 links); keep one of them")
case("foreign", "a name that would paint the terminal", net(attribute(CONV, "kind", text(b"\x1b[31m"))),
     "net.h5: /layers/000_conv: attribute 'kind' is not plain text (byte 0x1b at 0); write it as UTF-8 without control characters")
case("foreign", "a name that is no UTF-8", net(attribute("/", "name", text(b"tin\xff"))),
     "net.h5: /: attribute 'name' is not plain text (byte 0xff at 3); write it as UTF-8 without control characters")
# ---- wrong type
case("wrong type", "weights as floats", net(dataset(f"{CONV}/weight", numpy.zeros((2, 1, 3, 3)))),
     "net.h5: /layers/000_conv/weight: does not hold integers (it holds floating-point numbers of 64 bits); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "scales as integers", net(dataset(f"{CONV}/scale", numpy.ones(2, "i4"))),
     "net.h5: /layers/000_conv/scale: does not hold floating-point numbers (it holds integers of 32 bits); write it as float64 or float32")
case("wrong type", "scales of half precision", net(dataset(f"{CONV}/scale", numpy.ones(2, "f2"))),
     "net.h5: /layers/000_conv/scale: does not hold floating-point numbers (it holds floating-point numbers of 16 bits); write it as float64 or float32")
case("wrong type", "a number as a text", net(attribute(CONV, "kernel", text("3"))),
     "net.h5: /layers/000_conv: attribute 'kernel' is not an integer (it holds text); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "a whole number as a float", net(attribute(CONV, "kernel", 3.0)),
     "net.h5: /layers/000_conv: attribute 'kernel' is not an integer (it holds floating-point numbers of 64 bits); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "a dataset where a layer should be", net(
    lambda data: data.__delitem__(POOL), lambda data: data.__setitem__(POOL, 1)),
     "net.h5: /layers/001_pool: attribute 'name' is missing; check that this is the right file, or make it again")
# ---- wrong unit: numbers of a network have none, so any is wrong
case("wrong unit", "scale in V", net(attribute(f"{CONV}/scale", "units", text("V"))),
     "net.h5: /layers/000_conv/scale: is in units of 'V' (weights, scales and biases are plain numbers); correct the network and write it again")
case("wrong unit", "bias in %", net(attribute(f"{CONV}/bias", "units", text("%"))),
     "net.h5: /layers/000_conv/bias: is in units of '%' (weights, scales and biases are plain numbers); correct the network and write it again")
case("wrong unit", "weight in uS", net(attribute(f"{CONV}/weight", "units", text("uS"))),
     "net.h5: /layers/000_conv/weight: is in units of 'uS' (weights, scales and biases are plain numbers); correct the network and write it again")
case("wrong unit", "scale in 10^-3", net(attribute(f"{CONV}/scale", "units", text("10^-3"))),
     "net.h5: /layers/000_conv/scale: is in units of '10^-3' (weights, scales and biases are plain numbers); correct the network and write it again")
# ---- negative or NaN
case("negative or NaN", "a scale NaN", net(element(f"{CONV}/scale", 0, NAN)),
     "net.h5: /layers/000_conv: a scale or bias is not finite; correct the network and write it again")
case("negative or NaN", "an infinite bias", net(element(f"{LOGITS}/bias", 0, float("inf"))),
     "net.h5: /layers/003_logits: a scale or bias is not finite; correct the network and write it again")
case("negative or NaN", "a negative stride", net(attribute(POOL, "stride", -2)),
     "net.h5: /layers/001_pool: attribute 'stride' is -2 (out of range); correct the network and write it again")
case("negative or NaN", "negative input bits", net(attribute("/", "input_bits", -1)),
     "net.h5: /: attribute 'input_bits' is -1 (out of range); correct the network and write it again")
case("negative or NaN", "a negative extent", net(attribute("/", "input_shape", [1, -4, 4])),
     "net.h5: /: attribute 'input_shape' is -4 (out of range); correct the network and write it again")
# ---- n over limit
case("n over limit", "nine input bits", net(attribute("/", "input_bits", 9)),
     "net.h5: input_bits 9 (1 .. 8); correct the network and write it again")
case("n over limit", "an image of 5000 rows", net(attribute("/", "input_shape", [1, 5000, 4])),
     "net.h5: input_shape 1 x 5000 x 4 (1 .. 4096 each, 67108864 values at most); correct the network and write it again")
case("n over limit", "a kernel of 65", net(attribute(POOL, "kernel", 65)),
     "net.h5: /layers/001_pool: kernel 65, stride 2, padding 0 (1 .. 64, 1 .. 64, less than the kernel); correct the network and write it again")
case("n over limit", "a weight beyond its bits", net(element(f"{CONV}/weight", (0, 0, 0, 0), 8)),
     "net.h5: /layers/000_conv: a weight of 8 does not fit 4 bits (-8 .. 7); correct the network and write it again")
case("n over limit", "a weight beyond eight bits", net(dataset(f"{CONV}/weight", numpy.full((2, 1, 3, 3), 128, "i2"))),
     "net.h5: /layers/000_conv/weight: holds 128 (weights are -128 to 127); correct the network and write it again")
case("n over limit", "a thousand layers", net(
    lambda data: [data.create_group(f"layers/{place:03}_more") for place in range(4, 1000)]),
     "net.h5: /layers: has 1000 members (999 layers at most); correct the network and write it again")
# ---- unknown key
case("unknown key", "an unknown kind of layer", net(attribute(POOL, "kind", text("max_pol"))),
     "net.h5: /layers/001_pool: is of the unknown kind 'max_pol'; did you mean max_pool?")
case("unknown key", "another unknown kind", net(attribute(POOL, "kind", text("hardtanh"))),
     "net.h5: /layers/001_pool: is of the unknown kind 'hardtanh'; take one of convolution, fully_connected, relu, max_pool, average_pool, add, flatten")
case("unknown key", "an attribute of a layer", net(attribute(CONV, "dilation", 2)),
     "net.h5: /layers/000_conv: holds the unknown attribute 'dilation' (this version of the format has none of that name); remove it")
case("unknown key", "a dataset of a layer", net(dataset(f"{CONV}/zero_point", numpy.zeros(2))),
     "net.h5: /layers/000_conv: holds the unknown member 'zero_point' (this version of the format has none of that name); remove it")
case("unknown key", "an attribute of the root", net(attribute("/", "input_bit", 4)),
     "net.h5: /: holds the unknown attribute 'input_bit' (this version of the format has none of that name); did you mean input_bits?")
case("unknown key", "a group beside the layers", net(lambda data: data.create_group("weights")),
     "net.h5: /: holds the unknown member 'weights' (this version of the format has none of that name); remove it")
case("unknown key", "an input that is no layer", net(attribute(POOL, "inputs", text("conv2"))),
     "net.h5: /layers/001_pool: its input 'conv2' is not an earlier layer; correct the network and write it again")
# ---- huge number
case("huge number", "a kernel of 2^40", net(attribute(CONV, "kernel", 2**40)),
     "net.h5: /layers/000_conv: attribute 'kernel' is 1099511627776 (out of range); correct the network and write it again")
case("huge number", "classes beyond 64 signed bits", net(attribute("/", "classes", numpy.uint64(2**63))),
     "net.h5: /: attribute 'classes' is out of range; restore the file or make it again")
case("huge number", "an image of 4096^3 values", net(attribute("/", "input_shape", [4096, 4096, 4096])),
     "net.h5: input_shape 4096 x 4096 x 4096 (1 .. 4096 each, 67108864 values at most); correct the network and write it again")
case("huge number", "10^18 weights", net(
    dataset(f"{LOGITS}/weight", None),
    lambda data: data.create_dataset(f"{LOGITS}/weight", (3, 10**18), "i1", chunks=(3, 1000), compression=1)),
     "net.h5: /layers/003_logits/weight: axis 1 has 1000000000000000000 elements (1 to 67108864); correct the network and write it again")
case("huge number", "2^26 weights without values", net(
    dataset(f"{LOGITS}/weight", None),
    lambda data: data.create_dataset(f"{LOGITS}/weight", (1, 2**26), "i1", chunks=(1, 1000), compression=1)),
     "net.h5: /layers/003_logits/weight: has more than the 67108846 elements that it may have (1 x 67108864); restore the file or make it again")
case("huge number", "chunks of 1 GiB", net(
    dataset(f"{LOGITS}/weight", None),
    lambda data: data.create_dataset(f"{LOGITS}/weight", (3, 8), "i1", maxshape=(None, None),
                                     chunks=(2**15, 2**15), compression=1)),
     "net.h5: /layers/003_logits/weight: has chunks that are too large (64 MiB at most); write it again in smaller chunks")
# ---- wrong shape
case("wrong shape", "weights of two axes", net(dataset(f"{CONV}/weight", numpy.zeros((2, 9), "i1"))),
     "net.h5: /layers/000_conv/weight: has 2 axes (4 of convolution are needed); correct the network and write it again")
case("wrong shape", "weights of another kernel", net(dataset(f"{CONV}/weight", numpy.zeros((2, 1, 5, 5), "i1"))),
     "net.h5: /layers/000_conv: weights 2 x 1 x 5 x 5 do not fit a kernel of 3 on an input of 1 x 4 x 4; correct the network and write it again")
case("wrong shape", "no weights at all", net(dataset(f"{CONV}/weight", numpy.zeros((0, 1, 3, 3), "i1"))),
     "net.h5: /layers/000_conv/weight: axis 0 has 0 elements (1 to 67108864); correct the network and write it again")
case("wrong shape", "scales in a square", net(dataset(f"{CONV}/scale", numpy.ones((2, 1)))),
     "net.h5: /layers/000_conv/scale: is not one-dimensional; correct the network and write it again")
case("wrong shape", "too few biases", net(dataset(f"{LOGITS}/bias", numpy.zeros(2))),
     "net.h5: /layers/003_logits: 3 scales and 2 biases (3 and 3 are needed); correct the network and write it again")
case("wrong shape", "an image of two axes", net(attribute("/", "input_shape", [4, 4])),
     "net.h5: /: attribute 'input_shape' is not [channels, rows, columns]; correct the network and write it again")
# ---- contradictory
case("contradictory", "classes and logits", net(attribute("/", "classes", 4)),
     "net.h5: the last layer delivers 3 x 1 x 1 (the 4 classes x 1 x 1 are needed); correct the network and write it again")
case("contradictory", "group and name", net(attribute(CONV, "name", text("convolution1"))),
     "net.h5: /layers/000_conv: is not called 000_convolution1 (its place and name); correct the network and write it again")
case("contradictory", "layers that are not connected in order", net(attribute(CONV, "inputs", text("pool"))),
     "net.h5: /layers/000_conv: its input 'pool' is not an earlier layer; correct the network and write it again")
case("contradictory", "weights and the layer before", net(dataset(f"{LOGITS}/weight", numpy.zeros((3, 9), "i1"))),
     "net.h5: /layers/003_logits: weights 3 x 9 x 1 x 1 do not fit an input of 8 x 1 x 1; correct the network and write it again")
case("contradictory", "layers and content hash", net(attribute("/", "content_sha256", text("0" * 64))),
     "net.h5: /: content_sha256 is not that of the layers (damaged or edited); restore the file, or write it again without that attribute")
case("contradictory", "two inputs where one is taken", net(attribute(FLAT, "inputs", text("pool,conv"))),
     "net.h5: /layers/002_flat: has 2 inputs (flatten takes 1); correct the network and write it again")
case("contradictory", "real values in a file of an earlier version", net(attribute(CONV, "output_bits", 0)),
     "net.h5: /layers/000_conv: has output_bits 0, for real values (the file is of version 1.0, and 1.2 brought this); write schema_version [1, 2]")
case("contradictory", "a layer of transformers in a file of an earlier version", net(attribute(POOL, "kind", text("softmax"))),
     "net.h5: /layers/001_pool: is of kind 'softmax' (the file is of version 1.0, and 1.3 brought this); write schema_version [1, 3]")
case("contradictory", "real values into a weighted layer", net(
    attribute("/", "schema_version", [1, 2]), attribute(CONV, "output_bits", 0)),
     "net.h5: /layers/003_logits: its input 'flat' delivers real values (fully_connected takes levels); put a quantise layer between them")

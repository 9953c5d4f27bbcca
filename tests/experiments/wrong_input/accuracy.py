"""Wrong accuracy results; run.py says how to read this file."""

import struct

import numpy
from hdf5_edits import FOLDER, MACRO, all_of, attribute, dataset, edited, element, make, sha256, text

(FOLDER / "macro.toml").write_text(MACRO)
images = FOLDER / "images"
images.mkdir()
pixels = numpy.random.default_rng(1).integers(0, 256, (5, 28, 28), "u1")
(images / "t10k-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, *pixels.shape) + pixels.tobytes())
(images / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 5) + bytes(range(5)))
ONE, TWO = FOLDER / "one.h5", FOLDER / "two.h5"
for file, reads in ((ONE, 1), (TWO, 2)):
    make("accuracy", "macro.toml", "-q", "-o", file.name, "--set", "accuracy.data_set=images",
         "--set", f"accuracy.reads={reads}")
CHIPS = FOLDER / "chips.h5"
make("accuracy", "macro.toml", "-q", "-o", CHIPS.name, "--set", "accuracy.data_set=images",
     "--set", "accuracy.reads=2", "--set", "accuracy.noise=frozen", "--set", "accuracy.chips=3")

LAYERS = FOLDER / "layers.h5"
make("accuracy", "macro.toml", "-q", "-o", LAYERS.name, "--set", "accuracy.data_set=images",
     "--set", "accuracy.reads=2", "--layers", "--sensitivity", "--half-width", "0.45")

CASES = {"file": "a.h5", "arguments": ["show", "{file}"], "exit": 3, "case": []}


def case(kind, name, recipe, line, **more):
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": recipe}, "line": line, **more})


def one(*changes):
    return edited(ONE, all_of(*changes))


def two(*changes):
    return edited(TWO, all_of(*changes))


def chips(*changes):
    return edited(CHIPS, all_of(*changes))


def layers(*changes):
    return edited(LAYERS, all_of(*changes))


def config(old, new):
    def change(data):
        toml = data.attrs["config_toml"].decode()
        assert toml.count(old) == 1, toml
        toml = toml.replace(old, new)
        data.attrs["config_toml"] = text(toml)
        data.attrs["config_sha256"] = text(sha256(toml.encode()))
    return change


for name in ("image", "read", "exact_correct", "sampled_correct"):
    case("missing", f"/{name}", two(dataset(name, None)),
         f"a.h5: /{name}: is missing; check that this is the right file, or make it again")
for name in ("network", "data_set", "table_content_sha256", "partial_sums", "exact_accuracy", "sampled_accuracy",
             "difference", "sampled_on_these_images", "rng", "Conventions", "seed"):
    case("missing", name, two(attribute("/", name, None)),
         f"a.h5: /: attribute '{name}' is missing; check that this is the right file, or make it again")
case("wrong type", "an axis as floats", two(dataset("read", numpy.arange(2.0))),
     "a.h5: /read: holds float64 (uint32 is needed); make the file again")
case("wrong type", "answers as other integers", two(dataset("exact_correct", numpy.zeros(5, "i4"))),
     "a.h5: /exact_correct: holds int32 (uint8 is needed); make the file again")
case("wrong type", "images in metres", two(attribute("image", "units", text("m"))),
     "a.h5: /image: is in units of 'm' ('1' is needed); convert the values, or make the file again")
case("wrong type", "answers in one row", two(dataset("sampled_correct", numpy.zeros(10, "u1"))),
     "a.h5: /sampled_correct: is not a [read, image] array that goes with /exact_correct (10); make the result again with cimstat accuracy")
case("contradictory", "an axis of zeros", two(element("image", slice(None), 0)),
     "a.h5: /image: element 1 is 0 (an axis counts from 0 in steps of 1); make the file again")
case("contradictory", "an axis too long", two(dataset("read", numpy.arange(3, dtype="u4"))),
     "a.h5: /read: is not the axis that its name says (shape 3 instead of 2); make the file again")
case("contradictory", "an answer of 2", two(element("sampled_correct", (0, 3), 2)),
     "a.h5: /sampled_correct: 2 is no answer (0 is wrong, 1 is right); make the result again with cimstat accuracy")
case("contradictory", "reads and configuration", two(config("reads = 2", "reads = 3")),
     "a.h5: /sampled_correct: contradicts config_toml: another number of reads (2 instead of 3); make the result again with cimstat accuracy")
case("contradictory", "images and configuration", two(config("images = 5", "images = 6")),
     "a.h5: /sampled_correct: contradicts config_toml: another number of images (5 instead of 6); make the result again with cimstat accuracy")
case("contradictory", "seed and configuration", two(attribute("/", "seed", 7)),
     "a.h5: /: attribute 'seed' contradicts config_toml (7 instead of 1); make the file again")
case("contradictory", "reads that one read has not", one(attribute("/", "sampled_on_these_images", [0.1, 0.2, 0.3])),
     "a.h5: /: attribute 'sampled_on_these_images' has no place in this result (it takes two reads or more); make the result again with cimstat accuracy")

for name in ("chip", "chip_accuracy"):
    case("missing", f"/{name} of chips", chips(dataset(name, None)),
         f"a.h5: /{name}: is missing; check that this is the right file, or make it again")
for name in ("accuracy_over_chips", "chip_spread", "noise_spread"):
    case("missing", f"{name} of chips", chips(attribute("/", name, None)),
         f"a.h5: /: attribute '{name}' is missing; check that this is the right file, or make it again")
case("wrong type", "answers of chips in a table", chips(dataset("sampled_correct", numpy.zeros((6, 5), "u1"))),
     "a.h5: /sampled_correct: is not a [chip, read, image] array that goes with /exact_correct (6 x 5); make the result again with cimstat accuracy")
case("contradictory", "chips and configuration", chips(config("chips = 3", "chips = 4")),
     "a.h5: /sampled_correct: contradicts config_toml: another number of chips (3 instead of 4); make the result again with cimstat accuracy")
case("contradictory", "the accuracy of a chip", chips(element("chip_accuracy", 1, 0.55)),
     "a.h5: /chip_accuracy: contradicts the answers (0.55 instead of 0); make the result again with cimstat accuracy")
case("contradictory", "a chip's answers beside a table", chips(config('noise = "frozen"', 'noise = "table"'), config("chips = 3", "chips = 1")),
     "a.h5: /: holds the unknown attribute 'accuracy_over_chips' (this version of the format has none of that name); remove it")

AGAIN = "make the result again with cimstat accuracy"
for name in ("label", "answer", "image_label", "exact_class", "sampled_class", "exact_confusion", "sampled_confusion",
             "layer", "layer_snr", "layer_codes", "met", "met_reads", "met_layer", "alone_correct", "spared_difference_upper"):
    case("missing", f"/{name} of layers", layers(dataset(name, None)),
         f"a.h5: /{name}: is missing; check that this is the right file, or make it again")
for name in ("stopped_accuracy", "code_step", "code_origin"):
    case("missing", name, layers(attribute("/", name, None)),
         f"a.h5: /: attribute '{name}' is missing; check that this is the right file, or make it again")
for name, units, needed in (("layer_snr", "1", "dB"), ("network_snr_lower", "uA", "dB"), ("layer_bias", "dB", "1"),
                            ("exact_confusion", "%", "1")):
    case("wrong unit", name, layers(attribute(name, "units", text(units))),
         f"a.h5: /{name}: is in units of '{units}' ('{needed}' is needed); convert the values, or make the file again")
for name, values, found, needed in (("layer_codes", numpy.zeros(5, "u8"), "5", "5 x 5"),
                                    ("exact_confusion", numpy.zeros((5, 5), "u8"), "5 x 5", "10 x 10"),
                                    ("sampled_class", numpy.zeros((5, 2), "u1"), "5 x 2", "2 x 5"),
                                    ("alone_correct", numpy.zeros((5, 4), "u4"), "5 x 4", "5 x 5")):
    case("wrong shape", name, layers(dataset(name, values)),
         f"a.h5: /{name}: does not go with its axes ({found} instead of {needed}); {AGAIN}")
case("contradictory", "a class beyond the last", one(element("exact_class", 1, 10)),
     f"a.h5: /exact_class: 10 is no class (there are 10); {AGAIN}")
case("contradictory", "a class that is not as right as said", layers(element("sampled_class", (1, 3), 3)),
     f"a.h5: /sampled_class: contradicts the answers (image 3 of class 3 is taken for 3 and called wrong); {AGAIN}")
case("contradictory", "another wrong class", layers(element("sampled_class", (1, 3), 9)),
     f"a.h5: /sampled_confusion: contradicts the classes of the answers (1 instead of 0 of label 3 are taken for 1); {AGAIN}")
case("contradictory", "a label too often", one(element("exact_confusion", (0, 0), 77)),
     f"a.h5: /exact_confusion: contradicts the classes of the answers (77 instead of 0 of label 0 are taken for 0); {AGAIN}")
case("contradictory", "labels of other images", one(element("sampled_confusion", slice(None), 0)),
     f"a.h5: /sampled_confusion: contradicts the classes of the answers (0 instead of 1 of label 0 are taken for 8); {AGAIN}")
case("contradictory", "names of other layers", layers(attribute("layer", "labels", text("one"))),
     f"a.h5: /layer: attribute 'labels' does not go with it (1 instead of 5); {AGAIN}")
case("contradictory", "a class twice", layers(element("met_layer", 1, 7)),
     f"a.h5: /met: element 1 is no class, or out of order (they ascend by layer, active rows and LRS count; each was read); {AGAIN}")
case("contradictory", "reads of a class", layers(element("met_reads", 0, 1 << 40)),
     f"a.h5: /met_reads: contradicts /layer_codes (1099513426424 instead of 2312000 of layer 0); {AGAIN}")
case("contradictory", "a ratio", layers(element("layer_snr", 0, 99.0)),
     f"a.h5: /layer_snr: does not follow from the other numbers (99 instead of 7.867); {AGAIN}")
case("contradictory", "a share", layers(element("last_code_share", 0, 0.99)),
     f"a.h5: /last_code_share: does not follow from the other numbers (0.99 instead of 0.00495112); {AGAIN}")
case("contradictory", "more right answers than reads", layers(element("alone_correct", (0, 0), 9)),
     f"a.h5: /alone_correct: 9 right answers to an image (it was asked 2 times); {AGAIN}")
case("contradictory", "what a layer costs", layers(element("alone_difference", 0, 0.123)),
     f"a.h5: /alone_difference: does not follow from the other numbers (0.123 instead of 0); {AGAIN}")
case("contradictory", "where it stopped", layers(attribute("/", "stopped_accuracy", [0.1, 0.2, 0.3])),
     f"a.h5: /: attribute 'stopped_accuracy' contradicts the answers (0.1, 0.2, 0.3 instead of 0, 0, 0.542695); {AGAIN}")
case("contradictory", "layers that were not asked for", layers(config("layers = true", "layers = false")),
     "a.h5: /: holds the unknown attribute 'code_origin' (this version of the format has none of that name); remove it")

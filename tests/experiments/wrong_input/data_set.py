"""Wrong data sets, as IDX files and CIFAR-10's binary version; run.py says how to read this file.

A data set has no names, so "unknown key" stands for a label that is no class; its values are bytes
without units or sign, so there is no "wrong unit" and no "negative or NaN".
"""

import gzip
import struct

from hdf5_edits import KINDS, MACRO

IMAGES, LABELS, CIFAR = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "test_batch.bin"
ALL = 2**32 - 1

CASES = {"file": "data", "exit": 3, "case": [],
         "kinds": [kind for kind in KINDS if kind not in ("wrong unit", "negative or NaN")],
         "arguments": ["accuracy", "macro.toml", "--set", "accuracy.data_set={file}", "-o", "a.h5"]}


def images(magic=2051, count=5, rows=28, columns=28, pixels=5 * 784):
    return struct.pack(">4I", magic, count, rows, columns) + bytes(pixels)


def labels(magic=2049, count=5, values=bytes(range(5))):
    return struct.pack(">2I", magic, count) + values


def case(kind, name, files, line, **more):
    def recipe(folder, file):
        (folder / "macro.toml").write_text(MACRO)
        file.mkdir()
        for name, content in files.items():
            if content is None:
                (file / name).mkdir()
            else:
                (file / name).write_bytes(content)
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": recipe}, "line": line, **more})


def idx(image_bytes=images(), label_bytes=labels(), packed=False):
    if not packed:
        return {IMAGES: image_bytes, LABELS: label_bytes}
    return {f"{IMAGES}.gz": gzip.compress(image_bytes, mtime=0), LABELS: label_bytes}


def packed(whole, change):
    return {f"{IMAGES}.gz": change(gzip.compress(whole, mtime=0)), LABELS: labels()}


def changed(whole, place, value):
    return whole[:place] + bytes([value]) + whole[place + 1:]


# ---- missing
case("missing", "the folder", {},
     "nowhere: no such folder of images; check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist",
     arguments=["accuracy", "macro.toml", "--set", "accuracy.data_set=nowhere"], exit=2)
case("missing", "every file", {},
     "data: holds no data set (neither t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or with .gz, nor test_batch.bin, test.bin or test_images.npy); check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist", exit=2)
case("missing", "a folder, but its name is nearly that of a data set", {},
     "fashion_mnist: no such folder of images; did you mean fashion-mnist?",
     arguments=["accuracy", "macro.toml", "--set", "accuracy.data_set=fashion_mnist"], exit=2)
case("missing", "the images", {LABELS: labels()},
     "data/t10k-images-idx3-ubyte: no such file, nor with .gz; check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist", exit=2)
case("missing", "the labels", {IMAGES: images()},
     "data/t10k-labels-idx1-ubyte: no such file, nor with .gz; check the path; Fashion-MNIST: apt-get install dataset-fashion-mnist", exit=2)
case("missing", "a file, a folder in its place", {IMAGES: None, LABELS: labels()},
     "data/t10k-images-idx3-ubyte: can't be read (it is a directory); check the path", exit=2)
# ---- truncated
case("truncated", "no byte", idx(b""),
     "data/t10k-images-idx3-ubyte: ends too early; fetch it again")
case("truncated", "a begun header", idx(images()[:10]),
     "data/t10k-images-idx3-ubyte: ends too early; fetch it again")
case("truncated", "all but the last pixel", idx(images()[:-1]),
     "data/t10k-images-idx3-ubyte: ends too early (3935 of 3936 bytes are there); fetch it again")
case("truncated", "all but the last label", idx(label_bytes=labels()[:-1]),
     "data/t10k-labels-idx1-ubyte: ends too early (12 of 13 bytes are there); fetch it again")
case("truncated", "gzip", packed(images(), lambda whole: whole[:-20]),
     "data/t10k-images-idx3-ubyte.gz: ends too early; fetch it again")
case("truncated", "CIFAR-10 inside an image", {CIFAR: bytes(3073 * 2 - 1)},
     "data/test_batch.bin: ends inside image 1 (an image is a label and 3 x 32 x 32 bytes); fetch it again, or name a folder of CIFAR-10's binary version")
case("truncated", "CIFAR-10 without a byte", {CIFAR: b""},
     "data/test_batch.bin: holds no image; fetch it again")
# ---- foreign
case("foreign", "a text", idx(b"this is no IDX file at all"),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 1952999795 instead of 2051); name a file of that kind")
case("foreign", "images and labels swapped", idx(labels(), images()),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 2049 instead of 2051: 1 axes instead of 3); are images and labels swapped?")
case("foreign", "gzip with a wrong checksum", packed(images(), lambda whole: changed(whole, len(whole) - 6, 1)),
     "data/t10k-images-idx3-ubyte.gz: can't be unpacked; fetch it again")
case("foreign", "gzip that can't be unpacked", packed(images(), lambda whole: changed(whole, 12, 255)),
     "data/t10k-images-idx3-ubyte.gz: can't be unpacked; fetch it again")
case("foreign", "bytes behind what is packed", packed(images(), lambda whole: whole + b"more"),
     "data/t10k-images-idx3-ubyte.gz: goes on after what is packed in it; fetch it again")
case("foreign", "zeros behind what is packed", packed(images(), lambda whole: whole + bytes(512)),
     "data/t10k-images-idx3-ubyte.gz: goes on after what is packed in it; fetch it again")
case("foreign", "a second member that is none", packed(images(), lambda whole: whole + b"\x1fmore"),
     "data/t10k-images-idx3-ubyte.gz: can't be unpacked; fetch it again")
case("foreign", "bytes behind the last image", idx(images() + b"more"),
     "data/t10k-images-idx3-ubyte: goes on after its last item; fetch it again")
case("foreign", "CIFAR-100, two labels an image", {CIFAR: bytes(3074 * 2)},
     "data/test_batch.bin: ends inside image 2 (an image is a label and 3 x 32 x 32 bytes); fetch it again, or name a folder of CIFAR-10's binary version")
# ---- wrong type
case("wrong type", "32-bit floats", idx(images(magic=0x0D03)),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 3331 instead of 2051: elements of type 0x0d instead of unsigned bytes, 0x08); name a file of that kind")
case("wrong type", "signed bytes", idx(images(magic=0x0903)),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 2307 instead of 2051: elements of type 0x09 instead of unsigned bytes, 0x08); name a file of that kind")
case("wrong type", "labels as 32-bit integers", idx(label_bytes=labels(magic=0x0C01)),
     "data/t10k-labels-idx1-ubyte: is no IDX file of labels (magic number 3073 instead of 2049: elements of type 0x0c instead of unsigned bytes, 0x08); name a file of that kind")
case("wrong type", "an unknown type", idx(images(magic=0x4203)),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 16899 instead of 2051); name a file of that kind")
# ---- n over limit
case("n over limit", "images of 4097 rows", idx(images(rows=4097)),
     "data/t10k-images-idx3-ubyte: has images of 4097 x 28 pixels (1 to 4096 each); fetch it again")
case("n over limit", "images without a column", idx(images(columns=0)),
     "data/t10k-images-idx3-ubyte: has images of 28 x 0 pixels (1 to 4096 each); fetch it again")
case("n over limit", "more than 1 GiB of pixels", idx(images(count=2_000_000), labels(count=2_000_000)),
     "data/t10k-images-idx3-ubyte: has 2000000 images of 28 x 28 pixels (1 GiB at most); cut the file down to fewer images")
case("n over limit", "images of 4096 x 5000", idx(images(rows=4096, columns=5000)),
     "data/t10k-images-idx3-ubyte: has images of 4096 x 5000 pixels (1 to 4096 each); fetch it again")
case("n over limit", "no image", idx(images(count=0, pixels=0), labels(count=0, values=b"")),
     "data/t10k-images-idx3-ubyte: holds no image; name a data set that has images")
case("n over limit", "no image, validated", idx(images(count=0, pixels=0), labels(count=0, values=b"")),
     "data/t10k-images-idx3-ubyte: holds no image; name a data set that has images",
     arguments=["validate", "macro.toml", "--set", "accuracy.data_set={file}"])
# ---- unknown key
case("unknown key", "label 10", idx(label_bytes=labels(values=bytes([0, 1, 2, 3, 10]))),
     "data/t10k-labels-idx1-ubyte: label 10 of image 4 is out of range (0 to 9); fetch it again")
case("unknown key", "label 255", idx(label_bytes=labels(values=bytes([255, 1, 2, 3, 4]))),
     "data/t10k-labels-idx1-ubyte: label 255 of image 0 is out of range (0 to 9); fetch it again")
case("unknown key", "CIFAR-10 with label 10", {CIFAR: bytes([10]) + bytes(3072)},
     "data/test_batch.bin: label 10 of image 0 is out of range (0 to 9); fetch it again")
case("unknown key", "CIFAR-10 with label 77", {CIFAR: bytes(3073) + bytes([77]) + bytes(3072)},
     "data/test_batch.bin: label 77 of image 1 is out of range (0 to 9); fetch it again")
# ---- huge number
case("huge number", "2^32 - 1 images, stored", idx(images(count=ALL, rows=1, columns=1), labels(count=ALL)),
     "data/t10k-images-idx3-ubyte: has 4294967295 images of 1 x 1 pixels (1 GiB at most); cut the file down to fewer images")
case("huge number", "2^32 - 1 images of 4096 x 4096", idx(images(count=ALL, rows=4096, columns=4096), labels(count=ALL)),
     "data/t10k-images-idx3-ubyte: has 4294967295 images of 4096 x 4096 pixels (1 GiB at most); cut the file down to fewer images")
case("huge number", "2^32 - 1 rows", idx(images(rows=ALL)),
     "data/t10k-images-idx3-ubyte: has images of 4294967295 x 28 pixels (1 to 4096 each); fetch it again")
case("huge number", "a gzip file that claims 1 GiB", idx(images(count=1_300_000), labels(count=1_300_000), packed=True),
     "data/t10k-images-idx3-ubyte.gz: ends too early (54 bytes can't unpack to 1019200016); fetch it again")
case("huge number", "a gzip file that unpacks to far more than it says",
     packed(images(), lambda whole: gzip.compress(images() + bytes(1 << 28), mtime=0)),
     "data/t10k-images-idx3-ubyte.gz: goes on after its last item; fetch it again")
# ---- wrong shape
case("wrong shape", "images of two axes", idx(images(magic=0x0802)),
     "data/t10k-images-idx3-ubyte: is no IDX file of images (magic number 2050 instead of 2051: 2 axes instead of 3); name a file of that kind")
case("wrong shape", "labels of two axes", idx(label_bytes=labels(magic=0x0802)),
     "data/t10k-labels-idx1-ubyte: is no IDX file of labels (magic number 2050 instead of 2049: 2 axes instead of 1); name a file of that kind")
case("wrong shape", "fewer rows than pixels", idx(images(rows=27)),
     "data/t10k-images-idx3-ubyte: goes on after its last item; fetch it again")
case("wrong shape", "images that the network does not take", idx(images(rows=20, columns=20, pixels=2000)),
     "accuracy.data_set: data has images of 1 x 20 x 20 pixels (the network takes 1 x 28 x 28); name a data set and a network that go together", exit=2)
case("wrong shape", "as many pixels as the network takes, in other rows", idx(images(rows=14, columns=56)),
     "accuracy.data_set: data has images of 1 x 14 x 56 pixels (the network takes 1 x 28 x 28); name a data set and a network that go together", exit=2)
case("wrong shape", "the same, validated", idx(images(rows=14, columns=56)),
     "accuracy.data_set: data has images of 1 x 14 x 56 pixels (the network takes 1 x 28 x 28); name a data set and a network that go together", exit=2,
     arguments=["validate", "macro.toml", "--set", "accuracy.data_set={file}"])
case("wrong shape", "CIFAR-10 for a network of 28 x 28 pixels", {CIFAR: bytes(3073 * 2)},
     "accuracy.data_set: data has images of 3 x 32 x 32 pixels (the network takes 1 x 28 x 28); name a data set and a network that go together", exit=2)
# ---- contradictory
case("contradictory", "fewer labels than images", idx(label_bytes=labels(count=4, values=bytes(4))),
     "data/t10k-labels-idx1-ubyte: has 4 labels for 5 images; take both files of the same split")
case("contradictory", "more labels than images", idx(label_bytes=labels(count=6, values=bytes(6))),
     "data/t10k-labels-idx1-ubyte: has 6 labels for 5 images; take both files of the same split")
case("contradictory", "more images than pixels", idx(images(count=6), labels(count=6, values=bytes(6))),
     "data/t10k-images-idx3-ubyte: ends too early (3936 of 4720 bytes are there); fetch it again")
case("contradictory", "more labels than the file says", idx(label_bytes=labels(values=bytes(9))),
     "data/t10k-labels-idx1-ubyte: goes on after its last item; fetch it again")

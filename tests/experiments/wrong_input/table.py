"""Wrong error tables; run.py says how to read this file."""

import h5py
import numpy
from hdf5_edits import (FOLDER, KINDS, MACRO, all_of, attribute, bytes_changed, dataset, edited,
                        element, make, rewritten, sha256, text, words)

(FOLDER / "macro.toml").write_text(MACRO)
SAMPLED, EXACT = FOLDER / "sampled.h5", FOLDER / "exact.h5"
make("table", "macro.toml", "-q", "-o", "sampled.h5", "--set", "table.method=monte_carlo")
make("table", "macro.toml", "-q", "-o", "exact.h5", "--set", "table.method=exact")
SIZE = SAMPLED.stat().st_size
NAN = float("nan")

CASES = {"file": "t.h5", "arguments": ["report", "{file}", "-o", "page.html"], "exit": 3,
         "kinds": KINDS, "case": []}


def case(kind, name, recipe, line, **more):
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": recipe}, "line": line, **more})


def sampled(*changes):
    return edited(SAMPLED, all_of(*changes))


def exact(*changes):
    return edited(EXACT, all_of(*changes))


def hash_again(data):
    """As experiments/README.md defines it."""
    counts = data["counts"][...] if "counts" in data else numpy.zeros(0)
    keys = numpy.stack([data["lrs_count"][...], data["active_rows"][...]], axis=1)
    content = data.attrs["config_toml"] + b"\0"
    content += words([data["probability"].shape[1], len(keys), counts.size])
    content += words(keys) + words(data["ideal"][...]) + words(counts)
    data.attrs["content_sha256"] = text(sha256(content))


def config(old, new):
    def change(data):
        toml = data.attrs["config_toml"].decode()
        assert toml.count(old) == 1, toml
        toml = toml.replace(old, new)
        data.attrs["config_toml"] = text(toml)
        data.attrs["config_sha256"] = text(sha256(toml.encode()))
    return change


def nothing(folder, file):
    pass


# ---- missing
case("missing", "the file", nothing, "")
case("missing", "the file, given to accuracy", lambda folder, file: (folder / "macro.toml").write_text(MACRO), "",
     arguments=["accuracy", "macro.toml", "--table", "{file}"])
case("missing", "a folder of that name", lambda folder, file: file.mkdir(), "")
case("missing", "the probabilities", sampled(dataset("probability", None)), "")
case("missing", "a key", sampled(dataset("active_rows", None)), "")
case("missing", "an attribute of the root", sampled(attribute("/", "content_sha256", None)), "")
case("missing", "units", sampled(attribute("ideal", "units", None)), "")
# ---- truncated
for name, length in {"an empty file": 0, "a begun signature": 5, "a begun superblock": 40,
                     "half": SIZE // 2, "all but the last byte": SIZE - 1}.items():
    case("truncated", name, bytes_changed(SAMPLED, lambda whole, length=length: whole[:length]), "")
case("truncated", "values that were never written",
     sampled(lambda data: data.__delitem__("probability"),
             lambda data: data.create_dataset("probability", (15, 5), "f8", chunks=(15, 5)),
             attribute("probability", "units", text("1"))), "")
# ---- foreign
case("foreign", "a text", lambda folder, file: file.write_text("no HDF5 at all\n" * 20), "")
case("foreign", "another HDF5 file", edited(SAMPLED, attribute("/", "filetype", None)), "")
case("foreign", "a network", lambda folder, file: h5py.File(file, "w", libver="latest").attrs.update(
    filetype=text("cimstat network"), schema_version=[1, 0]), "")
case("foreign", "the oldest HDF5 format", rewritten(SAMPLED), "")
case("foreign", "of a later version", sampled(attribute("/", "schema_version", [2, 0])), "")
case("foreign", "of an earlier version", sampled(attribute("/", "schema_version", [0, 9])), "")
case("foreign", "a text of variable length", sampled(attribute("/", "title", "sound")), "")
case("foreign", "values in another file", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (15, 5), "f8", external=[("out.bin", 0, 600)])), "")
case("foreign", "a virtual dataset", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_virtual_dataset("probability", h5py.VirtualLayout((15, 5), "f8")),
    attribute("probability", "units", text("1"))), "")
case("foreign", "a link into another file", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.__setitem__("probability", h5py.ExternalLink("other.h5", "/p"))), "")
case("foreign", "another filter", sampled(
    dataset("probability", lambda data: data["probability"][...] if "probability" in data else
            numpy.zeros((15, 5)), compression="lzf", chunks=(15, 5))), "")
case("foreign", "a name that would paint the terminal", sampled(
    attribute("/", "filetype", text(b"\x1b[31mtable"))), "")
# ---- wrong type
case("wrong type", "probabilities as integers", sampled(dataset("probability", numpy.zeros((15, 5), "i4"))), "")
case("wrong type", "counts as floats", sampled(dataset("counts", numpy.zeros((15, 5)))), "")
case("wrong type", "keys as texts", sampled(dataset("lrs_count", numpy.array([b"1"] * 15))), "")
case("wrong type", "keys as booleans", sampled(dataset("lrs_count", numpy.zeros(15, bool))), "")
case("wrong type", "compound values", sampled(
    dataset("probability", numpy.zeros((15, 5), dtype=[("a", "f8"), ("b", "f8")]))), "")
case("wrong type", "a group where a dataset should be", sampled(
    dataset("ideal", None), lambda data: data.create_group("ideal"), attribute("ideal", "units", text("1"))), "")
case("wrong type", "a number where a text should be", sampled(attribute("/", "title", 5)), "")
case("wrong type", "a text where a number should be", sampled(attribute("/", "seed", text("one"))), "")
# ---- wrong unit
case("wrong unit", "references in mA", sampled(attribute("reference", "units", text("mA"))), "")
case("wrong unit", "probabilities in %", sampled(attribute("probability", "units", text("%"))), "")
case("wrong unit", "counts in thousands", sampled(attribute("counts", "units", text("1000"))), "")
case("wrong unit", "rows in metres", sampled(attribute("active_rows", "units", text("m"))), "")
# ---- negative or NaN
case("negative or NaN", "a probability NaN", sampled(element("probability", (3, 1), NAN)), "")
case("negative or NaN", "a probability below 0", sampled(element("probability", (3, 1), -0.25)), "")
case("negative or NaN", "an error bound NaN", exact(element("error_bound", 2, NAN)), "")
case("negative or NaN", "an error bound below 0", exact(element("error_bound", 2, -1e-9)), "")
case("negative or NaN", "a key below 0", sampled(dataset("lrs_count", -numpy.ones(15, "i4"))), "")
case("negative or NaN", "a seed below 0", sampled(attribute("/", "seed", -1)), "")
case("negative or NaN", "a step NaN", sampled(attribute("mac_value", "step", NAN)), "")
case("negative or NaN", "a confidence level NaN", sampled(attribute("/", "confidence_level", NAN)), "")
case("negative or NaN", "a reference NaN", sampled(element("reference", 0, NAN)), "")
# ---- n over limit
case("n over limit", "active rows beyond any column", sampled(element("active_rows", 14, 1025)), "")
case("n over limit", "active rows beyond this column", sampled(element("active_rows", 14, 5)), "")
case("n over limit", "more LRS cells than active rows", sampled(element("lrs_count", 13, 5)), "")
case("n over limit", "an ideal code beyond the last", sampled(element("ideal", 0, 5)), "")
case("n over limit", "more counts than trials", sampled(element("counts", (0, 0), 1001)), "")
# ---- unknown key
case("unknown key", "a misspelt dataset", sampled(lambda data: data.move("upper", "uper")), "")
case("unknown key", "a further key column", sampled(dataset("position", numpy.zeros(15, "u4"))), "")
case("unknown key", "a further group", sampled(lambda data: data.create_group("chip")), "")
case("unknown key", "a misspelt attribute", sampled(attribute("/", "confidence_levle", 0.9)), "")
case("unknown key", "an unknown method", sampled(attribute("/", "method", text("guess"))), "")
# ---- huge number
case("huge number", "a count of 2^64 - 1", sampled(element("counts", (0, 0), 2**64 - 1)), "")
case("huge number", "a probability of 1e308", sampled(element("probability", (3, 1), 1e308)), "")
case("huge number", "a seed of 2^63", sampled(attribute("/", "seed", numpy.uint64(2**63))), "")
case("huge number", "a key of 2^40", sampled(dataset("active_rows", numpy.full(15, 2**40, "u8"))), "")
case("huge number", "10^18 classes", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (10**18, 5), "f8", chunks=(1000, 5), compression=1)), "")
case("huge number", "as many classes as a table may have, without values", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (10**6, 5), "f8", chunks=(1000, 5), compression=1),
    *[dataset(key, numpy.zeros(15, "u4")) for key in ("ideal",)]), "")
# ---- wrong shape
case("wrong shape", "probabilities in one row", sampled(dataset("probability", numpy.zeros(75))), "")
case("wrong shape", "no class at all", sampled(dataset("probability", numpy.zeros((0, 5)))), "")
case("wrong shape", "keys of another length", sampled(dataset("lrs_count", numpy.zeros(14, "u4"))), "")
case("wrong shape", "counts turned round", sampled(dataset("counts", numpy.zeros((5, 15), "u8"))), "")
case("wrong shape", "references of another ladder", sampled(dataset("reference", numpy.zeros(9))), "")
case("wrong shape", "a version of three numbers", sampled(attribute("/", "schema_version", [1, 0, 0])), "")
# ---- contradictory
case("contradictory", "content and its hash", sampled(attribute("/", "content_sha256", text("0" * 64))), "")
case("contradictory", "configuration and its hash", sampled(attribute("/", "config_toml", text("name = 1"))), "")
case("contradictory", "counts and probabilities", sampled(element("counts", (0, 0), 999), hash_again), "")
case("contradictory", "counts and trials", sampled(config("trials = 1000", "trials = 1001"), hash_again), "")
case("contradictory", "probabilities that do not add up", exact(element("probability", (3, 1), 0.75)), "")
case("contradictory", "method and datasets", sampled(attribute("/", "method", text("exact"))), "")
case("contradictory", "configuration and codes", exact(config("\nrows = 4", "\nrows = 5"), hash_again), "")
case("contradictory", "configuration and references", exact(config("sigma = 0.05", "sigma = 0.06"), hash_again), "")
case("contradictory", "classes out of order", sampled(
    lambda data: data["lrs_count"].__setitem__(slice(1, 3), [1, 0])), "")
case("contradictory", "a configuration that is none", exact(config("\nrows = 4", "\nrows = 4000"), hash_again), "")

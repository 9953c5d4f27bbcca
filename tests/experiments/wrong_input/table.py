"""Wrong error tables; run.py says how to read this file."""

import h5py
import numpy
from hdf5_edits import (FOLDER, KINDS, MACRO, all_of, attribute, bytes_changed, dataset, edited,
                        element, make, rewritten, sha256, text, words)

(FOLDER / "macro.toml").write_text(MACRO)
SAMPLED, EXACT = FOLDER / "sampled.h5", FOLDER / "exact.h5"
make("table", "macro.toml", "-q", "-o", "sampled.h5", "--set", "table.method=monte_carlo")
make("table", "macro.toml", "-q", "-o", "exact.h5", "--set", "table.method=exact")
REPLICA = FOLDER / "replica.h5"
make("table", "macro.toml", "-q", "-o", "replica.h5", "--set", "converter.references=replica")
STOPPED = FOLDER / "stopped.h5"
make("table", "macro.toml", "-q", "-o", "stopped.h5", "--set", "table.method=monte_carlo", "--set", "table.trials=20000",
     "--set", "table.target_relative_error=0.2")
SIZE = SAMPLED.stat().st_size
NAN = float("nan")
with h5py.File(EXACT) as sound:
    UPPER = repr(min(float(sound["probability"][0, 0] + sound["error_bound"][0]), 1.0)).removesuffix(".0")

CASES = {"file": "t.h5", "arguments": ["report", "{file}", "-o", "page.html"], "exit": 3,
         "kinds": KINDS, "case": []}


def case(kind, name, recipe, line, **more):
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": recipe}, "line": line, **more})


def sampled(*changes):
    return edited(SAMPLED, all_of(*changes))


def exact(*changes):
    return edited(EXACT, all_of(*changes))


def stopped(*changes):
    return edited(STOPPED, all_of(*changes))


def hash_again(data):
    """As experiments/README.md defines it."""
    counts = data["counts"][...] if "counts" in data else numpy.zeros(0)
    keys = numpy.stack([data["lrs_count"][...], data["active_rows"][...]], axis=1)
    content = data.attrs["config_toml"] + b"\0"
    content += words([data["probability"].shape[1], len(keys), counts.size])
    content += words(keys) + words(data["ideal"][...]) + words(counts)
    if "guaranteed_trial" in data:
        content += words(data["guaranteed_trial"][...])
    data.attrs["content_sha256"] = text(sha256(content))


def config(old, new):
    def change(data):
        toml = data.attrs["config_toml"].decode()
        assert toml.count(old) == 1, toml
        toml = toml.replace(old, new)
        data.attrs["config_toml"] = text(toml)
        data.attrs["config_sha256"] = text(sha256(toml.encode()))
    return change


def virtual(data):
    layout = h5py.VirtualLayout((15, 5), "f8")
    layout[...] = h5py.VirtualSource("other.h5", "p", (15, 5))
    data.create_virtual_dataset("probability", layout)


def nothing(folder, file):
    pass


# ---- missing
case("missing", "the file", nothing,
     "t.h5: can't be read (no such file); check the path", exit=2)
case("missing", "the file, given to accuracy", lambda folder, file: (folder / "macro.toml").write_text(MACRO),
     "t.h5: can't be read (no such file); check the path",
     arguments=["accuracy", "macro.toml", "--table", "{file}"], exit=2)
case("missing", "a folder of that name", lambda folder, file: file.mkdir(),
     "t.h5: can't be read (it is a directory); check the path", exit=2)
case("missing", "the probabilities", sampled(dataset("probability", None)),
     "t.h5: /probability: is missing; check that this is the right file, or make it again")
case("missing", "a key", sampled(dataset("active_rows", None)),
     "t.h5: /active_rows: is missing; check that this is the right file, or make it again")
case("missing", "an attribute of the root", sampled(attribute("/", "content_sha256", None)),
     "t.h5: /: attribute 'content_sha256' is missing; check that this is the right file, or make it again")
case("missing", "units", sampled(attribute("ideal", "units", None)),
     "t.h5: /ideal: attribute 'units' is missing; check that this is the right file, or make it again")
for axis in ("class", "code", "mac_value", "lower", "upper", "reference_index"):
    case("missing", f"/{axis}", exact(dataset(axis, None)),
         f"t.h5: /{axis}: is missing; check that this is the right file, or make it again")
case("missing", "the axis of ladders", edited(REPLICA, dataset("ladder_rows", None)),
     "t.h5: /ladder_rows: is missing; check that this is the right file, or make it again")
case("missing", "what a dataset is", exact(attribute("upper", "long_name", None)),
     "t.h5: /upper: attribute 'long_name' is missing; check that this is the right file, or make it again")
case("missing", "which interval it is", exact(attribute("lower", "comment", None)),
     "t.h5: /lower: attribute 'comment' is missing; check that this is the right file, or make it again")
case("missing", "the conventions", exact(attribute("/", "Conventions", None)),
     "t.h5: /: attribute 'Conventions' is missing; check that this is the right file, or make it again")
for program in (["show"], ["diff", "{file}"], ["report"]):
    case("missing", f"a folder, given to {program[0]}", lambda folder, file: file.mkdir(),
         "t.h5: can't be read (it is a directory); check the path", arguments=[*program, "{file}"], exit=2)
    case("missing", f"a device, given to {program[0]}", lambda folder, file: file.symlink_to("/dev/null"),
         "t.h5: can't be read (it is a pipe or a device); check the path", arguments=[*program, "{file}"], exit=2)
case("missing", "a file whose name is longer than any may be", nothing,
     "x" * 1024 + "...: can't be read (File name too long); check the path", arguments=["show", "x" * 5000], exit=2)
# ---- truncated
case("truncated", "an empty file", bytes_changed(SAMPLED, lambda whole: whole[:0]),
     "t.h5: is empty; copy it again or make it again")
case("truncated", "a begun signature", bytes_changed(SAMPLED, lambda whole: whole[:5]),
     "t.h5: is truncated (5 of 9 bytes are there); copy it again or make it again")
case("truncated", "a begun superblock", bytes_changed(SAMPLED, lambda whole: whole[:40]),
     "t.h5: is truncated (40 of 48 bytes are there); copy it again or make it again")
case("truncated", "half", bytes_changed(SAMPLED, lambda whole: whole[:SIZE // 2]),
     f"t.h5: is truncated ({SIZE // 2} of {SIZE} bytes are there); copy it again or make it again")
case("truncated", "all but the last byte", bytes_changed(SAMPLED, lambda whole: whole[:SIZE - 1]),
     f"t.h5: is truncated ({SIZE - 1} of {SIZE} bytes are there); copy it again or make it again")
case("truncated", "values that were never written",
     sampled(lambda data: data.__delitem__("probability"),
             lambda data: data.create_dataset("probability", (15, 5), "f8", chunks=(15, 5)),
             attribute("probability", "units", text("1"))),
     "t.h5: /probability: lacks a part of its values; restore the file or make it again")
# ---- foreign
case("foreign", "a text", lambda folder, file: file.write_text("no HDF5 at all\n" * 20),
     "t.h5: is not an HDF5 file, or its beginning is lost; check the path")
case("foreign", "another HDF5 file", edited(SAMPLED, attribute("/", "filetype", None)),
     "t.h5: /: attribute 'filetype' is missing (not a file of cimstat); give a cimstat error table file here")
case("foreign", "a network", lambda folder, file: h5py.File(file, "w", libver="latest").attrs.update(
    filetype=text("cimstat network"), schema_version=[1, 0]),
     "t.h5: is a network (the error table comes first, accuracy results follow it); "
     "name files that cimstat table and cimstat accuracy made")
case("foreign", "the oldest HDF5 format", rewritten(SAMPLED),
     't.h5: is of an old HDF5 format whose structure has no checksums (superblock version 0); rewrite it with h5repack -L OLD NEW, or in h5py with libver="latest"')
case("foreign", "of a later version", sampled(attribute("/", "schema_version", [2, 0])),
     "t.h5: /: has schema version 2.0 (this program reads version 1.x); use a newer cimstat, or make the file again with this one")
case("foreign", "of an earlier version", sampled(attribute("/", "schema_version", [0, 9])),
     "t.h5: /: has schema version 0.9 (this program reads version 1.x); make the file again with this cimstat")
case("foreign", "a text of variable length", sampled(attribute("/", "title", "sound")),
     "t.h5: /: attribute 'title' is a text of variable length (such texts carry no checksum); write it with a fixed length, in h5py as numpy.bytes_(text.encode())")
case("foreign", "values in another file", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (15, 5), "f8", external=[("out.bin", 0, 600)])),
     "t.h5: /probability: keeps its values in another file; write the values into this file")
case("foreign", "a virtual dataset", sampled(
    lambda data: data.__delitem__("probability"),
    virtual,
    attribute("probability", "units", text("1"))),
     "t.h5: /probability: keeps its values in another file; write the values into this file")
case("foreign", "a link into another file", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.__setitem__("probability", h5py.ExternalLink("other.h5", "/p"))),
     "t.h5: /probability: is a soft or external link; put the object itself in its place")
case("foreign", "groups that share groups", sampled(
    *[lambda data, depth=depth: (data.require_group(f"/{'g/' * depth}g"), [
        data.__setitem__(f"/{'g/' * depth}{other}", data[f"/{'g/' * depth}g"]) for other in "abc"])
      for depth in range(12)]),
     "t.h5: /g: is linked more than once (4 links); keep one of them", arguments=["show", "{file}"])
case("foreign", "another filter", sampled(
    dataset("probability", lambda data: data["probability"][...] if "probability" in data else
            numpy.zeros((15, 5)), compression="lzf", chunks=(15, 5))),
     "t.h5: /probability: went through a filter that is not allowed here (number 32000 of HDF5's list); write it again with no filters but gzip, shuffle and fletcher32")
case("foreign", "a name that would paint the terminal", sampled(
    attribute("/", "filetype", text(b"\x1b[31mtable"))),
     "t.h5: /: attribute 'filetype' is not plain text (byte 0x1b at 0); write it as UTF-8 without control characters")
case("foreign", "a type of 60,000 letters", sampled(attribute("/", "filetype", text("x" * 60_000))),
     "t.h5: /: is of the type " + "x" * 200 + "... (not a kind of file that cimstat makes); open it with another HDF5 tool",
     arguments=["show", "{file}"])
# ---- wrong type
case("wrong type", "probabilities as integers", sampled(dataset("probability", numpy.zeros((15, 5), "i4"))),
     "t.h5: /probability: does not hold floating-point numbers (it holds integers of 32 bits); write it as float64 or float32")
case("wrong type", "counts as floats", sampled(dataset("counts", numpy.zeros((15, 5)))),
     "t.h5: /counts: does not hold integers (it holds floating-point numbers of 64 bits); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "keys as texts", sampled(dataset("lrs_count", numpy.array([b"1"] * 15))),
     "t.h5: /lrs_count: does not hold integers (it holds text); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "keys as booleans", sampled(dataset("lrs_count", numpy.zeros(15, bool))),
     "t.h5: /lrs_count: does not hold integers (it holds an enumeration, such as booleans); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "compound values", sampled(
    dataset("probability", numpy.zeros((15, 5), dtype=[("a", "f8"), ("b", "f8")]))),
     "t.h5: /probability: does not hold floating-point numbers (it holds compound values); write it as float64 or float32")
case("wrong type", "a group where a dataset should be", sampled(
    dataset("ideal", None), lambda data: data.create_group("ideal"), attribute("ideal", "units", text("1"))),
     "t.h5: /ideal: is not a dataset; restore the file or make it again")
case("wrong type", "a number where a text should be", sampled(attribute("/", "title", 5)),
     "t.h5: /: attribute 'title' is not one text; restore the file or make it again")
case("wrong type", "a text where a number should be", sampled(attribute("/", "seed", text("one"))),
     "t.h5: /: attribute 'seed' is not an integer (it holds text); write it as an integer of 8, 16, 32 or 64 bits")
case("wrong type", "a named datatype", sampled(
    dataset("probability", None), lambda data: data.__setitem__("probability", numpy.dtype("f8"))),
     "t.h5: /probability: is not a dataset (it is a named datatype); restore the file or make it again",
     arguments=["show", "{file}"])
case("wrong type", "an axis as floats", exact(dataset("class", numpy.arange(15.0))),
     "t.h5: /class: holds float64 (uint32 is needed); make the file again")
case("wrong type", "an axis of other integers", exact(dataset("code", numpy.arange(5))),
     "t.h5: /code: holds int64 (uint32 is needed); make the file again")
case("wrong type", "bounds in single precision", exact(
    dataset("lower", lambda data: numpy.zeros((15, 5), "f4")), attribute("lower", "comment", text("short"))),
     "t.h5: /lower: holds float32 (float64 is needed); make the file again")
case("wrong type", "a group in the place of an axis", exact(
    dataset("code", None), lambda data: data.create_group("code"), attribute("code", "units", text("1"))),
     "t.h5: /code: is not a dataset (uint32 is needed); make the file again")
# ---- wrong unit
case("wrong unit", "references in mA", sampled(attribute("reference", "units", text("mA"))),
     "t.h5: /reference: is in units of 'mA' ('A' is needed); convert the values, or make the file again")
case("wrong unit", "probabilities in %", sampled(attribute("probability", "units", text("%"))),
     "t.h5: /probability: is in units of '%' ('1' is needed); convert the values, or make the file again")
case("wrong unit", "counts in thousands", sampled(attribute("counts", "units", text("1000"))),
     "t.h5: /counts: is in units of '1000' ('1' is needed); convert the values, or make the file again")
case("wrong unit", "rows in metres", sampled(attribute("active_rows", "units", text("m"))),
     "t.h5: /active_rows: is in units of 'm' ('1' is needed); convert the values, or make the file again")
case("wrong unit", "bounds in %", exact(attribute("upper", "units", text("%"))),
     "t.h5: /upper: is in units of '%' ('1' is needed); convert the values, or make the file again")
# ---- negative or NaN
case("negative or NaN", "a lower end NaN", sampled(element("lower", (0, 4), NAN)),
     "t.h5: /lower: contradicts /counts and confidence_level (class 0, code 4: nan instead of 0); make the table again")
case("negative or NaN", "a probability NaN", sampled(element("probability", (3, 1), NAN)),
     "t.h5: /probability: nan is no probability (class 3, code 1); make the table again")
case("negative or NaN", "a probability below 0", sampled(element("probability", (3, 1), -0.25)),
     "t.h5: /probability: -0.25 is no probability (class 3, code 1); make the table again")
case("negative or NaN", "an error bound NaN", exact(element("error_bound", 2, NAN)),
     "t.h5: /error_bound: nan is no bound (class 2); make the table again")
case("negative or NaN", "an error bound below 0", exact(element("error_bound", 2, -1e-9)),
     "t.h5: /error_bound: -1e-09 is no bound (class 2); make the table again")
case("negative or NaN", "a key below 0", sampled(dataset("lrs_count", -numpy.ones(15, "i4"))),
     "t.h5: /lrs_count: holds an integer that is out of range; restore the file or make it again")
case("negative or NaN", "a seed below 0", sampled(attribute("/", "seed", -1)),
     "t.h5: /: attribute 'seed' is -1 (a seed is 0 or more); make the file again")
case("negative or NaN", "a step NaN", sampled(attribute("mac_value", "step", NAN)),
     "t.h5: /mac_value: attribute 'step' or 'origin' is no usable number (step nan, origin 0; a positive and a finite one are needed); make the table again")
case("negative or NaN", "a confidence level NaN", sampled(attribute("/", "confidence_level", NAN)),
     "t.h5: /: attribute 'confidence_level' is nan (between 0 and 1 is needed); make the file again")
case("negative or NaN", "a reference NaN", sampled(element("reference", 0, NAN)),
     "t.h5: /reference: contradicts config_toml (value 0: nan A instead of 5.4694421301746944e-06 A); make the table again")
# ---- n over limit
case("n over limit", "active rows beyond any column", sampled(element("active_rows", 14, 1025)),
     "t.h5: /active_rows: 1025 is out of range (0 to 1024); make the table again")
case("n over limit", "active rows beyond this column", sampled(element("active_rows", 14, 5)),
     "t.h5: /active_rows: contradicts config_toml: more rows than the column has (5 of 4); make the table again")
case("n over limit", "more LRS cells than active rows", sampled(element("lrs_count", 13, 5)),
     "t.h5: /lrs_count: class 13 has more LRS cells than active rows (5 of 4); make the table again")
case("n over limit", "an ideal code beyond the last", sampled(element("ideal", 0, 5)),
     "t.h5: /ideal: 5 is out of range (0 to 4); make the table again")
case("n over limit", "more counts than trials", sampled(element("counts", (0, 0), 1001)),
     "t.h5: /counts: 1001 is more than the trials of a class (class 0, code 0: 1000 trials in config_toml); make the table again")
# ---- unknown key
case("unknown key", "an attribute that would change what others read", exact(attribute("probability", "scale_factor", 2.0)),
     "t.h5: /probability: holds the unknown attribute 'scale_factor' (this version of the format has none of that name); remove it")
case("unknown key", "an unknown generator", exact(attribute("/", "rng", text("mt19937"))),
     "t.h5: /: attribute 'rng' is 'mt19937' ('philox4x32-10' is needed); make the file again")
case("unknown key", "a misspelt dataset", sampled(lambda data: data.move("upper", "uper")),
     "t.h5: /: holds the unknown member 'uper' (this version of the format has none of that name); did you mean upper?")
case("unknown key", "a further key column", sampled(dataset("position", numpy.zeros(15, "u4"))),
     "t.h5: /: holds the unknown member 'position' (this version of the format has none of that name); remove it")
case("unknown key", "a further group", sampled(lambda data: data.create_group("chip")),
     "t.h5: /: holds the unknown member 'chip' (this version of the format has none of that name); remove it")
case("unknown key", "a misspelt attribute", sampled(attribute("/", "confidence_levle", 0.9)),
     "t.h5: /: holds the unknown attribute 'confidence_levle' (this version of the format has none of that name); did you mean confidence_level?")
case("unknown key", "an unknown method", sampled(attribute("/", "method", text("guess"))),
     "t.h5: /: method 'guess' is not known (exact, monte_carlo or measured); make the table again")
# ---- huge number
case("huge number", "a count of 2^64 - 1", sampled(element("counts", (0, 0), 2**64 - 1)),
     "t.h5: /counts: 18446744073709551615 is more than the trials of a class (class 0, code 0: 1000 trials in config_toml); make the table again")
case("huge number", "a probability of 1e308", sampled(element("probability", (3, 1), 1e308)),
     "t.h5: /probability: 1e+308 is no probability (class 3, code 1); make the table again")
case("huge number", "a seed of 2^63", sampled(attribute("/", "seed", numpy.uint64(2**63))),
     "t.h5: /: attribute 'seed' is out of range; restore the file or make it again")
case("huge number", "a key of 2^40", sampled(dataset("active_rows", numpy.full(15, 2**40, "u8"))),
     "t.h5: /active_rows: 1099511627776 is out of range (0 to 1024); make the table again")
case("huge number", "10^18 classes", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (10**18, 5), "f8", chunks=(1000, 5), compression=1)),
     "t.h5: /probability: is not a [class, code] array of a size that a table can have (1000000000000000000 x 5; 1000000 classes, 65536 codes and 134217728 entries at most); make the table again")
case("huge number", "as many classes as a table may have, without values", sampled(
    lambda data: data.__delitem__("probability"),
    lambda data: data.create_dataset("probability", (10**6, 5), "f8", chunks=(1000, 5), compression=1),
    *[dataset(key, numpy.zeros(15, "u4")) for key in ("ideal",)]),
     "t.h5: /lrs_count: does not go with the class axis of /probability (shape 15 instead of 1000000); make the table again")
# ---- wrong shape
case("wrong shape", "probabilities in one row", sampled(dataset("probability", numpy.zeros(75))),
     "t.h5: /probability: is not a [class, code] array of a size that a table can have (75; 1000000 classes, 65536 codes and 134217728 entries at most); make the table again")
case("wrong shape", "no class at all", sampled(dataset("probability", numpy.zeros((0, 5)))),
     "t.h5: /probability: is not a [class, code] array of a size that a table can have (0 x 5; 1000000 classes, 65536 codes and 134217728 entries at most); make the table again")
case("wrong shape", "keys of another length", sampled(dataset("lrs_count", numpy.zeros(14, "u4"))),
     "t.h5: /lrs_count: does not go with the class axis of /probability (shape 14 instead of 15); make the table again")
case("wrong shape", "counts turned round", sampled(dataset("counts", numpy.zeros((5, 15), "u8"))),
     "t.h5: /counts: its shape is not that of /probability; make the table again")
case("wrong shape", "references of another ladder", sampled(dataset("reference", numpy.zeros(9))),
     "t.h5: /reference: its shape is not that of the references in config_toml (9 instead of 4); make the table again")
case("wrong shape", "32 axes", sampled(dataset("probability", numpy.zeros((1,) * 31 + (75,)))),
     "t.h5: /probability: is not a [class, code] array of a size that a table can have (" + "1 x " * 31 + "75; 1000000 classes, 65536 codes and 134217728 entries at most); make the table again")
case("wrong shape", "a scalar", sampled(dataset("probability", 0.5)),
     "t.h5: /probability: is not a [class, code] array of a size that a table can have (one value; 1000000 classes, 65536 codes and 134217728 entries at most); make the table again")
case("wrong shape", "bounds turned round", exact(dataset("upper", numpy.ones((5, 15))), attribute("upper", "comment", text("short"))),
     "t.h5: /upper: its shape is not that of /probability (5 x 15 instead of 15 x 5); make the table again")
case("wrong shape", "an axis too short", exact(dataset("class", numpy.arange(14, dtype="u4"))),
     "t.h5: /class: is not the axis that its name says (shape 14 instead of 15); make the file again")
case("wrong shape", "MAC values of fewer codes", exact(dataset("mac_value", numpy.arange(4.0))),
     "t.h5: /mac_value: its length is not that of the code axis (4 instead of 5); make the table again")
case("wrong shape", "a version of three numbers", sampled(attribute("/", "schema_version", [1, 0, 0])),
     "t.h5: /: attribute 'schema_version' is not [major, minor]; restore the file or make it again")
# ---- contradictory
case("contradictory", "content and its hash", sampled(attribute("/", "content_sha256", text("0" * 64))),
     "t.h5: /: content_sha256 is not that of the keys, counts and configuration (damaged or edited); make the table again")
case("contradictory", "configuration and its hash", sampled(attribute("/", "config_toml", text("name = 1"))),
     "t.h5: /: attribute 'config_toml' is not what config_sha256 was made of (damaged or edited); make the file again")
case("contradictory", "counts and probabilities", sampled(element("counts", (0, 0), 999), hash_again),
     "t.h5: /probability: contradicts /counts (class 0, code 0: 0.996 instead of 0.999); make the table again")
case("contradictory", "counts and trials", sampled(config("trials = 1000", "trials = 1001"), hash_again),
     "t.h5: /probability: contradicts /counts (class 0, code 0: 0.996 instead of 0.995004995004995); make the table again")
case("contradictory", "probabilities that do not add up", exact(element("probability", (3, 1), 0.75)),
     "t.h5: /probability: class 3 sums to 1.739457304338365 instead of 1; make the table again")
case("contradictory", "method and datasets", sampled(attribute("/", "method", text("exact"))),
     "t.h5: /counts: has no place in this table (its method is exact); make the table again")
case("contradictory", "configuration and classes", exact(config("\nrows = 4", "\nrows = 5"), hash_again),
     "t.h5: /active_rows: contradicts config_toml: other classes than table.active_rows asks for; make the table again")
case("contradictory", "configuration and codes", exact(config("reference_rows = 4", "reference_rows = 3"), hash_again),
     "t.h5: /probability: contradicts config_toml: another number of codes (5 instead of 4); make the table again")
case("contradictory", "configuration and references", exact(config("sigma = 0.05", "sigma = 0.06"), hash_again),
     "t.h5: /reference: contradicts config_toml (value 0: 5.4694421301746944e-06 A instead of 5.471645487761955e-06 A); make the table again")
case("contradictory", "classes out of order", sampled(
    lambda data: data["lrs_count"].__setitem__(slice(1, 3), [1, 0])),
     "t.h5: /active_rows: class 2 is out of order (classes ascend in active_rows, then lrs_count); make the table again")
case("contradictory", "a configuration that is none", exact(config("\nrows = 4", "\nrows = 4000"), hash_again),
     "t.h5: /: attribute 'config_toml' is no configuration of this version (config_toml:25:8: column.rows: 4000 is out of range (must be a whole number from 1 to 1024); write 1024 or less); make the file again with this cimstat")
case("contradictory", "an axis that does not count", exact(element("code", 2, 3)),
     "t.h5: /code: element 2 is 3 (an axis counts from 0 in steps of 1); make the file again")
case("contradictory", "ladders in another order", edited(REPLICA, element("ladder_rows", 0, 1)),
     "t.h5: /ladder_rows: element 0 is 1 (an axis counts from 0 in steps of 1); make the file again")
case("contradictory", "ladders where there is one", exact(dataset("ladder_rows", numpy.arange(5, dtype="u4"))),
     "t.h5: /ladder_rows: has no place in this table (its references are the same for all numbers of active rows); make the table again")
case("contradictory", "MAC values and their step", exact(element("mac_value", 2, 2.5)),
     "t.h5: /mac_value: contradicts its attributes step and origin (code 2: 2.5 instead of 2); make the table again")
case("contradictory", "an exact interval", exact(element("upper", (0, 0), 0.5)),
     f"t.h5: /upper: contradicts /probability and /error_bound (class 0, code 0: 0.5 instead of {UPPER}); make the table again")
case("contradictory", "a sampled interval", sampled(element("lower", (0, 4), 1e-9)),
     "t.h5: /lower: contradicts /counts and confidence_level (class 0, code 4: 1e-09 instead of 0); make the table again")
case("contradictory", "seed and configuration", sampled(attribute("/", "seed", 7)),
     "t.h5: /: attribute 'seed' contradicts config_toml (7 instead of 1); make the file again")
case("contradictory", "confidence level and configuration", sampled(attribute("/", "confidence_level", 0.9)),
     "t.h5: /: attribute 'confidence_level' contradicts config_toml (0.9 instead of 0.95); make the file again")
case("contradictory", "title and configuration", sampled(attribute("/", "title", text("another"))),
     "t.h5: /: attribute 'title' contradicts config_toml (another instead of sound); make the file again")
case("contradictory", "method and configuration", sampled(
    config('method = "monte_carlo"', 'method = "exact"'), hash_again),
     "t.h5: /: contradicts config_toml: another method (monte_carlo); make the table again")
# ---- of tables that were sampled until misreads were enough
case("missing", "why sampling ended", stopped(dataset("stop_reason", None)),
     "t.h5: /stop_reason: is missing; check that this is the right file, or make it again")
case("missing", "the misreads that the target takes", stopped(attribute("/", "target_misreads", None)),
     "t.h5: /: attribute 'target_misreads' is missing; check that this is the right file, or make it again")
case("missing", "what the reasons mean", stopped(attribute("stop_reason", "comment", None)),
     "t.h5: /stop_reason: attribute 'comment' is missing; check that this is the right file, or make it again")
case("wrong type", "the trials of last misreads as floats", stopped(dataset("guaranteed_trial", numpy.zeros(15)), attribute("guaranteed_trial", "comment", text("short"))),
     "t.h5: /guaranteed_trial: holds float64 (uint64 is needed); make the file again")
case("wrong unit", "guaranteed rates in %", stopped(attribute("guaranteed_misread", "units", text("%"))),
     "t.h5: /guaranteed_misread: is in units of '%' ('1' is needed); convert the values, or make the file again")
case("negative or NaN", "a guaranteed rate NaN", stopped(element("guaranteed_misread", 1, NAN)),
     "t.h5: /guaranteed_misread: contradicts /guaranteed_trial, seed and confidence_level (class 1: nan instead of 0.006133127969361441); make the table again")
case("negative or NaN", "a guaranteed rate where none is known", stopped(element("guaranteed_misread", 0, 0.004)),
     "t.h5: /guaranteed_misread: contradicts /guaranteed_trial, seed and confidence_level (class 0: 0.004 instead of nan); make the table again")
case("n over limit", "a last misread beyond all trials", stopped(element("guaranteed_trial", 1, 20001), hash_again),
     "t.h5: /guaranteed_trial: contradicts /counts (class 1: 16384 trials instead of 20000); make the table again")
case("unknown key", "the ends of sampling without a target", sampled(attribute("/", "schema_version", [1, 1]), dataset("stop_reason", numpy.zeros(15, "u4"))),
     "t.h5: /stop_reason: has no place in this table (it was not sampled until a target_relative_error); make the table again")
case("unknown key", "the ends of sampling in the version before", sampled(dataset("stop_reason", numpy.zeros(15, "u4"))),
     "t.h5: /: holds the unknown member 'stop_reason' (this version of the format has none of that name); remove it")
case("unknown key", "a stop reason beyond those known", stopped(element("stop_reason", 0, 7)),
     "t.h5: /stop_reason: contradicts /counts and /guaranteed_trial (class 0: 7 instead of 1); make the table again")
case("huge number", "a last misread in trial 2^64 - 1", stopped(element("guaranteed_trial", 1, 2**64 - 1), hash_again),
     "t.h5: /guaranteed_trial: contradicts /counts (class 1: 16384 trials instead of 20000); make the table again")
case("wrong shape", "reasons of fewer classes", stopped(dataset("stop_reason", numpy.zeros(14, "u4")), attribute("stop_reason", "comment", text("short"))),
     "t.h5: /stop_reason: its length is not that of the class axis (14 instead of 15); make the table again")
case("contradictory", "target and configuration", stopped(attribute("/", "target_relative_error", 0.1)),
     "t.h5: /: attribute 'target_relative_error' contradicts config_toml (0.1 instead of 0.2); make the table again")
case("contradictory", "target and misreads", stopped(attribute("/", "target_misreads", 96)),
     "t.h5: /: attribute 'target_misreads' is 96 (20 % at 95 % take 97); make the table again")
case("contradictory", "a reason and the counts", stopped(element("stop_reason", 1, 1)),
     "t.h5: /stop_reason: contradicts /counts and /guaranteed_trial (class 1: 1 instead of 0); make the table again")
case("contradictory", "a last misread and the trials of its class", stopped(element("guaranteed_trial", 1, 100), hash_again),
     "t.h5: /guaranteed_trial: contradicts /counts (class 1: 16384 trials instead of 4096); make the table again")
case("contradictory", "a last misread before there were so many", stopped(element("guaranteed_trial", 13, 96), hash_again),
     "t.h5: /guaranteed_trial: contradicts /counts (class 13: misread 97 in trial 96, but 319 in 4096); make the table again")
case("contradictory", "a last misread that never came", stopped(element("guaranteed_trial", 0, 19999), hash_again),
     "t.h5: /guaranteed_trial: contradicts /counts (class 0: misread 97 in trial 19999, but 61 in all); make the table again")
case("contradictory", "a last misread in the trial before", stopped(lambda data: element("guaranteed_trial", 1, int(data["guaranteed_trial"][1]) - 1)(data), hash_again),
     "t.h5: /guaranteed_time: contradicts /guaranteed_trial, seed and confidence_level (class 1: 15652.698016342738 instead of 15651.70258726976); make the table again")
case("contradictory", "an exact interval of the guaranteed rate", stopped(element("guaranteed_lower", 1, 0.5)),
     "t.h5: /guaranteed_lower: contradicts /guaranteed_trial, seed and confidence_level (class 1: 0.5 instead of 0.00502536147391997); make the table again")
case("contradictory", "trials beyond those allowed", stopped(config("trials = 20000", "trials = 10000"), hash_again),
     "t.h5: /counts: 19939 is more than the trials of a class (class 0, code 0: 10000 trials in config_toml); make the table again")

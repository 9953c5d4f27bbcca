"""Wrong results of columns; run.py says how to read this file."""

import numpy
from hdf5_edits import (FOLDER, MACRO, all_of, attribute, bytes_changed, dataset, edited, element, make, sha256,
                        text)

(FOLDER / "macro.toml").write_text(MACRO)
SOUND = FOLDER / "sound.h5"
make("columns", "macro.toml", "-q", "-o", SOUND.name, "--columns", "3", "--dies", "2")

CASES = {"file": "c.h5", "arguments": ["show", "{file}"], "exit": 3, "case": []}


def case(kind, name, recipe, line, **more):
    CASES["case"].append({"kind": kind, "name": name, "input": {"recipe": recipe}, "line": line, **more})


def sound(*changes):
    return edited(SOUND, all_of(*changes))


def config(old, new):
    def change(data):
        toml = data.attrs["config_toml"].decode()
        assert toml.count(old) == 1, toml
        toml = toml.replace(old, new)
        data.attrs["config_toml"] = text(toml)
        data.attrs["config_sha256"] = text(sha256(toml.encode()))
    return change


AGAIN = "make the result again with cimstat columns"
for name in ("class", "column", "lrs_count", "active_rows", "die", "misread", "both_wrong", "vote_wrong"):
    case("missing", f"/{name}", sound(dataset(name, None)),
         f"c.h5: /{name}: is missing; check that this is the right file, or make it again")
for name in ("rng", "Conventions", "seed", "config_toml"):
    case("missing", name, sound(attribute("/", name, None)),
         f"c.h5: /: attribute '{name}' is missing; check that this is the right file, or make it again")
case("wrong type", "an unknown dataset", sound(dataset("misreads", numpy.zeros(3))),
     "c.h5: /: holds the unknown member 'misreads' (this version of the format has none of that name); "
     "did you mean misread?")
case("wrong type", "rates of single precision", sound(dataset("misread", numpy.zeros((5, 6), "f4"))),
     "c.h5: /misread: holds float32 (float64 is needed); make the file again")
case("wrong type", "rates in percent", sound(attribute("misread", "units", text("%"))),
     "c.h5: /misread: is in units of '%' ('1' is needed); convert the values, or make the file again")
case("wrong type", "rates of another number of columns", sound(dataset("misread", numpy.zeros((5, 7)))),
     f"c.h5: /misread: is not a [class, column] array that goes with config_toml (5 x 7 instead of 5 x 6); {AGAIN}")
case("no probability", "a rate that is none", sound(element("misread", (1, 2), numpy.nan)),
     f"c.h5: /misread: element 8 is nan (a probability lies between 0 and 1); {AGAIN}")
case("no probability", "a rate below 0", sound(element("vote_wrong", (0, 0), -0.5)),
     f"c.h5: /vote_wrong: element 0 is -0.5 (a probability lies between 0 and 1); {AGAIN}")
case("no probability", "a rate beyond 1", sound(element("misread", (0, 1), 2.0)),
     f"c.h5: /misread: element 1 is 2 (a probability lies between 0 and 1); {AGAIN}")
case("no probability", "an infinite rate", sound(element("both_wrong", (4, 5), numpy.inf)),
     f"c.h5: /both_wrong: element 29 is inf (a probability lies between 0 and 1); {AGAIN}")
case("contradictory", "pairs oftener than single errors",
     sound(element("misread", (0, 0), 0.25), element("both_wrong", (0, 0), 0.5)),
     f"c.h5: /both_wrong: element 0 contradicts /misread (0.5 with a rate of 0.25); {AGAIN}")
case("contradictory", "dies and configuration", sound(element("die", 3, 0)),
     f"c.h5: /die: element 3 contradicts config_toml (0 instead of 1); {AGAIN}")
case("contradictory", "MAC values and configuration", sound(element("lrs_count", 2, 3)),
     f"c.h5: /lrs_count: element 2 contradicts config_toml (3 instead of 2); {AGAIN}")
case("contradictory", "columns and configuration", sound(config("columns = 3", "columns = 4")),
     "c.h5: /column: is not the axis that its name says (shape 6 instead of 8); make the file again")
case("damaged", "more columns than can be", sound(config("columns = 3", "columns = 1000000"),
                                                   config("dies = 2", "dies = 1000000")),
     "c.h5: /: attribute 'config_toml' is no configuration of this version (config_toml:29:11: columns.columns: there "
     "would be too many rates (1000000 dies x 1000000 columns x 5 MAC values, 20000000 at the most); lower columns.dies "
     "or columns.columns); make the file again with this cimstat")
SIZE = SOUND.stat().st_size
for left in (SIZE // 2, SIZE - 1):
    case("damaged", f"{left} bytes", bytes_changed(SOUND, lambda data, left=left: data[:left]),
         f"c.h5: is truncated ({left} of {SIZE} bytes are there); copy it again or make it again")
case("damaged", "no HDF5", bytes_changed(SOUND, lambda data: b"rates of columns"),
     "c.h5: is not a file that cimstat knows (neither HDF5 with its beginning whole, nor called .run.json, .toml or .onnx); "
     "check the path")

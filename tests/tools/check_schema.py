"""Checks experiment files against the JSON Schema that the program prints.

    check_schema.py CIMSTAT CONFIGS

Every example must pass; each of the wrong ones below must be refused by schema and program alike.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is missing")
    sys.exit(0)

# (section, key, value): put into rram_128rows.toml. None removes the key.
WRONG = [
    (["column"], "rows", 5000),
    (["column"], "rows", 1.5),
    (["column"], "read_voltage", "0.2 ohm"),
    (["column"], "read_voltage", "0.2 dV"),
    (["column"], "collumns", 3),
    (["column"], "rows", None),
    (["cell"], "model", "pcm"),
    (["cell", "lrs"], "sigma", -0.1),
    (["cell", "lrs"], "mean", "40 uS"),
    (["cell", "lrs"], "median_resistance", "25 kohm"),
    (["cell", "lrs"], "values", [1, 2]),
    (["cell", "lrs"], "sigma", None),
    (["cell"], "hrs", None),
    (["converter"], "codes", 4),
    (["converter"], "references", "midpiont"),
    (["table"], "active_rows", "some"),
    (["table"], "closed_form", "yes"),
    ([], "nosuch", {"key": 1}),
    ([], "column", [{"rows": 9}]),
    ([], "sweep", {"outputs": ["tables"]}),
    ([], "sweep", {"outputs": []}),
    ([], "sweep", {"outputs": ["table", "table"]}),
    ([], "sweep", {"axis": {"1st": {"key": "seed", "values": [1]}}}),
    ([], "sweep", {"axis": {"a": {"key": "seed", "values": []}}}),
    ([], "sweep", {"axis": {"a": {"key": "seed", "values": [[1]]}}}),
    ([], "sweep", {"axis": {"a": {"key": "seed", "value": [1]}}}),
    ([], "sweep", {"axis": {"a": {"key": "cell.lrs.sigma", "from": 1, "to": 2, "spacing": "log10"}}}),
    ([], "sweep", {"axis": {"a": {"cases": [1], "vary": {"seed": [1]}}}}),
]

# The same file in other words, which must pass.
RIGHT = [
    (["column"], "read_voltage", 0.2),
    (["column"], "read_voltage", " +.2e3 mV "),
    (["column"], "rows", 128.0),
    (["cell"], "access_resistance", "2 k\u03a9"),
    (["cell"], "read_noise", "1 %"),
    (["table"], "active_rows", [1, 2, 128]),
    (["table"], "active_rows", 16),
    (["table"], "trials", 1e9),
    (["cell", "lrs"], "low", "10 uS"),
    (["cell"], "hrs", {"distribution": "point", "value": 0}),
    (["cell"], "hrs", {"distribution": "empirical", "values": ["1 uS", 2e-6]}),
    ([], "converter", {"references": "uniform", "codes": 8}),
    ([], "converter", {"reference_rows": 16}),
    ([], "sweep", {"outputs": ["table", "margin"], "samples": 4,
                   "axis": {"a": {"key": "seed", "values": [1, 2]},
                            "b": {"key": "cell.lrs.sigma", "also": ["cell.hrs.sigma"],
                                  "from": 0.1, "to": "20 %", "spacing": "log"},
                            "c": {"cases": ["x", "y"], "vary": {"column.rows": [128, 64]}}}}),
]


def changed(document, path, key, value):
    result = copy.deepcopy(document)
    table = result
    for name in path:
        table = table[name]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return result


def toml_value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml_value(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def program_accepts(program, document):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.writelines(f"{key} = {toml_value(value)}\n" for key, value in document.items())
        file.flush()
        without_files = ["--set", "accuracy.network=fashion-cnn"]
        run = subprocess.run([program, "table", file.name, "--dry-run", *without_files],
                             capture_output=True)
    return run.returncode == 0


def main():
    program, configs = sys.argv[1], pathlib.Path(sys.argv[2])
    schema = json.loads(subprocess.run([program, "describe", "--json-schema"], check=True,
                                       capture_output=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failures = []
    documents = {file.name: tomllib.loads(file.read_text()) for file in sorted(configs.glob("*.toml"))}
    for name, document in documents.items():
        failures += [f"{name}: {error.message}" for error in validator.iter_errors(document)]
    base = documents["rram_128rows.toml"]
    for cases, right in ((WRONG, False), (RIGHT, True)):
        for path, key, value in cases:
            document = changed(base, path, key, value)
            where = ".".join([*path, key])
            for judge, verdict in (("schema", validator.is_valid(document)),
                                   ("program", program_accepts(program, document))):
                if verdict != right:
                    failures.append(f"{judge} on {where} = {value!r}: {verdict}")
    listed = json.loads(subprocess.run([program, "describe", "--json"], check=True,
                                       capture_output=True).stdout)
    if not any(section["section"] == "cell.lrs" for section in listed["sections"]):
        failures.append("describe --json: no cell.lrs")
    for failure in failures:
        print(failure)
    print(f"{len(documents)} examples, {len(WRONG)} wrong, {len(RIGHT)} right, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""Compares the pages of file formats with files that the program really writes, and runs their examples.

Usage: check_formats.py CIMSTAT SOURCE FOLDER

Every attribute and dataset of a written file must stand in its page with the same type, axes and unit, and
everything that a page promises must be in the file. A file of a later minor version must be read, one of a later
major version refused.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

try:
    import h5netcdf  # noqa: F401  the examples use it through xarray
    import h5py
    import xarray  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

cimstat, source, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
pages = source / "experiments"
scale_attributes = {"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST"}
problems = []


def complain(*words):
    problems.append(" ".join(str(word) for word in words))


def tables(page):
    """{first header cell: [row as {header: cell}]} of a page; tables with the same first header are joined."""
    found, header = {}, None
    for line in (pages / page).read_text().splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header is None:
            header = cells
        elif not set(cells[0]) <= set("-"):
            row = dict(zip(header, cells))
            row[header[0]] = row[header[0]].strip("`")
            found.setdefault(header[0], []).append(row)
    return found


def examples(page):
    return re.findall(r"^```python\n(.*?)^```", (pages / page).read_text(), re.M | re.S)


def type_of(value, dtype, shape):
    if dtype.kind in "SO" and not shape:
        return "text"
    return dtype.name + (f" [{shape[0]}]" if shape else "")


def attribute_types(item):
    found = {}
    for name in item.attrs:
        kind = item.attrs.get_id(name)
        if name not in scale_attributes:
            found[name] = type_of(item.attrs[name], kind.dtype, kind.shape)
    return found


def compare(where, found, promised):
    for name in sorted(found.keys() | promised.keys()):
        if found.get(name) != promised.get(name):
            complain(f"{where}: {name} is {found.get(name)} in the file, {promised.get(name)} in the page")


def promised_in(rows, key, conditions, columns=("type",)):
    return {row[key]: " ".join(row[column] for column in columns)
            for row in rows if row["when"] in conditions}


def check_result(path, page, conditions):
    conditions = conditions | {"always"}
    page_tables = tables(page)
    with h5py.File(path) as file:
        compare(path, attribute_types(file),
                promised_in(tables("README.md")["attribute"], "attribute", conditions)
                | promised_in([row for row in page_tables["attribute"] if "of" not in row], "attribute",
                              conditions))
        axes = {name: "[" + ", ".join(scale.values()[0].name.lstrip("/") if len(scale) else name
                                      for scale in data.dims) + "]" for name, data in file.items()}
        compare(path, {name: f"{data.dtype.name} {axes[name]} {data.attrs['units'].decode()}"
                       for name, data in file.items()},
                promised_in(page_tables["dataset"], "dataset", conditions, ("type", "axes", "unit")))
        for name, data in file.items():
            of = [row for row in page_tables["attribute"]
                  if "of" in row and (row["of"] == "every dataset" or f"`{name}`" in row["of"])]
            compare(f"{path}: /{name}", attribute_types(data), promised_in(of, "attribute", conditions))


def holds(when, conditions):
    """Of a page of sweeps: parts with a comma between them, each of alternatives."""
    return all(any(one in conditions for one in part.split(" or ")) for part in when.split(", "))


def check_sweep(path, conditions):
    conditions = conditions | {"always"}
    page = tables("formats/sweep.md")
    with h5py.File(path) as file:
        compare(path, attribute_types(file),
                promised_in(tables("README.md")["attribute"], "attribute", conditions)
                | promised_in(page["attribute"], "attribute", conditions))
        dimensions = file.attrs["dimensions"].decode().split()
        sampled = file.attrs["sampled_axes"].decode().split()
        listed = [name for name in dimensions if name != "sample"]
        scales = {name: [scale.values()[0].name.lstrip("/") if len(scale) else name for scale in data.dims]
                  for name, data in file.items()}
        for name in listed + sampled:
            data, labelled = file[name], "labels" in file[name].attrs
            kind = ("listed, words or cases" if labelled else "listed, numbers") if name in listed else (
                "sampled, words" if labelled else "sampled, numbers")
            row = next(row for row in page["axis"] if row["when"] == kind)
            compare(f"{path}: axis", {name: f"{data.dtype.name} {scales[name]}"},
                    {name: f"{row['type']} {[name] if name in listed else ['sample']}"})
            compare(f"{path}: /{name}", attribute_types(data),
                    {row["axis attribute"]: row["type"].replace("[labels]", f"[{len(set(data))}]")
                     for row in page["axis attribute"]
                     if row["when"] in ({"always", "words or cases"} if labelled else {"always"})})

        def over(name):
            axes = scales[name]
            if len(axes) >= len(dimensions) > 0 and axes[:len(dimensions)] == dimensions and name != "sample":
                axes = ["..."] + axes[len(dimensions):]
            return "[" + ", ".join(axes) + "]"

        rest = {name: data for name, data in file.items() if name not in listed + sampled}
        compare(path, {name: f"{data.dtype.name} {over(name)} {data.attrs['units'].decode()}"
                       for name, data in rest.items()},
                {row["dataset"]: f"{row['type']} {row['axes']} {row['unit']}"
                 for row in page["dataset"] if holds(row["when"], conditions)})
        for name, data in rest.items():
            names = {row["attribute of datasets"] for row in page["attribute of datasets"]}
            coordinates = sampled + (["lrs_count", "active_rows"] if "class" in scales[name] and
                                     "same classes" in conditions else [])
            if not over(name).startswith("[...") or not coordinates:
                names -= {"coordinates"}
            elif data.attrs["coordinates"].decode().split() != coordinates:
                complain(f"{path}: /{name} has the coordinates {data.attrs['coordinates']}")
            compare(f"{path}: /{name}", attribute_types(data), {key: "text" for key in names})


def check_network(path):
    page_tables = tables("formats/network.md")
    with h5py.File(path) as file:
        compare(path, attribute_types(file), promised_in(page_tables["attribute"], "attribute", {"always"}))
        for name, layer in file["layers"].items():
            compare(f"{path}: {name}", attribute_types(layer),
                    promised_in(page_tables["layer attribute"], "layer attribute", {"always"}))
            kind = layer.attrs["kind"].decode()
            compare(f"{path}: {name}", {key: f"{data.dtype.name} {data.ndim}" for key, data in layer.items()},
                    {row["layer dataset"]: f"{row['type']} {row['axes'].count(',') + 1}"
                     for row in page_tables["layer dataset"] if f"`{kind}`" in row["of"]})


def check_record(path):
    kinds = {str: "string", int: "number", float: "number"}
    compare(path, {key: kinds[type(value)] for key, value in json.loads(path.read_text()).items()},
            {row["field"]: row["type"] for row in tables("formats/run_record.md")["field"]})


def run(*arguments, expect=0):
    done = subprocess.run([cimstat, *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    if done.returncode != expect:
        complain("cimstat", *arguments, f"ended with {done.returncode} instead of {expect}:", done.stderr)
    return done.stdout + done.stderr


def changed(path, version):
    copy = folder / f"version_{version[0]}_{version[1]}.h5"
    shutil.copy(path, copy)
    with h5py.File(copy, "r+", libver="latest") as file:
        file.attrs["schema_version"] = version
        file.attrs["of_a_later_version"] = "unknown"
        file["unknown"] = [1, 2, 3]
    return copy


def check_versions(path, use):
    with h5py.File(path) as file:
        major, minor = file.attrs["schema_version"]
    run(*use(changed(path, [major, minor + 100])))
    answer = run(*use(changed(path, [major + 1, 0])), expect=3)
    if f"schema version {major + 1}.0" not in answer:
        complain(f"{path}: a later major version is refused without saying so: {answer}")


shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
configs = pages / "configs"
replica, dual = configs / "chen2018_9rows.toml", configs / "dlrsim_9rows.toml"
table, accuracy = folder / "macro.table.h5", folder / "macro.accuracy.h5"
run("table", replica, "-q", "-o", table)
check_result(table, "formats/error_table.md", {"exact", "replica", "binary"})
check_record(folder / "macro.table.h5.run.json")
sampled = folder / "sampled.h5"
run("table", dual, "-q", "-o", sampled, "--set", "table.method=monte_carlo", "--set", "table.trials=500")
check_result(sampled, "formats/error_table.md", {"monte_carlo", "shared", "binary"})
stopped = folder / "stopped.h5"
run("table", dual, "-q", "-o", stopped, "--set", "table.method=monte_carlo", "--set", "table.trials=20000",
    "--set", "table.target_relative_error=0.2")
check_result(stopped, "formats/error_table.md", {"monte_carlo", "shared", "target", "binary"})

pairs = folder / "pairs.h5"
run("table", dual, "-q", "-o", pairs, "--set", "mapping.weights=differential", "--set", "converter.references=midpoint",
    "--set", "table.active_rows=[2,4]")
check_result(pairs, "formats/error_table.md", {"exact", "shared", "states"})

measured, counts = folder / "measured.h5", folder / "counts.csv"
counts.write_text("mac,code,count\n" + "".join(f"{k},{k},100\n" for k in range(10)))
run("fit", "codes", counts, "--macro", dual, "-o", measured)
check_result(measured, "formats/error_table.md", {"monte_carlo", "shared", "binary"})

few = ["-q", "--set", "accuracy.images=20", "--set", "accuracy.reads=2"]
for reads, conditions in ((1, {"table"}), (2, {"table", "table, reads > 1"})):
    run("accuracy", replica, "--table", table, *few, "--set", f"accuracy.reads={reads}", "-o", accuracy)
    check_result(accuracy, "formats/accuracy.md", conditions)
check_record(folder / "macro.accuracy.h5.run.json")
asked = folder / "asked.accuracy.h5"
for options, conditions in ((["--layers"], {"layers", "layers or sensitivity"}),
                            (["--sensitivity"], {"sensitivity", "layers or sensitivity"}),
                            (["--set", 'accuracy.layer_tables.own.layers=["hidden"]',
                              "--set", f'accuracy.layer_tables.own.table="{table}"'], {"layer tables"}),
                            (["--half-width", "0.2"], {"stopped"})):
    run("accuracy", replica, "--table", table, "-q", "--set", "accuracy.images=20", *options, "-o", asked)
    check_result(asked, "formats/accuracy.md", conditions | {"table"})
frozen = folder / "frozen.accuracy.h5"
for chips, reads, conditions in ((1, 2, {"chips"}), (2, 1, {"chips", "chips > 1"}),
                                 (2, 2, {"chips", "chips > 1", "chips > 1, reads > 1"})):
    run("accuracy", replica, *few, "--set", 'accuracy.noise="frozen"', "--set", f"accuracy.chips={chips}",
        "--set", f"accuracy.reads={reads}", "-o", frozen)
    check_result(frozen, "formats/accuracy.md", conditions)
check_versions(frozen, lambda file: ["show", file])

# One run for both, and the same comparison from the files.
both = folder / "both.accuracy.h5"
of_run = json.loads(run("accuracy", replica, *few, "--set", 'accuracy.noise="frozen"', "--set", "accuracy.chips=3",
                        "--beside-table", "--json", "-o", both))["beside_table"]
check_result(both, "formats/accuracy.md", {"chips", "chips > 1", "chips > 1, reads > 1"})
check_result(folder / "both.table.accuracy.h5", "formats/accuracy.md", {"table", "table, reads > 1"})
of_files = json.loads(run("diff", folder / "both.table.accuracy.h5", both, "--json", expect=int(of_run["differ"])))
if {key: of_files[key] for key in of_run} != of_run or len(of_run["frozen"]) == 0:
    complain("accuracy --beside-table and diff of its files say", of_run, "and", of_files)

columns = folder / "macro.columns.h5"
run("columns", replica, "-q", "--columns", "8", "--dies", "3", "-o", columns)
check_result(columns, "formats/columns.md", set())
check_record(folder / "macro.columns.h5.run.json")

sampled_axes = """
samples = 4
[sweep.axis.factor]
key = "column.read_voltage"
from = "0.15 V"
to = "0.25 V"
"""
cases = """
[sweep.axis.corner]
cases = ["slow corner", "fast"]
[sweep.axis.corner.vary]
"column.read_voltage" = ["0.18 V", "0.22 V"]
"cell.hrs.sigma" = [0.1, 0.2]
"""
grid = """
[sweep.axis.sigma]
key = "cell.lrs.sigma"
from = 0.05
to = 0.2
count = 3
"""


def make_sweep(name, outputs, axes, *sets):
    config = folder / f"{name}.toml"
    config.write_text(dual.read_text() + f"\n[sweep]\noutputs = {json.dumps(outputs)}" + axes)
    run("sweep", config, "-q", "-o", folder / f"{name}.sweep.h5", "--folder", folder / name,
        *(word for one in sets for word in ("--set", one)))
    return folder / f"{name}.sweep.h5"


monte_carlo = ["table.method=monte_carlo", "table.trials=4096"]
sweep = make_sweep("macro", ["margin", "misread", "table"], sampled_axes + grid, *monte_carlo)
check_sweep(sweep, {"margin", "misread", "table", "monte_carlo", "sampled", "same classes"})
check_record(folder / "macro.sweep.h5.run.json")
check_sweep(make_sweep("corners", ["margin"], cases), {"margin"})
check_sweep(make_sweep("exact", ["misread", "table"], grid, "table.method=exact"),
            {"misread", "table", "exact", "same classes"})
check_sweep(make_sweep("target", ["misread"], grid, *monte_carlo, "table.target_relative_error=0.5"),
            {"misread", "monte_carlo", "target", "same classes"})
check_sweep(make_sweep("accuracy", ["accuracy"], grid, "accuracy.images=20", "accuracy.reads=2"), {"accuracy"})

shipped = pages / "networks" / "fashion_cnn.h5"
check_network(shipped)
shutil.copy(shipped, folder / "network.h5")

for page in sorted((pages / "formats").glob("*.md")):
    for code in examples(page.relative_to(pages)):
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            complain(f"{page.name}: an example fails: {done.stderr}\n{code}")

# What the examples have written is good enough for the program.
for name in ("mine", "residual", "tokens", "joined"):
    run("accuracy", replica, "--table", table, *few, "-o", f"{name}.accuracy.h5",
        "--set", f"accuracy.network={folder}/{name}.h5", "--set", f"accuracy.data_set={folder}/my-images")

check_versions(table, lambda file: ["report", file, "-o", "page.html"])
check_versions(accuracy, lambda file: ["report", table, file, "-o", "page.html"])
check_versions(sweep, lambda file: ["show", file])
check_versions(columns, lambda file: ["show", file])
check_versions(shipped, lambda file: ["accuracy", replica, "--table", table, *few, "-o", "later.h5",
                                      "--set", f"accuracy.network={file}"])

for problem in problems:
    print(problem)
print(f"{len(problems)} problems")
sys.exit(len(problems) > 0)

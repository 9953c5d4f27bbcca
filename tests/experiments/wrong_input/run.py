"""Runs the cases of a file of wrong inputs through the built program.

    run.py CIMSTAT CASES.toml [RECIPES.py]
    run.py CIMSTAT CASES.py

The second form is for files that are no text: CASES.py has the same as a dictionary, CASES, and its
recipes are functions. Each [[case]] of CASES.toml:

    kind        what is wrong: missing, truncated, foreign, wrong type, ...
    name        what the case is, in a few words
    input       {text = "..."}  the file under test, whole, ...
                {add = "..."}   ... or the sound file with lines added at its end, ...
                {edit = ["old", "new"]}  ... or with one text replaced by another, ...
                {bytes = "ff fe ..."}    ... or these bytes, in hexadecimal, ...
                {recipe = "name"}        ... or whatever name(folder, file) of RECIPES.py makes;
                without `input` the file is the sound one
    arguments   of cimstat; "{file}" stands for the file under test, which lies in the working folder
    line        all that the program must say, on standard error, after "cimstat: "
    exit        its exit code (default: that of the file)

At the top of CASES.toml: `file` (the name of the file under test), `sound` (its text, where it is
one), `arguments` and `exit` (defaults), `most_megabytes` (of memory), `kinds` (each must have four
cases or more). The folder of a case must hold the same files after the run as before it.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import tomllib

LONGEST_SECONDS = 60


def load_recipes(path):
    spec = importlib.util.spec_from_file_location("recipes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_input(case, cases, recipes, folder):
    file = folder / cases["file"]
    given = case.get("input", {})
    if "recipe" in given:
        recipe = given["recipe"]
        (recipe if callable(recipe) else getattr(recipes, recipe))(folder, file)
    elif "bytes" in given:
        file.write_bytes(bytes.fromhex(given["bytes"]))
    elif "text" in given:
        file.write_text(given["text"])
    elif "add" in given:
        file.write_text(cases["sound"] + given["add"])
    elif "edit" in given:
        old, new = given["edit"]
        assert cases["sound"].count(old) == 1, f"{case['name']}: {old!r} is not there once"
        file.write_text(cases["sound"].replace(old, new))
    else:
        file.write_text(cases["sound"])


def run(program, arguments, folder):
    """Exit code, standard output, standard error, peak memory in MB."""
    out, err = folder.parent / "stdout", folder.parent / "stderr"
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = subprocess.Popen([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=stdout, stderr=stderr)
        end = time.monotonic() + LONGEST_SECONDS
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() > end:
                process.kill()
            time.sleep(0.002)
        process.returncode = os.waitstatus_to_exitcode(status)
    megabytes = usage.ru_maxrss / 1024
    return process.returncode, out.read_bytes(), err.read_text(errors="backslashreplace"), megabytes


def problems_of(case, cases, recipes, program):
    with tempfile.TemporaryDirectory(prefix="cimstat_wrong_") as parent:
        folder = pathlib.Path(parent) / "work"
        folder.mkdir()
        make_input(case, cases, recipes, folder)
        before = sorted(path.name for path in folder.iterdir())
        arguments = [argument.replace("{file}", cases["file"])
                     for argument in case.get("arguments", cases.get("arguments"))]
        code, out, err, megabytes = run(program, arguments, folder)
        after = sorted(path.name for path in folder.iterdir())
    expected_code = case.get("exit", cases.get("exit"))
    expected = f"cimstat: {case['line']}\n"
    if code != expected_code:
        yield f"exit code {code}, expected {expected_code}"
    if err != expected:
        yield f"said     {err!r}\n    expected {expected!r}"
    if out:
        yield f"wrote to standard output: {out[:200]!r}"
    if before != after:
        yield f"left files behind: {sorted(set(after) - set(before))}"
    if megabytes > cases.get("most_megabytes", 512):
        yield f"took {megabytes:.0f} MB of memory"


def main():
    program = os.path.abspath(sys.argv[1])
    recipes = None
    if sys.argv[2].endswith(".py"):
        cases = load_recipes(sys.argv[2]).CASES
    else:
        with open(sys.argv[2], "rb") as stream:
            cases = tomllib.load(stream)
        recipes = load_recipes(sys.argv[3]) if len(sys.argv) > 3 else None
    count = dict.fromkeys(cases.get("kinds", []), 0)
    failed = 0
    for case in cases["case"]:
        count[case["kind"]] = count.get(case["kind"], 0) + 1
        problems = list(problems_of(case, cases, recipes, program))
        failed += bool(problems)
        for problem in problems:
            print(f"{case['kind']}, {case['name']}: {problem}")
    for kind, number in count.items():
        print(f"{number:4}  {kind}")
        if number < 4:
            failed += 1
            print(f"      (at least 4 are needed)")
    print(f"{len(cases['case'])} cases, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the commands of a tutorial page and compares exit codes and output with what the page shows.

Usage: run_tutorial.py CIMSTAT PAGE FOLDER [--update]

A comment `<!-- file: NAME -->` before a fenced block makes it a file. In a `console` block, lines that start with
`$ ` are commands and what follows is their output, stdout and stderr together; `<!-- exit: N -->` before the block
states another exit code than 0 of its last command. Files beside the page are there to start with. Times are masked, and
the last printed digit of a fraction may differ by one, as it can between processors. --update writes the output that
came into the page, for who changes it to read and judge.
"""
import pathlib
import re
import shutil
import subprocess
import sys

cimstat, page, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
update = "--update" in sys.argv[4:]
number = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
time = re.compile(r"\bin \d+(\.\d+)? s\b|^time .*")


def last_digit(text):
    digits, _, exponent = text.partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def near(shown, came):
    if shown == came:
        return True
    fractions = "." in shown and "." in came
    return fractions and abs(float(shown) - float(came)) <= 1.01 * max(last_digit(shown), last_digit(came))


def agrees(shown, came):
    shown, came = time.sub("in T s", shown), time.sub("in T s", came)
    return (number.split(shown) == number.split(came)
            and all(map(near, number.findall(shown), number.findall(came))))


def commands(lines):
    """[(command as typed, [lines of output])] of a console block."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append(([line], []))
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line)
        else:
            found[-1][1].append(line)
    return found


# On a slow machine a command tells how far it is.
progress = re.compile(r"[a-z]+: \d+ % \(.* elapsed")


def run(typed):
    command = "\n".join(typed)[2:]
    path = f"{cimstat.parent}:/usr/bin:/bin"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={"PATH": path, "LC_ALL": "C.UTF-8", "HOME": str(folder)})
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return done.returncode, [line for line in lines if not progress.match(line)]


shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
for item in page.parent.iterdir():
    if item.is_file() and item.suffix != ".md":
        shutil.copy(item, folder)

failures, count, written, note, block = 0, 0, [], ("", ""), None
for line in page.read_text().splitlines():
    if block is None:
        written.append(line)
        comment = re.fullmatch(r"<!-- (file|exit): (\S+) -->", line)
        note = comment.groups() if comment else note
        if line.startswith("```"):
            block, kind = [], line[3:]
        continue
    if line != "```":
        block.append(line)
        continue
    if note[0] == "file":
        (folder / note[1]).write_text("\n".join(block) + "\n")
    if kind == "console":
        steps, block = commands(block), []
        for index, (typed, shown) in enumerate(steps):
            expected = int(note[1]) if note[0] == "exit" and index + 1 == len(steps) else 0
            status, came = run(typed)
            count += 1
            same = len(shown) == len(came) and all(map(agrees, shown, came))
            block += typed + (shown if same else came)
            if status != expected or not (same or update):
                failures += 1
                print(*typed, f"exit {status}, expected {expected}", sep="\n")
                print("--- the page shows", *shown, "--- came", *came, "---", sep="\n")
    written += block + [line]
    note, block = ("", ""), None

if update:
    page.write_text("\n".join(written) + "\n")
print(f"{count} commands, {failures} failures")
sys.exit(failures > 0 or count == 0)

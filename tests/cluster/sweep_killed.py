"""A sweep is killed (SIGKILL) fifty times at random moments, each time in one of four ways, and goes on with another
number of processes: the result is that of an undisturbed run, nothing that a segment held is computed again, and the
next start leaves no temporary file.

sweep_killed.py CIMSTAT CIMSTAT_MPI|- slurm|- plain|stopping KILLS
"""
import collections
import os
import random
import signal
import subprocess
import sys
import time

try:
    import h5py
except ImportError:
    print("skipped: h5py (python3-h5py) is missing")
    sys.exit(0)
from surroundings import (Slurm, config, die_with_parent, environment, fail, mpi, processes_of, require, run, sha256,
                          usable_slurm, work_folder)

cimstat, cimstat_mpi, slurm, kind, kills = sys.argv[1:]
slurm = usable_slurm(slurm)
moments = random.Random(20261122)
counts = collections.Counter()


def chunks_of(folder, name):
    """Each chunk of each segment; reading proves that no segment is half written."""
    chunks = []
    for segment in sorted((folder / name).glob("segment-*.h5")):
        with h5py.File(segment, "r") as file:
            chunks.extend(file["chunk"][:].tolist())
    return chunks


def start(words, folder):
    with open(folder / "log", "a") as log:
        return subprocess.Popen([str(word) for word in words], cwd=folder, env=environment(folder), stdout=log,
                                stderr=subprocess.STDOUT, preexec_fn=die_with_parent)


def kill(process):
    try:
        os.kill(process, signal.SIGKILL)
        return 1
    except ProcessLookupError:
        return 0


def options(name):
    return ["x.toml", "--folder", name, "-o", "x.h5", "--threads", 1, "--segment-seconds", 0.05, "-q"]


def run_and_kill(way, name, folder, ranks):
    """Whether anything was killed: the run may have ended before."""
    is_mpi = way != "serial"
    program = cimstat_mpi if is_mpi else cimstat
    words = mpi(program, ranks, options(name)) if is_mpi else [program, "sweep", *options(name)]
    child = start(words, folder)
    while child.poll() is None and not processes_of(program, name):
        time.sleep(0.005)
    time.sleep(moments.uniform(0.0, 1.0))
    targets = processes_of(program, name)
    killed = 0
    if child.poll() is None:
        if way == "one rank":
            targets = [moments.choice(targets)] if targets else []
        elif is_mpi:
            targets.append(child.pid)
        killed = sum(kill(process) for process in targets)
    child.wait()
    for _ in range(1000):  # until those whose parent was killed have gone too
        if not processes_of(program, name):
            return killed > 0
        time.sleep(0.02)
    fail("ranks outlive their launcher")


def kill_array_task(cluster, name, folder):
    run([cimstat, "submit", "x.toml", "--scheduler", "slurm", "--tasks", 4, "--folder", name, "-o", f"{name}.slurm",
         "--program", cimstat], folder)
    run(["sbatch", f"{name}.slurm"], folder, env=cluster.env)
    end = time.monotonic() + 30
    targets = []
    while not targets and time.monotonic() < end:
        targets = processes_of(cimstat, name)
        time.sleep(0.02)
    time.sleep(moments.uniform(0.0, 0.5))
    targets = processes_of(cimstat, name)
    killed = kill(moments.choice(targets)) if targets else 0
    cluster.wait_for_jobs()
    return killed > 0


def check_leavings(name, folder):
    """The next start takes away what a killed one left half made, and loses no segment."""
    before = chunks_of(folder, name)
    # 0 where the kill came behind the last segment.
    run([cimstat, "sweep", *options(name), "--max-seconds", 0], folder, expected=(75, 0))
    left = [file.name for file in (folder / name).iterdir() if file.name.endswith(".tmp")]
    require(not left, f"no temporary file is left after the next start: {left}")
    require(set(before) <= set(chunks_of(folder, name)), "what a segment held stays")


def check_finished(name, folder, reference):
    require(sha256(folder / "x.h5") == reference, "the result is that of the undisturbed run")
    chunks = chunks_of(folder, name)
    require(len(chunks) == len(set(chunks)), "nothing that a segment held is computed again")
    (folder / "x.h5").unlink()


with work_folder() as folder:
    (folder / "x.toml").write_text(
        config(500_000, 32_768) if kind == "plain" else config(2_000_000, 32_768, 0.05))
    run([cimstat, "sweep", "x.toml", "--folder", "undisturbed", "-o", "undisturbed.h5", "--threads", 1, "-q"], folder)
    reference = sha256(folder / "undisturbed.h5")
    sweep = 0
    name = "sweep0"

    def finish():
        """On another number of processes than before."""
        global sweep, name
        if cimstat_mpi != "-":
            ranks = moments.choice([2, 3])
            run(mpi(cimstat_mpi, ranks, options(name)), folder)
        else:
            run([cimstat, "sweep", *options(name)], folder)
        check_finished(name, folder, reference)
        sweep += 1
        name = f"sweep{sweep}"

    if slurm != "-":
        with Slurm(folder) as cluster:
            tries = 0
            while counts["array task"] < int(kills) // 8:
                tries += 1
                require(tries < 40, "an array task could be killed")
                if kill_array_task(cluster, name, folder):
                    counts["array task"] += 1
                    check_leavings(name, folder)
                finish()
    ways = ["serial"] + (["one rank", "all ranks"] if cimstat_mpi != "-" else [])
    turn = 0
    while sum(counts.values()) < int(kills):
        way = ways[turn % len(ways)]
        turn += 1
        ranks = 2 + turn % 3
        if run_and_kill(way, name, folder, ranks):
            counts[way] += 1
            check_leavings(name, folder)
        elif (folder / "x.h5").exists():
            check_finished(name, folder, reference)
            sweep += 1
            name = f"sweep{sweep}"
    finish()
    print(", ".join(f"{number} x {way}" for way, number in counts.items()) +
          f": {sum(counts.values())} kills, {sweep} sweeps, all with SHA-256 {reference}")

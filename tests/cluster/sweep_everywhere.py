"""One sweep by every way of running it: the merged files are equal to the byte.

sweep_everywhere.py CIMSTAT CIMSTAT_MPI|- slurm|- plain|stopping
"""
import sys

from surroundings import Slurm, config, mpi, require, run, sha256, usable_slurm, work_folder

cimstat, cimstat_mpi, slurm, kind = sys.argv[1:]
slurm = usable_slurm(slurm)
hashes = {}


def note(way, folder, name):
    hashes[way] = sha256(folder / name)
    print(f"{way:<24} {hashes[way]}", flush=True)


with work_folder() as folder:
    # At least 64 points x 2 M trials; where points stop early that is the most that is taken.
    (folder / "x.toml").write_text(
        config(2_000_000, 262_144) if kind == "plain" else config(2_000_000, 65_536, 0.05))

    run([cimstat, "sweep", "x.toml", "-o", "serial.h5", "--folder", "serial", "--threads", 1, "-q"], folder)
    note("serial", folder, "serial.h5")

    run([cimstat, "sweep", "x.toml", "-o", "two.h5", "--folder", "two", "--threads", 2, "-q"], folder)
    note("2 threads", folder, "two.h5")

    for shard in (5, 0, 7, 2, 1, 6, 3, 4):
        if shard == 4:
            text = run([cimstat, "merge", "shards", "-o", "shards.h5", "-q"], folder, expected=3)
            require("missing" in text, f"merge names what is missing, instead of: {text}")
        run([cimstat, "sweep", "x.toml", "--folder", "shards", "--shard", f"{shard}/8", "--threads", 1, "-q"], folder)
    run([cimstat, "merge", "shards", "-o", "shards.h5", "-q"], folder)
    note("8 shards", folder, "shards.h5")
    text = run([cimstat, "status", "shards"], folder)
    require("100.0 % done" in text and "all chunks are there: cimstat merge" in text, f"status says complete: {text}")

    if cimstat_mpi != "-":
        for ranks in (2, 3, 4):
            name = f"mpi{ranks}"
            run(mpi(cimstat_mpi, ranks, ["x.toml", "-o", f"{name}.h5", "--folder", name, "--threads", 1, "-q"]), folder)
            note(f"MPI, {ranks} ranks", folder, f"{name}.h5")

    if slurm != "-":
        with Slurm(folder) as cluster:
            ways = [("Slurm, array of 8", "array", ["--tasks", 8])]
            if cimstat_mpi != "-":
                ways.append(("Slurm, MPI on 4 nodes", "by_mpi", ["--tasks", 4, "--mpi"]))
            for way, name, options in ways:
                run([cimstat, "submit", "x.toml", "--scheduler", "slurm", "--time", "10 min", "--folder", name,
                     "--result", f"{name}.h5", "-o", f"{name}.slurm", "--program", cimstat, *options], folder)
                run(["bash", f"{name}.slurm"], folder, env=cluster.env)
                cluster.wait_for_jobs()
                require((folder / f"{name}.h5").exists(), "Slurm made the result: " + "".join(
                    f"\n--- {log.name}\n{log.read_text()}" for log in sorted(folder.glob("*.log"))))
                note(way, folder, f"{name}.h5")
    left = [str(file) for file in folder.rglob("*.tmp")]
    require(not left, f"no temporary file is left: {left}")

require(len(set(hashes.values())) == 1, f"all {len(hashes)} files are equal")
print(f"{len(hashes)} ways, one SHA-256")

#!/usr/bin/env python3
"""Prints the ratios of processor times that the kernels are held to, and fails when one is missed.

    column_kernel_bench --benchmark_format=json --benchmark_repetitions=25 \\
        --benchmark_min_time=0.005 --benchmark_enable_random_interleaving=true > kernel.json
    bench/ratios.py kernel.json

and the same with inference_bench and frozen_pool_bench.

The smallest time of the repetitions counts: whatever else the machine does can only add to it.
"""

import json
import sys
from pathlib import Path

AVX512 = ("AVX3_DL", "AVX3")


def smallest_times(path):
    """Smallest processor time of each benchmark [ns], per partial sum, read or iteration; those in error."""
    times, errors = {}, set()
    factor = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
    for run in json.loads(Path(path).read_text())["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration":
            continue
        name = run["name"].removesuffix("/process_time/real_time")
        if run.get("error_occurred"):
            errors.add(f"{name}: {run.get('error_message', '')}")
            continue
        time = run["cpu_time"] * factor[run["time_unit"]]
        times.setdefault(name, []).append(run.get("partial_sum", time * 1e-9) * 1e9 / run.get("reads", 1))
    return {name: min(values) for name, values in times.items()}, errors


def inference_requirements(times):
    """(what, ratio, at least) for the partial sums of inference."""
    naive = times["partial_sum/naive"]
    for target, limits in {"AVX3_DL": (20.0, 35.0), "AVX2": (None, 12.0)}.items():
        if f"partial_sum/fast/{target}" not in times:
            continue
        for stream, limit in zip(("philox", "fast"), limits):
            sampled = times[f"partial_sum/{stream}/{target}"]
            yield f"naive / sampled partial sum, {stream}, {target}", naive / sampled, limit
            mixed = times[f"mixed/{stream}/{target}"]
            yield f"naive / partial sum of mixed n, {stream}, {target}", naive / mixed, None


def pool_requirements(times):
    """(what, ratio, at least) for reads of a frozen pool."""
    limits = {"AVX2": 120.0} | dict.fromkeys(AVX512, 250.0)
    for name, time in times.items():
        if name.startswith("read/pool/"):
            target = name.rsplit("/", 1)[1]
            yield f"naive / read of a frozen pool, {target}", times["read/naive"] / time, limits.get(target)
    yield "naive / read with integrated noise", times["read/naive"] / times["read/integrated"], None


def column_requirements(times):
    """(what, ratio, at least), for the instruction sets that were run."""
    targets = [name.rsplit("/", 1)[1] for name in times if name.startswith("stage/philox/")]
    naive = {"lognormal": times["naive/lognormal"], "normal": times["naive/normal"]}
    for target in targets:
        limits = {"AVX2": (8.0, 13.0), "SSE4": (4.0, 6.5)}
        limits |= dict.fromkeys(AVX512, (14.0, 22.0))
        if target not in limits:
            continue
        for stream, limit in zip(("philox", "fast"), limits[target]):
            kernel = times[f"kernel/lognormal/{stream}/{target}"]
            yield f"naive lognormal / kernel, {stream}, {target}", naive["lognormal"] / kernel, limit
            stages = times[f"stage/{stream}/{target}"] + times[f"stage/transform/{target}"]
            yield f"stage limits / kernel, {stream}, {target}", stages / kernel, 0.85
            normal = times[f"kernel/normal/{stream}/{target}"]
            yield f"naive normal / kernel, {stream}, {target}", naive["normal"] / normal, None
        cells = times[f"kernel/lognormal_63/philox/{target}"]
        sums = times[f"sums/lognormal_63/philox/{target}"]
        yield f"per cell / tables of sums, philox, {target}", cells / sums, 8.0
        one = times[f"sums/normal/philox/{target}"]
        yield f"naive normal / one normal a column, philox, {target}", naive["normal"] / one, None


def main():
    times, errors = smallest_times(sys.argv[1])
    failed = bool(errors)
    for error in sorted(errors):
        print(f"WRONG   {error}")
    inference = "partial_sum/naive" in times
    pool = "read/naive" in times
    requirements = (inference_requirements if inference else
                    pool_requirements if pool else column_requirements)
    for what, ratio, target in requirements(times):
        missed = target is not None and ratio < target
        failed |= missed
        bound = "" if target is None else f">= {target:g}"
        print(f"{'MISSED' if missed else 'ok':7s} {what:60s} {ratio:8.2f}  {bound}")
    if not inference and not pool:
        inflation = times["threads/2"] / times["threads/1"] - 1.0
        missed = inflation > 0.03
        failed |= missed
        print(f"{'MISSED' if missed else 'ok':7s} {'processor time, 2 threads / 1 thread - 1':60s} "
              f"{100 * inflation:7.2f}%  <= 3%")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

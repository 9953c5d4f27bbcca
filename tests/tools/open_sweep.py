"""Opens a sweep's result with h5py, xarray (both engines) and ncdump and checks axes, coordinates and units.

Usage: open_sweep.py CIMSTAT CONFIG FOLDER
"""
import pathlib
import shutil
import subprocess
import sys

try:
    import h5netcdf  # noqa: F401
    import h5py
    import netCDF4  # noqa: F401
    import numpy
    import xarray
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

cimstat, config, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
(folder / "x.toml").write_text(config.read_text() + """
[sweep]
outputs = ["margin", "misread", "table"]
samples = 4
chunk_trials = 4096
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.1, 0.2, 0.3]
[sweep.axis.corner]
cases = ["slow corner", "fast"]
[sweep.axis.corner.vary]
"cell.hrs.sigma" = [0.3, 0.2]
"sense_amplifier.noise_sd" = ["0.6 uA", "0.4 uA"]
[sweep.axis.voltage]
key = "column.read_voltage"
from = "0.5 V"
to = "0.7 V"
""")
sampled = ["--set", "table.method=monte_carlo", "--set", "table.trials=4096"]
path = folder / "x.sweep.h5"
run = lambda *words: subprocess.run([cimstat, *map(str, words)], check=True, capture_output=True, cwd=folder)
run("sweep", "x.toml", "-q", *sampled)
run("merge", "x.sweep", "-q", "--virtual", "-o", "virtual.sweep.h5")

with h5py.File(path) as file:
    counts = file["counts"][...]
    assert counts.dtype == numpy.uint64 and counts.shape[:3] == (2, 3, 4), counts.shape
    assert (counts.sum(axis=-1) == file["trials"][...]).all()
    assert [dim[0].name for dim in file["misread_mean"].dims] == ["/corner", "/sigma", "/sample"]
with h5py.File(folder / "virtual.sweep.h5") as file:
    assert file["counts"].is_virtual and numpy.array_equal(file["counts"][...], counts)

for name in ("x.sweep.h5", "virtual.sweep.h5"):
    for engine in ("h5netcdf", "netcdf4"):
        if name.startswith("virtual") and engine == "netcdf4":
            continue  # netCDF-C reads no virtual datasets
        with xarray.open_dataset(folder / name, engine=engine) as data:
            rate = data["misread_mean"]
            assert rate.dims == ("corner", "sigma", "sample"), rate.dims
            assert set(rate.coords) >= {"corner", "sigma", "sample", "voltage"}, rate.coords
            assert rate.voltage.attrs["units"] == "V"
            assert data["corner"].attrs["flag_meanings"] == "slow_corner fast"
            assert list(data["corner"].attrs["flag_values"]) == [0, 1]
            assert set(data["counts"].coords) >= {"lrs_count", "active_rows"}
            assert numpy.array_equal(data["counts"].values, counts), engine
            assert float(rate.sel(sigma=0.2, method="nearest").sigma) == 0.2

header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True).stdout
for text in ("double misread_mean(corner, sigma, sample)", 'voltage:units = "V"', "sigma = 3 ;",
             'misread_mean:coordinates = "voltage"', "uint64 counts(corner, sigma, sample, class, code)"):
    assert text in header, f"ncdump -h lacks {text!r}:\n{header}"
print("opened with h5py, xarray (h5netcdf, netcdf4) and ncdump")

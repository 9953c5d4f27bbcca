"""Opens an error table with h5py, xarray (both engines) and ncdump and checks axes, units and values.

Usage: open_table.py TABLE.h5 exact|monte_carlo
"""
import subprocess
import sys

import h5py
import numpy
import xarray

path, method = sys.argv[1], sys.argv[2]

with h5py.File(path, "r") as file:
    # Texts are of fixed length, which h5py gives as bytes.
    text = lambda place, name: place.attrs[name].decode()
    assert text(file, "filetype") == "cimstat error table"
    assert list(file.attrs["schema_version"]) == [1, 0]
    probability = file["probability"][...]
    lrs, active = file["lrs_count"][...], file["active_rows"][...]
    assert probability.shape == (len(lrs), len(file["code"]))
    assert numpy.allclose(probability.sum(axis=1), 1.0, atol=1e-9)
    assert (lrs <= active).all()
    assert file["probability"].dims[0][0].name == "/class"
    assert file["probability"].dims[1][0].name == "/code"
    assert text(file["reference"], "units") == "A"
    for name, data in file.items():
        assert "units" in data.attrs and "long_name" in data.attrs, name
    lower, upper = file["lower"][...], file["upper"][...]
    assert ((lower <= probability) & (probability <= upper)).all()
    if method == "monte_carlo":
        counts = file["counts"][...]
        assert counts.dtype == numpy.uint64
        assert numpy.allclose(counts / counts.sum(axis=1, keepdims=True), probability)
        assert "error_bound" not in file
    else:
        assert "counts" not in file and (file["error_bound"][...] < 1e-9).all()

for engine in ("h5netcdf", "netcdf4"):
    with xarray.open_dataset(path, engine=engine) as data:
        assert data["probability"].dims == ("class", "code"), data["probability"].dims
        assert data["active_rows"].dims == ("class",)
        assert data["reference"].attrs["units"] == "A"
        assert data["probability"].attrs["long_name"] == "P(code | class)"
        assert numpy.array_equal(data["probability"].values, probability)
        row = data["probability"].where(data["active_rows"] == active.max(), drop=True)
        assert row.sizes["class"] == int((active == active.max()).sum())

header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True).stdout
for text in ("double probability(class, code)", 'reference:units = "A"', f"class = {len(lrs)} ;"):
    assert text in header, f"ncdump -h lacks {text!r}:\n{header}"
print("opened with h5py, xarray (h5netcdf, netcdf4) and ncdump")

"""Writes HDF5 files of kinds that cimstat does not write itself, for hdf5_foreign_test.

Usage: make_foreign_hdf5.py FOLDER
"""
import pathlib
import sys

import h5py
import numpy

folder = pathlib.Path(sys.argv[1])
values = numpy.arange(600 * 70, dtype="<u8").reshape(600, 70) * 2654435761 % 1000

with h5py.File(folder / "kinds.h5", "w", libver="latest") as file:
    file["big_endian"] = numpy.array([1, -2, 70000], dtype=">i4")
    file["single"] = numpy.array([0.5, -1.5], dtype=">f4")
    file["boolean"] = numpy.array([True, False])
    file["compound"] = numpy.zeros(2, dtype=[("a", "i4"), ("b", "f8")])
    file["text"] = numpy.array([b"a", b"bc"])
    file["contiguous"] = values
    file.attrs["variable_text"] = "\u03bcS"
    file.attrs["utf8_text"] = numpy.bytes_("\u03bcS".encode())
    file.attrs["not_utf8"] = numpy.bytes_(b"a\xffb")
    file.attrs["escape"] = numpy.bytes_(b"a\x1b[31mb")
    file.attrs["fixed_text"] = numpy.bytes_(b"padded with NULs")
    file.attrs["texts"] = ["a", "b"]
    file.attrs["one_integer"] = numpy.array([7], dtype="i2")
    file.attrs["negative"] = numpy.int8(-3)
    file.attrs["large"] = numpy.uint64(2**63)
    file.attrs["nothing"] = h5py.Empty("f8")
    file["soft"] = h5py.SoftLink("/contiguous")
    file["external"] = h5py.ExternalLink("elsewhere.h5", "/values")
    file.create_dataset("never_written", (1000,), "f8", chunks=(100,))
    file.create_dataset("huge", (2**40,), "f8", chunks=(1000,))
    file.create_dataset("huge_chunk", (10,), "f8", chunks=(2**28,), maxshape=(None,))
    file.create_dataset("outside", (3,), "f8", external=[("elsewhere.bin", 0, 24)])
    file.create_dataset("scale_offset", data=values, chunks=(100, 70), scaleoffset=0)
    file.create_dataset("lzf", data=values, chunks=(100, 70), compression="lzf")
    file.create_dataset("never_written_whole", (1000,), "f8")
    file["half"] = numpy.array([0.5], dtype="f2")
    file["references"] = numpy.array([file["single"].ref], dtype=h5py.ref_dtype)
    file["opaque"] = numpy.void(b"abc")
    file["list"] = numpy.array([1, 2], dtype="i4")
    layout = h5py.VirtualLayout((600, 70), "u8")
    layout[...] = h5py.VirtualSource("elsewhere.h5", "values", (600, 70))
    file.create_virtual_dataset("virtual", layout)

with h5py.File(folder / "circle.h5", "w", libver="latest") as file:
    file["cycle/again"] = file["/"]

with h5py.File(folder / "elsewhere.h5", "w") as file:
    file["values"] = values
(folder / "elsewhere.bin").write_bytes(bytes(24))

# A chunk of 1 MiB that unpacks to 128 MiB.
import zlib
packer = zlib.compressobj(1)
bomb = b"".join([packer.compress(bytes(2**20)) for _ in range(128)] + [packer.flush()])
with h5py.File(folder / "bomb.h5", "w", libver="latest") as file:
    bombed = file.create_dataset("values", (2**20,), "u1", chunks=(2**20,), compression=9)
    bombed.id.write_direct_chunk((0,), bomb)
    claimed = file.create_dataset("claimed", (10**18,), "f8", chunks=(2**20,), compression=9)
    small = file.create_dataset("small_chunks", (10**9,), "u1", chunks=(1,), compression=9)

with h5py.File(folder / "user_block.h5", "w", libver="latest", userblock_size=512) as file:
    file["values"] = values

for version, bounds in {"v108": ("v108", "v108"), "earliest": ("earliest", "v108")}.items():
    with h5py.File(folder / f"{version}.h5", "w", libver=bounds) as file:
        file.create_dataset("values", data=values, chunks=(100, 70), shuffle=True, compression=1,
                            fletcher32=True)

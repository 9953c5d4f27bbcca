"""What the cases of HDF5 files share: a sound file, and edits of it with h5py."""

import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy
except ImportError:
    print("skipped: python3-h5py is missing")
    sys.exit(0)

PROGRAM = os.path.abspath(sys.argv[1])
KINDS = ["missing", "truncated", "foreign", "wrong type", "wrong unit", "negative or NaN",
         "n over limit", "unknown key", "huge number", "wrong shape", "contradictory"]
MACRO = """
name = "sound"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.05
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "2 uA"
[table]
trials = 1000
"""

_folder = tempfile.TemporaryDirectory(prefix="cimstat_sound_")
FOLDER = pathlib.Path(_folder.name)


def make(*arguments):
    subprocess.run([PROGRAM, *arguments], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)


def bytes_changed(sound, change):
    """A recipe: the sound file's bytes, changed."""
    def recipe(folder, file):
        file.write_bytes(change(sound.read_bytes()))
    return recipe


def edited(sound, change):
    """A recipe: a copy of the sound file, changed through h5py."""
    def recipe(folder, file):
        shutil.copy(sound, file)
        with h5py.File(file, "r+", libver="latest") as data:
            change(data)
    return recipe


def rewritten(sound, **how):
    """A recipe: the same objects in a file that h5py makes so."""
    def recipe(folder, file):
        with h5py.File(sound, "r") as old, h5py.File(file, "w", **how) as new:
            for name, value in old.attrs.items():
                new.attrs[name] = value
            for name in old:
                old.copy(name, new)
    return recipe


def attribute(path, name, value):
    """A change: one attribute set; None removes it."""
    def change(data):
        if value is None:
            del data[path].attrs[name]
        else:
            data[path].attrs[name] = value
    return change


def dataset(path, values, **how):
    """A change: one dataset in place of another, which gives its attributes; None removes it."""
    def change(data):
        kept = {name: data[path].attrs[name] for name in data[path].attrs
                if name in ("units", "long_name", "step", "origin")} if path in data else {}
        if path in data:
            del data[path]
        if values is None:
            return
        new = values(data) if callable(values) else values
        data.create_dataset(path, data=new, **how)
        data[path].attrs.update(kept)
    return change


def element(path, index, value):
    """A change: one element of a dataset."""
    def change(data):
        data[path][index] = value
    return change


def all_of(*changes):
    def change(data):
        for one in changes:
            one(data)
    return change


def text(value):
    return numpy.bytes_(value.encode() if isinstance(value, str) else value)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def words(values):
    values = [int(value) for value in numpy.asarray(values).reshape(-1)]
    return struct.pack(f"<{len(values)}Q", *values)

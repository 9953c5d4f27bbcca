"""Makes the inputs that are no plain text: each recipe gets the folder and the file to make."""

import os


def nothing(folder, file):
    pass


def directory(folder, file):
    file.mkdir()


def unreadable_link(folder, file):
    file.symlink_to(folder / "gone.toml")


def endless_device(folder, file):
    file.symlink_to("/dev/zero")


def named_pipe(folder, file):
    os.mkfifo(file)


def sparse_4_gib(folder, file):
    with open(file, "wb") as stream:
        stream.truncate(4 << 30)


def deep_array(folder, file):
    file.write_text("name = " + "[" * 100_000)


def deep_table(folder, file):
    file.write_text("[" + ".".join(["a"] * 100_000) + "]\n")


def deep_inline_table(folder, file):
    file.write_text("name = " + "{a=" * 100_000)


def million_keys(folder, file):
    with open(file, "w") as stream:
        for number in range(1_000_000):
            stream.write(f"k{number} = {number}\n")


def most_keys_that_fit(folder, file):
    file.write_text("".join(f"k{number}=1\n" for number in range(100_000)))


def text_of_100_mb(folder, file):
    with open(file, "w") as stream:
        stream.write('name = "')
        for _ in range(1000):
            stream.write("x" * 100_000)
        stream.write('"\n')


def text_of_900_kb(folder, file):
    with open(file, "w") as stream:
        stream.write('name = "' + "x" * 900_000 + '"\ncolumn = 1\n')


def utf_16(folder, file):
    file.write_bytes('name = "macro"\n'.encode("utf-16"))


def program_itself(folder, file):
    file.write_bytes(open("/bin/true", "rb").read())


def gzip_file(folder, file):
    import gzip
    file.write_bytes(gzip.compress(b'name = "macro"\n', mtime=0))

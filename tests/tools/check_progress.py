"""Progress on a terminal and elsewhere: check_progress.py CIMSTAT CONFIG.toml

On a pseudo-terminal of a given width: a bar in trials a second that is drawn over itself, never wider
than the terminal, also after the terminal was made narrower, and removed at the end and on ^C.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM, CONFIG = sys.argv[1], os.path.abspath(sys.argv[2])
LONG = ["--set", "table.method=monte_carlo", "--set", "table.trials=1e9", "--threads", "1"]


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def run_on_terminal(arguments, columns, seconds, later_columns=None, environment=None):
    """What the program writes to a terminal until it is interrupted after `seconds`."""
    master, slave = pty.openpty()
    resize(slave, columns)
    process = subprocess.Popen(
        [PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={**os.environ, "TERM": "xterm", **(environment or {})})
    os.close(slave)
    os.set_blocking(master, False)
    output, start = b"", time.time()
    resized = interrupted = False
    while process.poll() is None or output_left(master):
        try:
            output += os.read(master, 65536)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # the other side is closed
            break
        elapsed = time.time() - start
        if later_columns and not resized and elapsed > seconds / 2:
            resize(master, later_columns)
            output += b"<resized>"
            resized = True
        if not interrupted and elapsed > seconds:
            process.send_signal(signal.SIGINT)
            interrupted = True
    process.wait()
    os.close(master)
    return output.decode()


def output_left(fd):
    import select
    return bool(select.select([fd], [], [], 0)[0])


def frames(text):
    return [f for f in re.split(r"[\r\n]", re.sub(r"\x1b\[K", "", text)) if "[" in f or "%" in f]


def expect(condition, what, text):
    if not condition:
        sys.exit(f"{what}\n{text!r}")


with tempfile.TemporaryDirectory() as folder:
    table = ["table", CONFIG, "-o", os.path.join(folder, "t.h5"), *LONG]

    text = run_on_terminal(table, 100, 3)
    expect("trials/s" in text and " left" in text, "no rate in trials or no time left", text)
    expect("table [" in text, "no bar", text)
    expect("table: preparing ..." in text.split("table [")[0], "nothing is shown at first", text)
    expect(len(frames(text)) >= 3, "the bar does not move", text)
    expect(max(map(len, frames(text))) < 100, "wider than the terminal", text)
    expect("\n" not in text.split("table [")[-1].split("\x1b[K")[0], "the bar breaks a line", text)

    text = run_on_terminal(table, 100, 4, later_columns=40)
    after = frames(text.split("<resized>")[1])[1:]
    expect(after and max(map(len, after)) < 40, "too wide after the terminal became narrower", text)

    text = run_on_terminal([*table, "--quiet"], 100, 1.5)
    expect("table [" not in text and "preparing" not in text, "--quiet shows progress", text)

    text = run_on_terminal(table, 100, 1.5, environment={"TERM": "dumb"})
    expect("\x1b" not in text and "table [" not in text, "a dumb terminal gets a bar", text)

    # A run that ends leaves a clean line behind.
    text = run_on_terminal(["table", CONFIG, "-o", os.path.join(folder, "u.h5"), "--set",
                            "table.method=monte_carlo", "--set", "table.trials=5e5", "--threads",
                            "1"], 100, 300)
    if "table [" in text:
        last = text.rindex("table [")
        expect("\r\x1b[K" in text[last:], "the bar is not removed", text)
    expect("written" in text, "the run did not end", text)

    piped = subprocess.Popen([PROGRAM, *table], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(1.5)
    piped.terminate()
    text = piped.communicate()[0].decode()
    expect("\x1b" not in text and "table [" not in text, "a pipe gets a bar", text)

print("progress as expected")

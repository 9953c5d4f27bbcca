"""What the tests of sweeps on many machines share: runs, files, a Slurm of four nodes on this machine."""
import contextlib
import ctypes
import getpass
import glob
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CONFIG = """name = "sweep of the cluster tests"
seed = 5
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.1
[cell.hrs]
distribution = "lognormal"
median = "4 uS"
sigma = 0.4
[column]
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
offset_sd = "0.5 uA"
noise_sd = "0.4 uA"
[table]
method = "monte_carlo"
active_rows = [3]
trials = {trials}
{target}
[sweep]
outputs = ["misread", "table"]
chunk_trials = {chunk_trials}
[sweep.axis.lrs_sigma]
key = "cell.lrs.sigma"
values = [0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2]
[sweep.axis.hrs_sigma]
key = "cell.hrs.sigma"
values = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
"""


def config(trials, chunk_trials, target=None):
    line = f"target_relative_error = {target}" if target else ""
    return CONFIG.format(trials=trials, chunk_trials=chunk_trials, target=line)


def fail(text):
    print(f"FAILED: {text}", flush=True)
    sys.exit(1)


def require(holds, text):
    if not holds:
        fail(text)


def sha256(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


def die_with_parent():
    """A test that is killed leaves nothing running."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@contextlib.contextmanager
def work_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cimstat-cluster-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(folder):
    """For MPI: root may run it, more ranks than cores, and its files stay in the folder."""
    own = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_orte_tmpdir_base": str(folder),
        "OMPI_MCA_btl_vader_backing_directory": str(folder),
        # Chunks take milliseconds here; whoever waits for a dead rank is ended after this.
        "OMPI_MCA_odls_base_sigkill_timeout": "2",
    }
    return {**os.environ, **own}


def run(words, folder, expected=0, **more):
    """Runs it in the folder; its output. Fails on another exit code than expected."""
    result = subprocess.run(
        [str(word) for word in words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=more.pop("env", environment(folder)), preexec_fn=die_with_parent, **more)
    if result.returncode not in (expected if isinstance(expected, tuple) else (expected,)):
        print(result.stdout)
        fail(f"exit code {result.returncode}, not {expected}: {' '.join(map(str, words))}")
    return result.stdout


def mpi(program, ranks, arguments):
    return ["mpirun", "-n", ranks, "--bind-to", "none", program, *arguments]


def processes_of(program, argument):
    """Those that run this program file with this argument."""
    found = []
    for entry in glob.glob("/proc/[0-9]*"):
        try:
            words = pathlib.Path(entry, "cmdline").read_bytes().split(b"\0")
            if os.readlink(entry + "/exe") == os.path.realpath(program) and str(argument).encode() in words:
                found.append(int(entry.rsplit("/", 1)[1]))
        except OSError:  # it has ended meanwhile
            continue
    return sorted(found)


def usable_slurm(wanted):
    """What was wanted, or "-" where it can't be had; says why."""
    missing = missing_for_slurm() if wanted != "-" else ""
    if missing:
        print(f"left out: Slurm ({missing} is missing)", flush=True)
    return "-" if missing else wanted


def missing_for_slurm():
    for program in ("slurmctld", "slurmd", "sbatch", "squeue", "scancel"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{program} (slurm-wlm)"
    if os.geteuid() != 0:
        return "root, who may start daemons,"
    return ""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Slurm:
    """A controller and four nodes on this machine, on free ports, in a folder of their own."""

    NODES = ("n1", "n2", "n3", "n4")

    def __init__(self, folder):
        self.folder = folder / "slurm"
        self.daemons = []

    def __enter__(self):
        self.folder.mkdir()
        for name in ("state", *(f"spool.{node}" for node in self.NODES)):
            (self.folder / name).mkdir()
        controller, *ports = free_ports(1 + len(self.NODES))
        lines = [
            "ClusterName=test", "SlurmctldHost=localhost", f"SlurmUser={getpass.getuser()}",
            f"SlurmdUser={getpass.getuser()}", "AuthType=auth/none", "CredType=cred/none",
            f"SlurmctldPort={controller}", f"StateSaveLocation={self.folder}/state",
            f"SlurmdSpoolDir={self.folder}/spool.%n", f"SlurmctldPidFile={self.folder}/slurmctld.pid",
            f"SlurmdPidFile={self.folder}/slurmd.%n.pid", f"SlurmctldLogFile={self.folder}/slurmctld.log",
            f"SlurmdLogFile={self.folder}/slurmd.%n.log", "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none", "SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU",
            "SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0",
            "ReturnToService=2", "SlurmdParameters=config_overrides", "MailProg=/bin/true",
            *(f"NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs=1"
              for node, port in zip(self.NODES, ports)),
            f"PartitionName=main Nodes={','.join(self.NODES)} Default=YES MaxTime=INFINITE State=UP",
        ]
        configuration = self.folder / "slurm.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self.env = {**environment(self.folder.parent), "SLURM_CONF": str(configuration)}
        self.env["PATH"] += ":/usr/sbin:/sbin"
        try:
            self.start("slurmctld", "-D")
            for node in self.NODES:
                self.start("slurmd", "-D", "-N", node)
            self.wait_until(lambda: self.ask("sinfo", "-h", "-o", "%t %D") == "idle 4", 60, "four idle nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, *words):
        self.daemons.append(subprocess.Popen(
            words, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=die_with_parent))

    def ask(self, *words):
        return subprocess.run(words, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.strip()

    def wait_until(self, holds, seconds, what):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                for log in sorted(self.folder.glob("*.log")):
                    print(f"--- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]))
                fail(f"Slurm: no {what} within {seconds} s")
            time.sleep(0.1)

    def wait_for_jobs(self, seconds=120):
        self.wait_until(lambda: self.ask("squeue", "-h") == "", seconds, "end of all jobs")

    def __exit__(self, *_):
        if self.ask("squeue", "-h", "-o", "%i"):
            self.ask("scancel", f"--user={getpass.getuser()}")
            end = time.monotonic() + 10
            while self.ask("squeue", "-h") and time.monotonic() < end:
                time.sleep(0.2)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

"""The two servers, as they are told how many cores to use, and where the programs are."""

import dataclasses
import os
import pathlib
import re
import subprocess

from .plan import AUTO

# The folder with bench/scale, or the packed one.
HERE = pathlib.Path(__file__).resolve().parents[1]
LIBRARIES = HERE / "lib"


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    path: str

    def command(self, port, loops):
        command = [self.path, "-a", "127.0.0.1", "-p", str(port)]
        return command if self.is_nats else [*command, "--loops", str(loops)]

    def environment(self, loops):
        """nats-server without a number takes as many cores as it may use."""
        return {"GOMAXPROCS": str(loops)} if self.is_nats and loops != AUTO else {}

    @property
    def is_nats(self):
        return self.name == "nats-server"

    def version(self):
        result = subprocess.run([self.path, "--version"], capture_output=True, text=True, timeout=10)
        # Martlet also says which nats-server it is like.
        own = r"nats-server: v(\S+)" if self.is_nats else r"martlet (\S+)"
        found = re.search(own, result.stdout + result.stderr)
        return found.group(1) if found else "of unknown version"


PLACES = {
    "martlet": ("MARTLET_BINARY", ".build-installed/release/martlet", ".build/release/martlet"),
    "martlet-load": (
        "MARTLET_LOAD", "bench/.build-installed/release/martlet-load",
        "bench/.build/release/martlet-load"),
    "nats-server": ("NATS_SERVER", ".venv/bin/nats-server"),
}


def find(name):
    """The program that the environment names, else the one beside the script, else what was built."""
    variable, *built = PLACES[name]
    candidates = [HERE / name, *(HERE.parent / path for path in built)]
    if variable in os.environ:
        candidates = [pathlib.Path(os.environ[variable]).resolve()]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise SystemExit(f"error: no {name} in {' or '.join(map(str, candidates))}; {variable} names one")


def congestion_arguments():
    """martlet-load uses cubic, unless the kernel has none."""
    try:
        known = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
    except OSError:
        known = []
    return [] if "cubic" in known else ["--congestion="]


def use_packed_libraries():
    """What the static programs still need of the system, for where it has none."""
    if LIBRARIES.is_dir():
        known = os.environ.get("LD_LIBRARY_PATH")
        os.environ["LD_LIBRARY_PATH"] = f"{LIBRARIES}:{known}" if known else str(LIBRARIES)

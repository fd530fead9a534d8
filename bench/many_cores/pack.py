"""Puts together a folder that runs on a machine without compiler, network or Python packages."""

import json
import os
import re
import shutil
import subprocess

from compare import machine

from .servers import HERE, PLACES, find

ROOT = HERE.parent
BUILT = "packed.json"
# What of compare the script uses.
COMPARE = ("__init__", "figures", "machine", "processes", "server", "systems")
# Belong to the system's loader, which is never carried.
OF_EVERY_LINUX = re.compile(r"^(linux-vdso|ld-linux|libc\.|libm\.|libpthread|libdl|librt)")
OF_SWIFT = re.compile(r"^lib(swift|Foundation|dispatch|BlocksRuntime|_)")


def pack(folder):
    """Builds what the environment does not name, and copies all into `folder`."""
    build("MARTLET_BINARY", "martlet", ROOT)
    build("MARTLET_LOAD", "martlet-load", ROOT / "bench")
    programs = {name: find(name) for name in PLACES}
    needed = {name: libraries(path) for name, path in programs.items()}
    for name, found in needed.items():
        if shared := [library for library in found if OF_SWIFT.match(library)]:
            raise SystemExit(f"error: {name} needs {shared[0]}: build it with --static-swift-stdlib")
    folder.mkdir(parents=True, exist_ok=True)
    copy_script(folder)
    for name, path in programs.items():
        shutil.copy2(path, folder / name)
        strip(folder / name)
    carried = {name: path for found in needed.values() for name, path in found.items()
               if not OF_EVERY_LINUX.match(name)}
    (folder / "lib").mkdir(exist_ok=True)
    for name, path in carried.items():
        shutil.copy2(path, folder / "lib" / name)
    (folder / BUILT).write_text(json.dumps(built_facts()))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 2**20:.0f} MiB, for {os.uname().machine} with glibc "
          f"{glibc_version(folder)} or newer; start {folder}/scale")


def build(variable, product, package):
    if variable in os.environ:
        return
    print(f"building {product} without Swift's shared libraries", flush=True)
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--package-path", package,
         "--scratch-path", package / ".build-installed", "--product", product],
        check=True, stdout=subprocess.DEVNULL)


def libraries(program):
    """The shared libraries that the loader would take, by name; none of a static program."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return {
        name: path for name, path in re.findall(r"^\s*(\S+) => (/\S+)", listed, re.MULTILINE)}


def copy_script(folder):
    shutil.copy2(HERE / "scale", folder / "scale")
    for package, names in (("many_cores", None), ("compare", COMPARE)):
        (folder / package).mkdir(exist_ok=True)
        for path in (HERE / package).glob("*.py"):
            if names is None or path.stem in names:
                shutil.copy2(path, folder / package / path.name)


def strip(program):
    """Symbols are most of a static program, and nobody reads them there."""
    if shutil.which("strip"):
        subprocess.run(["strip", program], check=True)


def glibc_version(folder):
    """The newest version that a program or library names."""
    versions = {
        (int(major), int(minor))
        for path in folder.rglob("*") if path.is_file() and path.suffix != ".py"
        for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())}
    return ".".join(map(str, max(versions, default=(2, 17))))


def built_facts():
    """The commit and the compiler of Martlet, as far as it was built here."""
    if "MARTLET_BINARY" in os.environ:
        return {"commit": "unknown: MARTLET_BINARY was given", "compiler": "unknown"}
    facts = machine.facts()
    return {name: facts[name] for name in ("commit", "compiler")}


def packed_facts():
    """The commit and the compiler of what was packed; nothing in a checkout."""
    path = HERE / BUILT
    return json.loads(path.read_text()) if path.is_file() else {}

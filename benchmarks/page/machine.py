# SPDX-License-Identifier: MIT
"""What figures depend on besides the code: machine, compiler, libraries, commit."""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
from pathlib import Path

from common import processor
from table import ROOT

PEERS = ("ctranslate2", "torch", "transformers")
CORES = len(os.sched_getaffinity(0))


def missing_peers():
    """What of the peers this Python does not have."""
    return [name for name in PEERS if importlib.util.find_spec(name) is None]


def commit():
    """As git describes it, or nothing."""
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def memory_gib():
    path = Path("/proc/meminfo")
    found = re.search(
        r"MemTotal:\s*(\d+)", path.read_text(encoding="utf-8") if path.exists() else ""
    )
    return round(int(found[1]) / 2**20, 1) if found else None


def of_machine(context, load):
    """With the head of bench_peak's report, less what names the machine."""
    peaks = {name: text for name, text in context.items() if name.startswith("peaks of one")}
    return {
        "processor": processor(),
        "instructions": context["cpu"].rpartition(": ")[2],
        "cores": CORES,
        "memory_gib": memory_gib(),
        "caches": context["caches"],
        "kernels": context["kernels"],
        "load": load,
        **peaks,
    }


def of_cache(build, name):
    """An entry of CMakeCache.txt."""
    text = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\w+=(.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def compiler(build):
    for path in sorted(build.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")):
        text = path.read_text(encoding="utf-8")
        parts = ("ID", "VERSION")
        return " ".join(re.search(rf'CMAKE_CXX_COMPILER_{part} "(.*)"', text)[1] for part in parts)
    return "?"


def eigen(build):
    path = Path(of_cache(build, "Eigen3_DIR")) / "Eigen3ConfigVersion.cmake"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(r'set\(PACKAGE_VERSION "(.*)"\)', text)
    return found[1] if found else "?"


def of_build(build):
    kind = of_cache(build, "CMAKE_BUILD_TYPE")
    flags = [of_cache(build, f"CMAKE_CXX_FLAGS{which}") for which in ("", f"_{kind.upper()}")]
    return {
        "compiler": compiler(build),
        "flags": " ".join(" ".join(flags).split()),
        "Eigen": eigen(build),
    }


def of_peers():
    return {name: importlib.metadata.version(name) for name in PEERS}

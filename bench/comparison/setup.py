"""Sets up what sections need: Debian packages, the programs of bench/, peers."""

import subprocess

from . import onnx_peer
from .context import BUILD, ROOT
from .failed import Failed
from .side import progress


def packages(sections, options):
    """Installs the sets of tools/setup that are wanted."""
    sets = ["build", "bench"]
    left_out = {"torch": options.no_torch, "onnx": options.no_onnx}
    for section in sections:
        for name in getattr(section, "SETS", ()):
            if name not in sets and not left_out.get(name):
                sets.append(name)
    subprocess.run(["bash", "tools/setup", *sets], cwd=ROOT, stdout=2, check=True)


def programs(sections):
    """Builds the command and the wanted programs; says nothing unless that fails."""
    targets = sorted({"unroll_cli", "peak", *(name for section in sections for name in section.PROGRAMS)})
    BUILD.mkdir(parents=True, exist_ok=True)
    configure = ["cmake", "--preset", "release", "-B", BUILD, "-DUNROLL_BUILD_TESTS=OFF", "-DUNROLL_BUILD_BENCH=ON"]
    log = BUILD / "build.log"
    with open(log, "w", encoding="utf-8") as output:
        for command in (configure, ["cmake", "--build", BUILD, "--target", *targets]):
            if subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False).returncode:
                progress(log.read_text(encoding="utf-8"))
                raise Failed(f"{log.relative_to(ROOT)}: the build failed; its messages are above")


def prepare(sections, options):
    packages(sections, options)
    programs(sections)
    if not options.no_onnx and any("onnx" in getattr(section, "SETS", ()) for section in sections):
        onnx_peer.install()

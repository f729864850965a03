"""PyTorch at its best on this machine."""

import glob
import os
import subprocess

from .context import ROOT
from .failed import Failed
from .side import Side


def environment(threads, kernels=None):
    """Debian's OpenBLAS for OpenMP, choosing its kernels by itself.

    Without this, Debian's PyTorch may run on the reference BLAS, some thirty times slower, or on an OpenBLAS with
    threads of its own beside PyTorch's.
    """
    variables = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    folders = glob.glob("/usr/lib/*/openblas-openmp")
    if not folders:
        raise Failed("no OpenBLAS for OpenMP in /usr/lib: tools/setup torch installs it")
    variables["LD_LIBRARY_PATH"] = ":".join(folders)
    variables["OMP_NUM_THREADS"] = str(threads)
    if kernels:
        variables["OPENBLAS_CORETYPE"] = kernels
    return variables


def side(script, *arguments, threads, kernels=None):
    """Starts a script of bench/ in Debian's Python."""
    return Side(["/usr/bin/python3", "-B", ROOT / "bench" / script, *arguments], environment(threads, kernels))


def version():
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "python3-torch"], capture_output=True, text=True, check=True
    )
    return f"{shown.stdout} (Debian)"

"""Builds the Python package with CMake: pip wheel --no-build-isolation . (pyproject.toml says the rest).

UNROLL_BUILD_DIR names a build folder that exists, whose module is taken instead of one that is built anew; it has to be
configured for the same Python.
"""

import os
import pathlib
import re
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent


def version():
    """That of the CMake project."""
    return re.search(r"project\(unroll VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)


def pybind11_option():
    """Where a pybind11 is that came as a Python package; the system's CMake finds by itself."""
    try:
        import pybind11
    except ImportError:
        return []
    return [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]


class CMakeBuild(build_ext):
    """Builds unroll._core as CMake does."""

    def build_extension(self, ext):
        given = os.environ.get("UNROLL_BUILD_DIR")
        build = pathlib.Path(given) if given else ROOT / "build" / f"wheel-{sys.implementation.cache_tag}"
        if not given:
            subprocess.run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                            "-DUNROLL_UNITY=ON", "-DUNROLL_BUILD_TESTS=OFF", "-DUNROLL_BUILD_PYTHON=ON",
                            f"-DPython_EXECUTABLE={sys.executable}", *pybind11_option()], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "unroll_python"], check=True)
        target = pathlib.Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        self.copy_file(build / "python" / "unroll" / target.name, target)


(ROOT / "build").mkdir(exist_ok=True)
setup(version=version(), ext_modules=[Extension("unroll._core", [])], cmdclass={"build_ext": CMakeBuild},
      options={"egg_info": {"egg_base": "build"}})

#!/usr/bin/env python3
"""Public headers compile alone, with standard headers only, and so do the examples of docs/library.md.

public_headers.py SOURCE_DIR COMPILER
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, COMPILER = pathlib.Path(sys.argv[1]), sys.argv[2]
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{SOURCE / 'include'}"]
EXAMPLE = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class PublicHeaders(unittest.TestCase):
    def compile(self, *arguments):
        done = subprocess.run([COMPILER, *FLAGS, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_each_compiles_alone(self):
        headers = sorted((SOURCE / "include").rglob("*.h"))
        self.assertTrue(headers)
        for header in headers:
            with self.subTest(header.name):
                self.compile("-include", header, "-x", "c++", "/dev/null")

    def test_the_examples_of_the_map_of_the_library_compile(self):
        """As one source: each main() becomes a function of its own."""
        examples = EXAMPLE.findall((SOURCE / "docs" / "library.md").read_text(encoding="utf-8"))
        self.assertGreater(len(examples), 8)
        source = "".join(re.sub(r"^int main\(", f"int example_{number}(", example, flags=re.MULTILINE)
                         for number, example in enumerate(examples))
        self.assertEqual(source.count("int example_"), len(examples))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "examples.cc"
            path.write_text(source, encoding="utf-8")
            self.compile("-Wno-return-type", path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/env python3
"""The library names fields of options, and never flags: no string literal of src/ or include/ holds one (unroll/error.h).

    tests/flags_in_library.py ROOT
"""

import pathlib
import re
import sys
import tempfile
import unittest

LITERAL = re.compile(r'"(?:\\.|[^"\\])*"')
FLAG = re.compile(r"(?<![-\w])--[a-z{]")
OTHER_PROGRAMS = re.compile(r"compile-lm --text=yes")  # of IRSTLM


def flags_in(root):
    """Every string literal with a flag, as "path:line: literal"."""
    found = []
    for folder in ("src", "include"):
        for file in sorted((pathlib.Path(root) / folder).rglob("*")):
            if file.suffix not in (".h", ".cc"):
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                code = line.split(" // ")[0] if not line.lstrip().startswith("//") else ""
                found += [f"{file.relative_to(root).as_posix()}:{number}: {literal}"
                          for literal in LITERAL.findall(code) if FLAG.search(OTHER_PROGRAMS.sub("", literal))]
    return found


class FlagsInLibrary(unittest.TestCase):
    def test_there_are_none(self):
        self.assertEqual(flags_in(ROOT), [])

    def test_a_planted_one_is_found(self):
        for literal in ['"use a smaller --bptt"', '"--lr is 3"', '"--{} is {}"']:
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "src" / "base" / "planted.cc"
                file.parent.mkdir(parents=True)
                file.write_text(f"// not \"--this\"\nint --i; refuse({literal});\n", encoding="utf-8")
                self.assertEqual(flags_in(folder), [f"src/base/planted.cc:2: {literal}"])


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv.pop(1))
    unittest.main()

#!/usr/bin/env python3
"""The include check finds planted violations, and nothing where there is none: check_includes.py SOURCE_DIR"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tools"))
import check_includes  # noqa: E402

GOOD = {
    "include/unroll/error.h": "#include <string>\n",
    "include/unroll/model.h": '#include <vector>\n#include "unroll/error.h"\n',
    "src/base/view.h": "#include <span>\n",
    "src/base/file.cc": '#include <fcntl.h>\n#include <fmt/format.h>\n#include "unroll/error.h"\n',
    "src/kernels/matmul.h": '#include "base/view.h"\n',
    "src/kernels/matmul.cc": "#include <hwy/highway.h>\n",
    "tests/second_opinion_test.cc": "#include <dnnl.hpp>\n",
    "src/kernels/gates.cc": "#include <hwy/highway.h>\n",
    "src/text/corpus.cc": "#include <unicode/brkiter.h>\n#include <zlib.h>\n#include <sentencepiece_processor.h>\n",
    "src/nn/lstm.h": '#include "nn/ref/lstm.h"\n#include "kernels/matmul.h"\n',
    "src/nn/ref/lstm.h": "",
    "src/model/file.cc": '#include <xxhash.h>\n#include "model/strict_json.h"\n',
    "src/model/strict_json.h": "#include <nlohmann/json.hpp>\n",
    "src/suites/suite.cc": '#include "model/strict_json.h"\n',
    "src/infer/scorer.h": '#include "nn/lstm.h"\n#include "unroll/model.h"\n',
    "src/train/trainer.h": '#include "infer/scorer.h"\n',
    "apps/cli/score.h": '#include "unroll/model.h"\n',
    "apps/cli/verbs/score.cc": '#include "cli/score.h"\n',
    "apps/cli/flags/parser.cc": "#include <CLI/CLI.hpp>\n",
    "apps/server/server.h": "",
    "apps/server/server.cc": '#include "json/text.h"\n#include "server/server.h"\n',
    "apps/server/http/boost.h": "#include <boost/asio.hpp>\n",
    "apps/json/text.h": "",
    "apps/cli/verbs/serve.cc": '#include "server/server.h"\n',
    "python/scorer.cc": '#include <pybind11/numpy.h>\n#include "python/text.h"\n#include "unroll/model.h"\n',
    "python/text.h": "",
    "tests/nn/lstm_test.cc": '#include <gtest/gtest.h>\n#include <dnnl.hpp>\n#include "nn/lstm.h"\n#include "planted.h"\n',
    "tests/planted.h": "",
    "examples/score/main.cc": "#include <unroll/model.h>\n#include <iostream>\n",
}

BAD = {
    "a room above": ("src/base/file.cc", '#include "kernels/matmul.h"'),
    "a room far above": ("src/infer/scorer.h", '#include "train/trainer.h"'),
    "a room on the same level": ("src/text/corpus.cc", '#include "kernels/matmul.h"'),
    "a room above, from a nested folder": ("src/nn/ref/lstm.h", '#include "model/file.h"'),
    "a room above, in angle brackets": ("src/nn/lstm.h", "#include <infer/scorer.h>"),
    "a room above, oddly spaced": ("src/nn/lstm.h", '  #  include "infer/scorer.h"'),
    "src, from the program": ("apps/cli/verbs/score.cc", '#include "nn/lstm.h"'),
    "another app": ("apps/cli/verbs/score.cc", '#include "server/server.h"'),
    "the command, from the server": ("apps/server/server.cc", '#include "cli/score.h"'),
    "Boost around its header": ("apps/server/server.cc", "#include <boost/asio.hpp>"),
    "src, from the Python module": ("python/scorer.cc", '#include "nn/lstm.h"'),
    "pybind11 in the library": ("src/nn/lstm.h", "#include <pybind11/pybind11.h>"),
    "src, from an example": ("examples/score/main.cc", '#include "nn/lstm.h"'),
    "src, from a public header": ("include/unroll/model.h", '#include "nn/lstm.h"'),
    "a third party in a public header": ("include/unroll/model.h", "#include <nlohmann/json.hpp>"),
    "the system in a public header": ("include/unroll/model.h", "#include <sys/mman.h>"),
    "oneDNN in a kernel": ("src/kernels/gates.cc", "#include <dnnl.hpp>"),
    "oneDNN in a layer": ("src/nn/lstm.h", "#include <oneapi/dnnl/dnnl.hpp>"),
    "Highway outside kernels": ("src/nn/lstm.h", "#include <hwy/highway.h>"),
    "ICU outside text": ("src/model/file.cc", "#include <unicode/utf8.h>"),
    "zlib outside text": ("src/model/file.cc", "#include <zlib.h>"),
    "SentencePiece outside text": ("src/model/file.cc", "#include <sentencepiece_trainer.h>"),
    "a public header of a room above": ("src/nn/lstm.h", '#include "unroll/model.h"'),
    "a public header of a room above, from a public header": ("include/unroll/error.h", '#include "unroll/model.h"'),
    "a public header without an owner": ("src/model/file.cc", '#include "unroll/orphan.h"'),
    "CLI11 among the verbs": ("apps/cli/verbs/score.cc", "#include <CLI/CLI.hpp>"),
    "JSON around its header": ("src/model/file.cc", "#include <nlohmann/json.hpp>"),
    "JSON for the sake of a message": ("src/train/trainer.h", '#include "model/strict_json.h"'),
    "xxhash outside model": ("src/base/file.cc", "#include <xxhash.h>"),
    "JSON outside model and apps": ("src/infer/scorer.h", "#include <nlohmann/json.hpp>"),
    "CLI11 in the library": ("src/train/trainer.h", "#include <CLI/CLI.hpp>"),
    "toml++ in the library": ("src/train/options.cc", "#include <toml++/toml.h>"),
    "libfmt in a header": ("src/train/trainer.h", "#include <fmt/format.h>"),
    "OpenMP in the library": ("src/base/file.cc", "#include <omp.h>"),
    "the test framework in the library": ("src/base/file.cc", "#include <gtest/gtest.h>"),
    "a third party that nobody knows": ("src/base/file.cc", "#include <boost/any.hpp>"),
    "a file in no room": ("src/misc/helper.h", "#include <string>"),
    "a file beside the rooms": ("src/helper.h", "#include <string>"),
}


def faults(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return check_includes.check(root)


class CheckIncludes(unittest.TestCase):
    def test_nothing_is_found_in_a_tree_that_keeps_the_rules(self):
        self.assertEqual(faults(GOOD), [])

    def test_every_planted_violation_is_found_alone_at_its_line(self):
        for name, (path, line) in BAD.items():
            with self.subTest(name):
                before = GOOD.get(path, "")
                found = faults({**GOOD, "src/model/file.h": "", "include/unroll/orphan.h": "", path: before + line + "\n"})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:{before.count(chr(10)) + 1}: "), found)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

"""Plants violations in a scratch tree and expects tidy.py to name them, and to pass the clean tree."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
RULES = HERE.parents[1] / ".clang-tidy"
CLEAN = "namespace paluku {\nint Half(int value) { return value / 2; }\n}  // namespace paluku\n"
LONG = "int Long(int a) {\n" + "  ++a;\n" * 81 + "  return a;\n}\n"
MOVED = "#include <string>\n#include <utility>\nstd::size_t Moved(std::string a) {\n  const std::string b = std::move(a);\n" \
        "  return a.size() + b.size();\n}\n"


def check(tree, *options):
    """Exit status and output of tidy.py over `tree`, a file's name to its text; headers are not compiled themselves."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / ".clang-tidy").write_text(RULES.read_text(encoding="utf-8"), encoding="utf-8")
        entries = []
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            if name.endswith(".cpp"):
                entries.append({"directory": folder, "file": name, "command": f"c++ -std=c++20 -I. -c {name}"})
        (root / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
        run = subprocess.run([sys.executable, HERE / "tidy.py", folder, "--root", folder, *options],
                             capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


class TidyTest(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        status, output = check({"engine/base/a.cpp": CLEAN, "tests/b.cpp": LONG})
        self.assertEqual(status, 0, output)
        self.assertIn("1 sources, 0 with findings", output)

    def test_violations_are_named(self):
        header = "#pragma once\ninline " + LONG
        cases = [("a long function", {"app/a.cpp": LONG}, "readability-function-size"),
                 ("a value used after its move", {"storage/a.cpp": MOVED}, "bugprone-use-after-move"),
                 ("a long function in a header", {"engine/a.h": header, "engine/a.cpp": '#include "engine/a.h"\n'},
                  "engine/a.h"),
                 ("a source that does not compile", {"engine/a.cpp": "int a(\n"}, "error")]
        for name, tree, expected in cases:
            with self.subTest(name):
                status, output = check({"engine/base/clean.cpp": CLEAN, **tree})
                self.assertEqual(status, 1, output)
                self.assertIn(expected, output)
                self.assertIn("1 with findings", output)

    def test_one_check_alone(self):
        tree = {"app/a.cpp": MOVED, "app/b.cpp": LONG}
        status, output = check(tree, "--only", "readability-function-size")
        self.assertEqual(status, 1, output)
        self.assertIn("app/b.cpp:", output)
        self.assertNotIn("app/a.cpp:", output)

    def test_a_build_without_sources_is_no_success(self):
        self.assertEqual(check({"tests/b.cpp": CLEAN})[0], 1)


if __name__ == "__main__":
    unittest.main()

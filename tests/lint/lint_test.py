"""Plants a violation of each rule in a scratch repository and expects lint.py to name it, and only it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

LINT = pathlib.Path(__file__).with_name("lint.py")

PLANTED = [
    ("arrows", "engine/model/a.cpp", "#include <QString>\n", "includes Qt"),
    ("arrows", "engine/loader/a.cpp", '#include "engine/session/engine.h"\n', "may not include engine/session"),
    ("arrows", "engine/backend/cpu/a.cpp", '#include "engine/model/weights.h"\n', "may not include engine/model"),
    ("arrows", "storage/a.cpp", '#include "engine/loader/gguf.h"\n', "storage may not include"),
    ("arrows", "app/conversation/a.cpp", '#include "app/chat/chat_controller.h"\n', "app/conversation may not"),
    ("arrows", "engine/base/a.cpp", '#include "error.h"\n', "without its room"),
    ("sizes", "engine/base/a.cpp", "int a;\n" * 801, "801 lines"),
    ("sizes", "ui/A.qml", "Item {}\n" * 301, "301 lines"),
    ("qml", "ui/chat/A.qml", "UiText { textFormat: Text.RichText }\n", "text format RichText"),
    ("qml", "ui/chat/A.qml", "Text { text: a }\n", "bare Text"),
    ("qml", "ui/chat/A.qml", "import QtQuick.Controls\n", "imports QtQuick.Controls"),
    ("qml", "ui/chat/A.qml", 'Rectangle { color: "#FFFFFF" }\n', "colour"),
    ("qml", "ui/controls/A.qml", "Text { text: a }\n", "without PlainText"),
    ("formatting", "engine/base/a.cpp", "int   a;\n", "not formatted"),
    ("words", "engine/base/a.cpp", "// TO" + "DO later\n", "TO" + "DO"),
    ("words", "README.md", "see /ro" + "ot/x\n", "/ro" + "ot/"),
]
CLEAN = {
    "engine/base/b.cpp": '#include "engine/base/error.h"\n',
    "storage/b.cpp": '#include "engine/base/error.h"\n',
    "app/chat/b.cpp": '#include <QString>\n\n#include "engine/base/error.h"\n',
    "ui/controls/UiText.qml": "Text { textFormat: Text.PlainText }\n",
}


def findings(rule, tree):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        (root / ".clang-format").write_text("BasedOnStyle: Google\n")
        for name, text in tree.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        run = subprocess.run([sys.executable, LINT, rule, folder], capture_output=True, text=True)
        lines = [line for line in run.stdout.splitlines() if not line.endswith(" findings")]
        return run.returncode, lines


class LintTest(unittest.TestCase):
    def test_clean_tree_has_no_finding(self):
        for rule in ("arrows", "sizes", "qml", "formatting", "words"):
            with self.subTest(rule):
                self.assertEqual(findings(rule, CLEAN), (0, []))

    def test_every_planted_violation_is_named(self):
        for rule, name, text, expected in PLANTED:
            with self.subTest(f"{rule} {name}"):
                status, lines = findings(rule, {**CLEAN, name: text})
                self.assertEqual(status, 1)
                self.assertEqual([line.split(":")[0] for line in lines], [name] * len(lines))
                self.assertIn(expected, lines[0])


if __name__ == "__main__":
    unittest.main()

"""The house rules that a machine can check: arrows between rooms, sizes of files, text formats in QML, formatting.

usage: lint.py RULE ROOT, with RULE one of the keys of RULES. Prints one line a finding; exits 1 when there is one.
"""
import pathlib
import re
import subprocess
import sys

SOURCES = ("*.cpp", "*.h", "*.cu", "*.cuh")
CODE_LIMIT = 800
QML_LIMIT = 300

# Which rooms a room may include from; the longest prefix counts. DESIGN: ui -> app -> conversation -> engine, storage -> base.
ARROWS = {
    "engine/base": ["engine/base"],
    "engine/tensor": ["engine/base", "engine/tensor"],
    "engine": ["engine"],
    "storage": ["storage", "engine/base"],
    "app/conversation": ["app/conversation", "engine", "storage"],
    "app/cli": ["app/cli", "app/conversation", "engine", "storage"],
    "app": ["app", "engine", "storage"],
    "tests": ["tests", "app", "engine", "storage"],
}
# Rooms that must not know Qt.
WITHOUT_QT = ("engine", "storage", "app/conversation", "app/cli")
# Inside the engine: kernels and loaders know no model, nothing below knows the session.
ENGINE_ORDER = {
    "engine/backend": ["engine/base", "engine/tensor", "engine/backend", "engine/sampling"],
    "engine/loader": ["engine/base", "engine/tensor", "engine/loader", "engine/model/model_config", "engine/model/family",
                      "engine/text"],
    "engine/text": ["engine/base", "engine/text", "engine/loader"],
    "engine/sampling": ["engine/base", "engine/sampling"],
    "engine/model": ["engine/base", "engine/tensor", "engine/backend", "engine/loader", "engine/model"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def files(root, *patterns):
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "--", *patterns],
                            capture_output=True, text=True, check=True).stdout.split("\n")
    return sorted(name for name in listed if name and (pathlib.Path(root) / name).is_file())


def text_of(root, name):
    return (pathlib.Path(root) / name).read_text(encoding="utf-8")


def longest_prefix(name, table):
    rooms = [room for room in table if name.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def arrows(root):
    for name in files(root, *SOURCES):
        own = longest_prefix(name, ARROWS)
        engine_own = longest_prefix(name, ENGINE_ORDER)
        for kind, target in INCLUDE.findall(text_of(root, name)):
            if kind == "<":
                if re.match(r"Q[A-Z]|Qt", target) and name.startswith(tuple(room + "/" for room in WITHOUT_QT)):
                    yield f"{name}: includes Qt ({target})"
                continue
            if target.endswith(".moc"):  # made by Qt beside the source
                continue
            if "/" not in target:
                yield f'{name}: includes "{target}" without its room; write the path from the root'
                continue
            for room, table in ((own, ARROWS), (engine_own, ENGINE_ORDER)):
                if room and not any(target.startswith(allowed) for allowed in table[room]):
                    yield f"{name}: {room} may not include {target}"


def sizes(root):
    for patterns, limit in ((SOURCES + ("*.py", "*.js"), CODE_LIMIT), (("*.qml",), QML_LIMIT)):
        for name in files(root, *patterns):
            lines = text_of(root, name).count("\n")
            if lines > limit:
                yield f"{name}: {lines} lines, the limit is {limit}"


RICH_FORMAT = re.compile(r"\b(RichText|StyledText|MarkdownText|AutoText)\b")
BARE_TEXT = re.compile(r"^\s*(?:T\.|Controls\.)?(Text|Label|TextEdit|TextArea|TextField|TextInput)\s*\{", re.M)
# TextInput and TextField know plain text only.
MARKUP_ITEM = re.compile(r"^\s*(?:T\.)?(Text|Label|TextEdit|TextArea)\s*\{", re.M)
LITERAL_COLOUR = re.compile(r'"#[0-9A-Fa-f]{3,8}"')
CONTROLS_IMPORT = re.compile(r"^\s*import\s+QtQuick\.Controls(?!\.impl)\b", re.M)


def qml(root):
    """Model output must never reach a Qt markup parser: one Text, one format, everywhere."""
    for name in files(root, "ui/*.qml", "ui/**/*.qml"):
        text = re.sub(r"//.*", "", text_of(root, name))
        for match in RICH_FORMAT.finditer(text):
            yield f"{name}: text format {match.group(1)}"
        if not name.startswith("ui/controls/"):
            for match in BARE_TEXT.finditer(text):
                yield f"{name}: bare {match.group(1)}, use the one of ui/controls"
            if CONTROLS_IMPORT.search(text):
                yield f"{name}: imports QtQuick.Controls, use ui/controls"
        elif MARKUP_ITEM.search(text) and "PlainText" not in text:
            yield f"{name}: a text item without PlainText"
        if not name.startswith("ui/theme/"):
            for match in LITERAL_COLOUR.finditer(text):
                yield f"{name}: colour {match.group(0)} outside the theme"


def formatting(root):
    for name in files(root, *SOURCES):
        run = subprocess.run(["clang-format", "--dry-run", "--Werror", name], cwd=root, capture_output=True, text=True)
        if run.returncode != 0:
            yield f"{name}: not formatted, run clang-format -i"


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|EXPECT_TRUE\(true\)|ASSERT_TRUE\(true\)")
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(work|root)/")


def words(root):
    for name in files(root, *SOURCES, "*.qml", "*.py", "*.md", "*.txt", "*.cmake", "packaging/*", ".ci/*"):
        if name == "tests/lint/lint.py" or name.startswith("tests/lint/planted"):
            continue
        try:
            text = text_of(root, name)
        except UnicodeDecodeError:
            continue
        for expression in (UNFINISHED, MACHINE_PATH):
            for match in expression.finditer(text):
                yield f"{name}: “{match.group(0).strip()}”"


RULES = {"arrows": arrows, "sizes": sizes, "qml": qml, "formatting": formatting, "words": words}


def main():
    rule, root = sys.argv[1:]
    found = list(RULES[rule](root))
    for line in found:
        print(line)
    print(f"{rule}: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

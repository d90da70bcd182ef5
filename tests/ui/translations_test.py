"""The catalogues are complete: lupdate finds no new string, every string is translated, placeholders agree, and
both plural forms are there.

usage: translations_test.py LUPDATE SOURCE_ROOT. Works on copies; `ninja translations` updates the real ones.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

PLACEHOLDER = re.compile(r"%L?\d|%n")


def messages(path):
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            yield context.findtext("name"), message


def updated(lupdate, root, name, folder, *options):
    """A copy of the catalogue with all strings that the sources hold now."""
    copy = pathlib.Path(folder) / name
    shutil.copy(root / "resources/translations" / name, copy)
    subprocess.run([lupdate, "-no-obsolete", "-locations", "none", "-silent", "-I", str(root), *options, str(root / "ui"),
                    str(root / "app"), "-ts", str(copy)], check=True, capture_output=True)
    return copy


def findings_of(path):
    for context, message in messages(path):
        source = message.findtext("source")
        translation = message.find("translation")
        where = f"{path.name} [{context}] “{source}”"
        forms = [form.text or "" for form in translation.iter("numerusform")]
        if message.get("numerus") == "yes" and len(forms) != 2:
            yield f"{where}: {len(forms)} plural forms instead of 2"
        texts = forms or [translation.text or ""]
        if translation.get("type") is not None or not all(texts):
            yield f"{where}: not translated"
            continue
        for text in texts:
            wanted, found = (sorted(set(PLACEHOLDER.findall(s))) for s in (source, text))
            if [p for p in wanted if p != "%n"] != [p for p in found if p != "%n"]:
                yield f"{where}: placeholders {wanted} became {found}"


def main():
    lupdate, root = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        telugu = updated(lupdate, root, "paluku_te.ts", folder)
        english = updated(lupdate, root, "paluku_en.ts", folder, "-pluralonly")
        findings = list(findings_of(telugu)) + list(findings_of(english))
        count = sum(1 for _ in messages(telugu))
        plurals = sum(1 for _ in messages(english))
    print("\n".join(findings))
    print(f"{count} strings, {plurals} of them with plural forms, {len(findings)} findings")
    return 1 if findings or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

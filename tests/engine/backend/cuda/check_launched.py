"""Demands that every kernel of the library was launched by one test or another.

usage: check_launched.py [--except PART] FILE..., where each FILE was written by the emulator's setting "kernels" during one
test. PART: kernels with it in their names have nothing to do on this architecture.
"""
import argparse
import pathlib
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--except", dest="excepted", action="append", default=[])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    names = {"loaded": set(), "launched": set()}
    for file in arguments.files:
        for line in file.read_text(encoding="utf-8").splitlines():
            what, name = line.split()
            names[what].add(name)
    print(len(names["launched"]), "of", len(names["loaded"]), "kernels launched")
    excepted = {part: {name for name in names["loaded"] if part in name} for part in arguments.excepted}
    findings = [f"{name}: launched by no test"
                for name in sorted(names["loaded"] - names["launched"] - set().union(*excepted.values()))]
    # An exception that is none any more would hide the next omission.
    for part, kernels in excepted.items():
        if not kernels or kernels & names["launched"]:
            findings.append(f"{part}: excepted, but no kernel or launched")
    if not names["launched"]:
        findings.append("nothing was launched at all")
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

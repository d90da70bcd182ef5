"""Runs clang-tidy with the repository's .clang-tidy over the sources of app, engine and storage.

usage: tidy.py BUILD [--root ROOT] [--jobs N] [--only CHECK] [PATH...]. BUILD holds compile_commands.json and what the
build makes (so build first); with PATHs only sources below them. Prints the findings and the time; exits 1 when there
is one, or when a source could not be read. Headers are looked at through the sources that include them.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOMS = ("app", "engine", "storage")
# The build has warnings of its own (gcc, -Werror): here only the named checks speak.
QUIET = ("--extra-arg=-Wno-everything", "--extra-arg=-Wno-error", "--extra-arg=-Qunused-arguments")
FINDING = re.compile(r"(error|warning): ")


def sources(build, root, below):
    """The compiled sources of the house, the longest first so that the end is not one of them alone."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = set()
    for entry in entries:
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.suffix != ".cpp" or not path.is_relative_to(root) or not path.is_file():
            continue
        name = path.relative_to(root).as_posix()
        if name.startswith(tuple(room + "/" for room in ROOMS)) and (not below or name.startswith(tuple(below))):
            found.add(path)
    return sorted(found, key=lambda path: -path.stat().st_size)


def tidy(tool, build, root, only, path):
    began = time.monotonic()
    run = subprocess.run([tool, "-p", str(build), "--quiet", *QUIET, *only, str(path)],
                         capture_output=True, text=True, cwd=root)
    text = run.stdout if FINDING.search(run.stdout) else run.stdout + run.stderr if run.returncode != 0 else ""
    return path, text.strip(), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("below", nargs="*", metavar="PATH")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", metavar="CHECK", help="this check instead of all")
    parser.add_argument("--tool", default="clang-tidy-19")
    options = parser.parse_args()
    root = options.root.resolve()
    only = [f"--checks=-*,{options.only}"] if options.only else []
    found = sources(options.build.resolve(), root, options.below)
    began, failed, slowest = time.monotonic(), 0, (0.0, "")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(tidy, options.tool, options.build.resolve(), root, only, path) for path in found]
        for job in concurrent.futures.as_completed(jobs):
            path, text, seconds = job.result()
            slowest = max(slowest, (seconds, path.relative_to(root).as_posix()))
            if text:
                failed += 1
                print(text.replace(f"{root}/", ""), flush=True)
    print(f"clang-tidy: {len(found)} sources, {failed} with findings, {time.monotonic() - began:.0f} s, "
          f"slowest {slowest[1]} {slowest[0]:.0f} s")
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main())

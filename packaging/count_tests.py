"""Sums up a test run: cases of the GoogleTest programs, and one for every other test of CTest.

usage: count_tests.py RESULTS, the folder with ctest.junit and one XML file per GoogleTest program.
Prints one line, "N passed, N failed, N skipped"; exits 1 when something failed.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main() -> int:
    results = pathlib.Path(sys.argv[1])
    passed = failed = skipped = 0
    counted = set()
    for path in results.glob("*.xml"):
        suites = ElementTree.parse(path).getroot()
        counted.add(path.stem)
        for case in suites.iter("testcase"):
            if case.find("failure") is not None:
                failed += 1
            elif case.get("result") == "skipped" or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    for case in ElementTree.parse(results / "ctest.junit").getroot().iter("testcase"):
        ok = case.get("status") == "run" and case.find("failure") is None
        if case.get("status") in ("notrun", "disabled"):
            skipped += 1
        elif not ok:
            # A program that crashed, timed out or failed counts at least once.
            failed += 1
        elif case.get("name") not in counted:
            passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

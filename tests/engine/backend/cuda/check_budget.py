"""Compares what ptxas needed for every kernel and architecture with budget.txt.

usage: check_budget.py BUDGET FOLDER, where FOLDER holds the *.ptxas files of keep_ptxas_report.py. A kernel without a
budget, a budget without a kernel, and a register, a byte of shared memory or a spilled byte over it is a finding.
"""
import collections
import pathlib
import re
import subprocess
import sys

ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")
ARCHITECTURES = {"75", "80", "86", "89", "90", "100", "120"}

Use = collections.namedtuple("Use", "architecture registers shared spills")


def reports(folder):
    """Yields (mangled name, Use)."""
    for path in sorted(pathlib.Path(folder).rglob("*.ptxas")):
        name = architecture = spills = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := ENTRY.search(line):
                name, architecture = match.groups()
            elif match := SPILLS.search(line):
                spills = int(match[1]) + int(match[2])
            elif match := USED.search(line):
                shared = SHARED.search(line)
                yield name, Use(architecture, int(match[1]), int(shared[1]) if shared else 0, spills)


def short_names(mangled):
    """{mangled: "Kernel<1>"}"""
    names = sorted(mangled)
    plain = subprocess.run(["c++filt", "-p"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return {name: re.sub(r"^.*::(\w+Kernel)", r"\1", text).replace("(bool)", "").replace("(int)", "")
            for name, text in zip(names, plain.splitlines())}


def main(budget_path, folder):
    uses = collections.defaultdict(list)
    for name, use in reports(folder):
        uses[name].append(use)
    kernels = {short: uses[name] for name, short in short_names(uses).items()}
    budget = {}
    for line in pathlib.Path(budget_path).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, *figures = line.rsplit(None, 3)
            budget[name] = [int(figure) for figure in figures]
    findings = [f"{name}: no kernel of this name" for name in budget.keys() - kernels.keys()]
    for name, found in sorted(kernels.items()):
        most = [max(figures) for figures in zip(*(use[1:] for use in found))]
        print(name, *most)
        if name not in budget:
            findings.append(f"{name}: no budget")
            continue
        if missing := ARCHITECTURES - {use.architecture for use in found}:
            findings.append(f"{name}: not compiled for {sorted(missing)}")
        for use in found:
            if any(needed > allowed for needed, allowed in zip(use[1:], budget[name])):
                findings.append(f"{name} on sm_{use.architecture}: {use.registers} registers, {use.shared} bytes shared, "
                                f"{use.spills} bytes spilled")
    if not kernels:
        findings.append(f"no reports in {folder}")
    print("\n".join(findings) or f"{len(kernels)} kernels within their budgets")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Compiler launcher: runs a compilation and moves ptxas' report (-Xptxas -v) from the terminal to OBJECT.ptxas.

usage: keep_ptxas_report.py COMMAND...
"""
import subprocess
import sys

command = sys.argv[1:]
result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
lines = result.stderr.splitlines(keepends=True)
report = [line for line in lines if line.startswith("ptxas info") or "bytes stack frame" in line]
sys.stderr.write("".join(line for line in lines if line not in report))
if result.returncode == 0 and "-o" in command:
    with open(command[command.index("-o") + 1] + ".ptxas", "w", encoding="utf-8") as out:
        out.write("".join(report))
sys.exit(result.returncode)

"""Mutation run: single mistakes in the PTX of the CUDA backend, each of which the emulated operation cases must notice.

usage: mutate.py LIBRARY OP_CASES [--modules a,b] [--mutants N] [--seed N] [--minutes N] [--log FILE] [--explained FILE]

LIBRARY is libpaluku_cuda_80_emulated.so (or another architecture's), OP_CASES the program of tests/op_cases. N mutants
of every module, drawn by the seed, go one after the other through the module's cases (CASES), the quick ones first. The
log gets a line of JSON for each; mutants that it already has are not run again. At the end: a table, and every survivor
that FILE (mutation_survivors.md) does not explain, which is a finding.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

# Per module: filters of the cases that cover it, tried in this order, and the modules that they need: the others are taken
# out of the library, which saves most of its loading. Cases not named here do not reach the module. A word of PROGRAMS in
# front: cases of that program, beside op_cases, with its environment. Products of golden models read what attention rounds on
# the way.
NETWORKS = "experts float_product group norm product"
ATTENTION = "attention attention_absorb attention_expand attention_flash attention_tensor"
EVERYTHING = f"{ATTENTION} {NETWORKS} indexer mat_vec route rows sample split"
CASES = {
    "attention": [("AttentionCases.UpProjections*:AttentionCases.LargeScores", "attention attention_absorb"),
                  ("*QuantisedUp*", ATTENTION), ("*AttentionCases*:IndexerCases.Att*", ATTENTION),
                  ("golden */narrow_q4_0_*", EVERYTHING)],
    "attention_absorb": [("AttentionCases.UpProjections*:AttentionCases.LargeScores", "attention attention_absorb"),
                         ("*QuantisedUp*", ATTENTION), ("*AttentionCases*", ATTENTION)],
    "attention_expand": [("*EveryWay*/prefill__MiniCPM3*", ATTENTION), ("*EveryWay*/prefill_*:*QuantisedUp*", ATTENTION)],
    "attention_flash": [("*EveryWay*/prefill__MiniCPM3*", ATTENTION), ("*EveryWay*/prefill_*:AttentionCases.Temp*", ATTENTION)],
    "attention_tensor": [("AttentionCases.Chosen*:*EveryWay*/int8*", ATTENTION),
                         ("*EveryLatent/*:*EveryWay*:AttentionCases.Temp*", ATTENTION)],
    "experts": [("*EveryNetwork.SwiGluFfn/Q4_K_Q5_0:*EveryNetwork.MoeFfn/Q8_0_Q8_0", NETWORKS),
                ("*EveryNetwork.*:ExpertCases.MoeFfnWith*:ExpertCases.LargeGates*", NETWORKS)],
    "float_product": [("MatMulCases.Float*:*EveryNetwork.*Ffn/*F*", "mat_vec " + NETWORKS)],
    "group": [("*EveryNetwork.MoeFfn/Q8_0_Q8_0:*ManyExperts*", NETWORKS), ("*EveryNetwork.MoeFfn/Q*", NETWORKS)],
    "indexer": [("IndexerCases.Ties*:IndexerCases.S*:IndexerCases.IndexAppend", "indexer rows")],
    "mat_vec": [("MatMulCases.NanStays*:MatMulCases.Tiny*:MatMulCases.WeightsInBlocksOf64", "float_product mat_vec norm product"),
                ("MatMulCases.Extreme*:MatMulCases.Float*:MatMulCases.WeightsIn*", "mat_vec " + NETWORKS)],
    "norm": [("ElementwiseCases.*RmsNorm*:MatMulCases.Tiny*:MatMulCases.NanStays*:MatMulCases.ProductOf*",
              "float_product norm mat_vec product"),
             ("golden */narrow_q4_0_*", EVERYTHING)],
    "product": [("MatMulCases.NanStays*:MatMulCases.WeightsInBlocksOf64", "float_product mat_vec norm product"),
                ("MatMulCases.WeightsInBlocksOf*:*EveryNetwork.*Ffn/*", "mat_vec " + NETWORKS)],
    "route": [("ExpertCases.Ties*:ExpertCases.Excluded*", "float_product mat_vec route"),
              ("ExpertCases.Route*", "float_product mat_vec route")],
    "rows": [("ElementwiseCases.Embed*:ElementwiseCases.Gather*:ElementwiseCases.LatentAppendRotatesQueries*:ElementwiseCases.LatentAppend",
              "rows"), ("IndexerCases.Select*", "indexer rows")],
    "sample": [("ElementwiseCases.Sample*", "sample")],
    "split": [("MatMulCases.FiveHundred*", "float_product mat_vec norm product split"), ("dense *", EVERYTHING)],
}
PROGRAMS = {"golden": ("golden_cuda_test", {}), "dense": ("dense_library_test", {"PALUKU_TEST_CUBLAS": "usable"})}
# Of templates that differ in widths alone, the one with the quickest cases.
KERNELS = {"attention_flash": "FlashKernel<96", "attention_tensor": "TensorAttendKernel<256, 32"}
SECONDS = 300  # of one run at most; a mutant that never ends is killed by it

Mutant = collections.namedtuple("Mutant", "module kernel place source kind line before after")
BYTES = {"8": 1, "16": 2, "32": 4, "64": 8}
OTHER = {"lt": "le", "le": "lt", "gt": "ge", "ge": "gt", "eq": "ne", "ne": "eq", "add": "sub", "sub": "add", "min": "max",
         "max": "min"}


def swapped(text, first, second):
    """`text` with two of its spans exchanged."""
    (a, b), (c, d) = sorted([first, second])
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def operands_swapped(*pairs):
    """Exchanges groups of the match; a pair of equal operands is no mutant."""
    return lambda m: [swapped(m.string, m.span(i), m.span(j)) for i, j in pairs if m[i] and m[i] != m[j]]


def replaced(group, *choices):
    """Puts each of what the choices make of a group in its place."""
    def rule(m):
        made = [choice(m[group]) for choice in choices]
        return [m.string[:m.start(group)] + new + m.string[m.end(group):] for new in made if new not in (None, m[group])]
    return rule


def dropped(_):
    return [""]


def step_of(number):
    """What is one more: of something that looks like bytes, an element of four."""
    return 4 if abs(number) > 8 and number % 4 == 0 else 1


def one_more(text):
    return str(int(text) + step_of(int(text)))


def one_less(text):
    return str(int(text) - step_of(int(text)))


def one_element_on(m):
    """The address of a load or store, one element further."""
    offset = int(m["offset"] or 0) + BYTES[m["bits"]]
    return [f"{m.string[:m.end('base')]}+{offset}]{m.string[m.end('address'):]}"]


def other_copies(m):
    """mma: registers of A, of B, or the two halves of the sums exchanged."""
    groups = [(g.start(1), re.findall(r"%\w+", g[1])) for g in re.finditer(r"\{([^}]*)\}", m.string)]
    made = []
    for start, registers in groups[:3]:
        if len(registers) < 2:
            continue
        spans, at = [], start
        for register in registers:
            at = m.string.index(register, at)
            spans.append((at, at + len(register)))
            at += len(register)
        made.append(swapped(m.string, spans[0], spans[1]))
        if len(spans) == 4:
            made.append(swapped(m.string, spans[1], spans[2]))
    return made


REGISTER = r"(%\w+)"
RULES = [(kind, re.compile(pattern), rule) for kind, pattern, rule in [
    ("barrier dropped", r"^(bar\.|barrier\.|membar|fence)", dropped),
    ("copy group dropped", r"^cp\.async\.(wait|commit)_group", dropped),
    ("copy dropped", r"^cp\.async\.c[ag]\.", dropped),
    ("comparison", r"^setp\.(lt|le|gt|ge|eq|ne)", replaced(1, OTHER.get)),
    ("add and sub", r"^(add|sub)\.", replaced(1, OTHER.get)),
    ("constant", r"^(?:add|sub|mul|mad|shl|shr|and|or|min|max|setp)\.\S+ .*, (-?\d+);$", replaced(1, one_more, one_less)),
    ("mma operands", r"^mma\.", other_copies),
    ("branch", r"^(@!?%p\d+ )bra ", lambda m: ["", m.string[m.end(1):]]),
    ("rounding", r"^\{? ?cvt\.(rni|rn|rzi)\.(?:f16\.f32|s32\.f32|f32\.f32|f64\.f64|u64\.f64)",
     replaced(1, {"rni": "rzi", "rn": "rz", "rzi": "rpi"}.get)),
    ("shuffle", r"^shfl\.sync\.(\w+)\.b32 .*, (\d+), \S+, \S+;$", lambda m: (
        replaced(1, {"bfly": "down", "up": "down", "idx": "down"}.get)(m) +
        replaced(2, lambda lanes: str(int(lanes) // 2), lambda lanes: str(int(lanes) + 1))(m) +
        [m.string.replace(", -1;", ", 2147483647;")])),
    ("address", r"^(?:ld|st)\.(?:shared|global|local)\.(?:v\d\.)?[a-z](?P<bits>\d+) .*"
     r"(?P<address>(?P<base>\[[%\w]+)(?:\+(?P<offset>-?\d+))?\])", one_element_on),
    ("vector order", r"^(?:ld|st)\.(?!param)\S+ .*\{(%\w+), ?(%\w+)", operands_swapped((1, 2))),
    ("f16 lanes", r"^mov\.b32 .*\{(%\w+), ?(%\w+)\}", operands_swapped((1, 2))),
    ("store dropped", r"^(st\.(shared|global|local)|atom|red)\.", dropped),
    ("minimum and maximum", r"^(min|max)\.", replaced(1, OTHER.get)),
    ("selection", rf"^selp\.\S+ {REGISTER}, (\S+), (\S+), ", operands_swapped((2, 3))),
    ("sign", r"^(?:ld\.global\.|cvt\.s16\.|cvt\.s32\.|cvt\.rn\.f32\.|min\.|max\.|dp4a\.)(s)(?:8|16|32)\b",
     replaced(1, lambda _: "u")),
    ("operand order", rf"^(?:sub|div)\.\S+ {REGISTER}, (\S+), (\S+);", operands_swapped((2, 3))),
    ("transposition", r"^ldmatrix\.\S+\.x4(\.trans)?\.shared",
     lambda m: [m.string.replace(".trans", "") if m[1] else m.string.replace(".x4.", ".x4.trans.")]),
]]


def modules_of(library):
    """{name: PTX} of all modules in the library; a module is named after its source."""
    data = pathlib.Path(library).read_bytes()
    found = {}
    for match in re.finditer(rb"\n\.version [^\0]+", data):
        text = match[0].decode()
        source = re.search(r'\.file\s+1 "[^"]*?(\w+)\.cu"', text)
        found[source[1]] = text
    return found


class Sources:
    """Text of the lines that `.loc` names."""

    def __init__(self, ptx):
        self.paths = dict(re.findall(r'\.file\s+(\d+) "([^"]+)"', ptx))
        self.lines = {}

    def line(self, loc):
        """Of `.loc FILE LINE COLUMN, function_name F, inlined_at FILE LINE COLUMN`, the first place that is ours."""
        for file, number in re.findall(r"(?:\.loc|inlined_at)\s+(\d+) (\d+)", loc):
            if number != "0" and "/engine/backend/cuda/" in self.paths.get(file, ""):
                return self.text(file, int(number))
        return None

    def text(self, file, number):
        path = pathlib.Path(self.paths[file])
        if path not in self.lines:
            self.lines[path] = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        lines = self.lines[path]
        return f"{path.name}:{number}", lines[number - 1].strip() if 0 < number <= len(lines) else ""


def kernel_names(ptx):
    mangled = re.findall(r"\.entry (\w+)\(", ptx)
    plain = subprocess.run(["c++filt", "-p"], input="\n".join(mangled), capture_output=True, text=True, check=True).stdout
    return {name: re.sub(r"\((bool|int)\)", "", re.sub(r"^.*::(\w+Kernel)", r"\1", text))
            for name, text in zip(mangled, plain.splitlines())}


def all_mutants(module, ptx):
    names, sources = kernel_names(ptx), Sources(ptx)
    kernel, place, constants = None, ("?", ""), {}
    for number, line in enumerate(ptx.split("\n")):
        if match := re.match(r"\.entry (\w+)\(", line):
            kernel, constants = names[match[1]], {}
        elif line.startswith(".loc"):
            place = sources.line(line) or place
        elif kernel and line.endswith((";", ";}")):
            if match := re.match(r"mov\.[bu]32 (%r\d+), (-?\d+);", line):
                constants[match[1]] = match[2]
            if line.startswith("shfl"):
                text = re.sub(r"(?<=, )%r\d+", lambda m: constants.get(m[0], m[0]), line)
            else:
                text = line
            for kind, pattern, rule in RULES:
                if match := pattern.match(text):
                    for after in rule(match):
                        yield Mutant(module, kernel, *place, kind, number, line, after)


def sample(module, ptx, count, seed):
    """`count` mutants: kinds in the order of RULES in turn, and of a kind one from every line of source before a second of any."""
    chance = random.Random(f"{seed} {module}")
    kinds = {kind: [] for kind, _, _ in RULES}
    for mutant in all_mutants(module, ptx):
        if mutant.kernel.startswith(KERNELS.get(module, "")):
            kinds[mutant.kind].append(mutant)
    queues = []
    for mutants in kinds.values():
        chance.shuffle(mutants)
        seen = collections.Counter()
        ranked = []
        for mutant in mutants:
            ranked.append((seen[mutant.place, mutant.source], mutant))
            seen[mutant.place, mutant.source] += 1
        ranked.sort(key=lambda item: item[0])
        queues.append([mutant for _, mutant in ranked])
    chosen = []
    for turn in range(max(map(len, queues))):
        chosen += [queue[turn] for queue in queues if turn < len(queue)]
    return chosen[:count]


def run_cases(program, environment, cases):
    """What the program noticed: a kind of the emulator's reports, "wrong value", ..., or None."""
    command = [program, f"--gtest_filter={cases}", "--gtest_fail_fast", "--gtest_brief=1"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    late = threading.Event()

    def end():
        late.set()
        os.killpg(process.pid, signal.SIGKILL)
    timer = threading.Timer(SECONDS, end)
    timer.start()
    how = None
    for line in process.stdout:
        if match := re.match(r"\[cuda emulator\] ([A-Z][A-Z .-]+):", line):
            how = match[1]
        elif line.rstrip().endswith(": Failure"):
            how = "wrong value"
        elif line.startswith("[  PASSED  ] 0 tests"):
            how = "no case of this name"
        if how:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    code = process.wait()
    timer.cancel()
    if how:
        return how
    if late.is_set():
        return "never ends"
    return None if code == 0 else f"exit {code}"


def key_of(result):
    return tuple(result[name] for name in ("module", "kernel", "kind", "line", "before", "after"))


class Runner:
    """Runs the cases of a module, with PTX of ours in the place of its own."""

    def __init__(self, library, texts, program, folder):
        self.image = pathlib.Path(library).read_bytes()
        self.texts, self.program, self.folder = texts, pathlib.Path(program).absolute(), pathlib.Path(folder)

    def library_of(self, modules):
        """A copy of the library where all other modules are empty."""
        path = self.folder / f"{modules.replace(' ', '_')}.so"
        if not path.exists():
            image = self.image
            for module in self.texts.keys() - set(modules.split()):
                text = self.texts[module].encode()
                head = text[:text.index(b".address_size")] + b".address_size 64\n"
                image = image.replace(text, head.ljust(len(text), b"\n"))
            path.write_bytes(image)
        return path

    def run(self, module, ptx, begin, levels):
        """How the PTX was noticed by the cases of levels `begin` to `levels`, and by which; if not, how many it survived."""
        path = self.folder / "replacement.ptx"
        path.write_text(ptx, encoding="utf-8")
        for level, (cases, modules) in enumerate(CASES[module][:levels]):
            word, _, filters = cases.rpartition(" ")
            program, settings = PROGRAMS.get(word, (self.program.name, {}))
            environment = {**os.environ, **settings, "PALUKU_BACKEND": "cuda", "PALUKU_EMU_PTX": str(path),
                           "PALUKU_CUDA_LIBRARY": str(self.library_of(modules))}
            if level >= begin and (how := run_cases(self.program.with_name(program), environment, filters)):
                return how, level
        return None, len(CASES[module][:levels])

    def try_mutant(self, mutant, begin, levels):
        lines = self.texts[mutant.module].split("\n")
        lines[mutant.line] = mutant.after
        begun = time.monotonic()
        how, level = self.run(mutant.module, "\n".join(lines), begin, levels)
        return {**mutant._asdict(), "killed": how, "level": level, "seconds": round(time.monotonic() - begun, 1)}


def is_explained(result, text):
    """A row of the explanations names the kind, the file and the line of source."""
    file = result["place"].split(":")[0]
    source = "`" + result["source"].replace("|", "\\|") + "`"
    return any(f"| {result['kind']} |" in row and f"| {file} |" in row and source in row for row in text.splitlines())


def print_table(results):
    for column in ("module", "kind"):
        print(f"\n{column:22}mutants killed survived")
        for name in sorted({r[column] for r in results}):
            some = [r for r in results if r[column] == name]
            killed = sum(r["killed"] is not None for r in some)
            print(f"{name:22}{len(some):7} {killed:6} {len(some) - killed:8}")
    print("\nnoticed as")
    for how, count in collections.Counter(r["killed"] or "survived" for r in results).most_common():
        print(f"{how:22}{count:7}")


def report(results, explained):
    print_table(results)
    text = explained.read_text(encoding="utf-8") if explained.exists() else ""
    open_ones = [r for r in results if r["killed"] is None and not is_explained(r, text)]
    for r in open_ones:
        print(f"unexplained: {r['kernel']} {r['place']} {r['kind']}: {r['before']} -> {r['after']}\n    {r['source']}")
    return 1 if open_ones else 0


def try_all(arguments, modules, log, done):
    """Results of the mutants of all modules, in turn, of as many as the time allows."""
    texts, results = modules_of(arguments.library), []
    samples = [sample(module, texts[module], arguments.mutants, arguments.seed) for module in modules]
    last = time.monotonic() + 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as folder, log.open("a", encoding="utf-8") as out:
        runner = Runner(arguments.library, texts, arguments.op_cases, folder)
        for module in modules:
            how, _ = runner.run(module, texts[module], 0, arguments.levels)
            if how:
                sys.exit(f"{module}: the cases fail without a mutant: {how}")
        for mutant in (mutant for turn in itertools.zip_longest(*samples) for mutant in turn if mutant):
            result = done.get(key_of(mutant._asdict()))
            begin = result["level"] if result else 0
            if result is None or (result["killed"] is None and CASES[mutant.module][begin:arguments.levels]):
                if time.monotonic() > last:
                    break
                result = runner.try_mutant(mutant, begin, arguments.levels)
                out.write(json.dumps(result) + "\n")
                out.flush()
            results.append(result)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("op_cases")
    parser.add_argument("--modules", default=",".join(CASES))
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--levels", type=int)
    parser.add_argument("--log", type=pathlib.Path, default="mutants.jsonl")
    parser.add_argument("--explained", type=pathlib.Path, default=pathlib.Path(__file__).with_name("mutation_survivors.md"))
    arguments = parser.parse_args()
    known = [json.loads(line) for line in arguments.log.read_text().splitlines()] if arguments.log.exists() else []
    done = {key_of(result): result for result in known}
    return report(try_all(arguments, arguments.modules.split(","), arguments.log, done), arguments.explained)


if __name__ == "__main__":
    sys.exit(main())

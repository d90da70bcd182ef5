"""Runs the real paluku-cli: every command, its JSON, its exit codes and its one-line errors (DESIGN section 5).

usage: cli_test.py BINARY SOURCE_DIR [unittest arguments]
"""
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = sys.argv[1]
SOURCE = pathlib.Path(sys.argv[2])
TINY = SOURCE / "tests/data/v3.gguf"
CHECKPOINT = SOURCE / "tests/data/checkpoints/v3"
NOBODY = 65534
VOCABULARY = SOURCE / "tests/data"
# What the processor must have for each instruction set, in the words of /proc/cpuinfo.
INSTRUCTIONS = {"scalar": set(), "avx2": {"avx2", "fma", "f16c"},
                "avx512": {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512_vnni"}}


def run(*arguments, data_dir=None, text="", environment=None):
    command = [BINARY]
    if data_dir:
        command += ["--data-dir", str(data_dir)]
    return subprocess.run(command + [str(a) for a in arguments], input=text, capture_output=True, text=True,
                          timeout=120, env={**os.environ, **(environment or {})})


def processor_flags():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()


class CliTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.data = self.folder / "data-dir"

    def json(self, *arguments, **options):
        done = run("--json", *arguments, data_dir=self.data, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def fails(self, code, *arguments, **options):
        done = run(*arguments, data_dir=self.data, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def fails_as_a_common_user(self, *arguments):
        """Root may read everything: then somebody else runs a copy of the program, in a folder of their own."""
        if os.geteuid() != 0:
            return self.fails(1, *arguments)
        self.folder.chmod(0o755)
        data, program = self.folder / "nobodys", self.folder / "paluku-cli"
        data.mkdir()
        shutil.copy(BINARY, program)
        program.chmod(0o755)
        os.chown(data, NOBODY, NOBODY)
        done = subprocess.run([program, "--data-dir", data, *arguments], user=NOBODY, group=NOBODY, extra_groups=[],
                              capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    # --- usage ---
    def test_help_and_version_succeed(self):
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("paluku-cli", run("--version").stdout)

    def test_wrong_usage_is_2_and_one_line(self):
        for arguments in ([], ["nonsense"], ["logits"], ["run"], ["tokenize"], ["run", "-p", "x", "--temp", "warm"],
                          ["bench", "--depth", "-3"], ["conversations"], ["models", "add"]):
            with self.subTest(arguments):
                self.fails(2, *arguments)

    # --- model files ---
    def test_inspect(self):
        card = self.json("inspect", TINY)
        self.assertEqual(card["architecture"], "deepseek2")
        self.assertEqual(card["unsupported"], [])
        self.assertGreater(card["parameters"], card["active_parameters"])
        self.assertEqual(card["latent_bytes_per_token"], 2 * card["layers"] * (card["latent"] + card["rope"]))
        self.assertEqual(card["format"], "GGUF 3")
        self.assertEqual(card["family"], "DeepSeek-V2/V3")
        groups = {group["group"]: group for group in card["tensor_groups"]}
        self.assertEqual(set(groups), {"embedding", "attention", "dense layers", "router", "routed experts",
                                       "shared experts", "output"})
        self.assertEqual(sum(group["parameters"] for group in groups.values()), card["parameters"])
        self.assertEqual(sum(sum(group["types"].values()) for group in groups.values()),
                         sum(card["tensor_types"].values()))
        self.assertIsInstance(card["notes"], list)
        self.assertTrue(card["cuda"]["card"] or card["cuda"]["reason"])
        text = run("inspect", TINY).stdout
        self.assertIn("Latent cache", text)
        self.assertIn("routed experts", text)
        text = run("inspect", TINY, environment={"PALUKU_CUDA_LIBRARY": "/nowhere"}).stdout
        self.assertIn("CUDA            no: the package paluku-cuda is not installed\n", text)
        self.assertLess(text.count("\n"), 40)  # one screen

    def test_inspect_of_a_folder_of_safetensors(self):
        card = self.json("inspect", CHECKPOINT)
        self.assertEqual((card["format"], card["architecture"], card["unsupported"]), ("safetensors", "deepseek2", []))
        self.assertEqual(card["parameters"], self.json("inspect", SOURCE / "tests/data/v3-legacy.gguf")["parameters"])

    def test_inspect_names_family_and_prediction_layers(self):
        glm, mistral = (SOURCE / "tests/data" / f"{name}.gguf" for name in ("glm-4.7-flash", "mistral4"))
        card = self.json("inspect", glm)
        prediction = [group for group in card["tensor_groups"] if group["group"] == "prediction (unused)"]
        used = card["parameters"] - prediction[0]["parameters"]
        self.assertLess(card["active_parameters"], used)
        self.assertTrue(any("multi-token prediction" in note for note in card["notes"]), card["notes"])
        self.assertIn("multi-token prediction", run("inspect", glm).stdout)
        self.assertEqual(self.json("inspect", mistral)["family"], "Mistral 4")
        self.assertIn("family Mistral 4", run("inspect", mistral).stdout)

    def test_families_are_told_with_their_proof(self):
        families = self.json("inspect", "--families")
        readme = (SOURCE / "README.md").read_text()
        pinned = re.search(r"^transformers==(.*)$", (SOURCE / "tests/data/requirements.txt").read_text(), re.M)[1]
        self.assertGreaterEqual(len(families["runs"]), 15)
        for model in families["runs"]:
            with self.subTest(model["name"]):
                self.assertTrue((SOURCE / "tests/data" / (model["checkpoint"] + ".logits")).is_file())
                self.assertTrue(model["proof"].startswith(f"transformers {pinned}, "), model["proof"])
                oracle = model["proof"].split(", ")[1].split()[0]
                row = [line for line in readme.splitlines() if line.startswith("| ") and model["name"] in line]
                self.assertTrue(any(oracle in line and f"`{model['checkpoint']}`" in line for line in row), row)
        refused = {family["architecture"] for family in families["refused"]}
        self.assertLessEqual({"deepseek4", "kimi-linear", "longcat-flash"}, refused)
        text = run("inspect", "--families").stdout
        self.assertTrue(all(name in text for name in refused))
        plm = SOURCE / "tests/data/plm.gguf"
        self.assertEqual(self.json("inspect", plm)["proof"], families["runs"][-1]["proof"])
        self.assertIn("Compared with   transformers " + pinned, run("inspect", plm).stdout)
        self.assertEqual(self.json("inspect", TINY)["proof"], "")
        self.fails(2, "inspect", TINY, "--families")

    # --- conversion ---
    def test_convert_writes_a_model_that_answers_the_same(self):
        made = self.folder / "made.gguf"
        for source, name in ((CHECKPOINT, "BF16"), (SOURCE / "tests/data/v3-legacy.gguf", "q8_0")):
            with self.subTest(name):
                made.unlink(missing_ok=True)
                done = self.json("convert", source, made, "--type", name)
                self.assertEqual((done["path"], done["type"]), (str(made), name.upper()))
                self.assertEqual(done["file_bytes"], made.stat().st_size)
                self.assertIn(name.upper(), done["tensor_types"])
                card = self.json("inspect", made)
                self.assertEqual(card["unsupported"], [])
                self.assertEqual(card["type"], name.upper())
                top = lambda model: self.json("logits", model, "--ids", "1,2,3", "--top", "3")["positions"][0]["top"]
                self.assertEqual(top(made)[0]["id"], top(source)[0]["id"])

    def test_convert_leaves_what_is_there_and_names_wrong_types(self):
        made = self.folder / "made.gguf"
        made.write_bytes(b"mine")
        self.assertIn("already", self.fails(2, "convert", TINY, made, "--type", "Q8_0"))
        self.assertEqual(made.read_bytes(), b"mine")
        self.assertIn("Q4_K_M", self.fails(2, "convert", TINY, self.folder / "x.gguf", "--type", "Q4_K_XXL"))
        self.fails(2, "convert", TINY, self.folder / "x.gguf")
        self.assertIn("not there", self.fails(1, "convert", self.folder / "no.gguf", self.folder / "x.gguf",
                                              "--type", "F16"))
        self.assertEqual([p.name for p in self.folder.glob("x.gguf*")], [])

    def test_a_terminal_sees_the_progress_and_then_a_clean_line(self):
        terminal, inside = os.openpty()
        command = [BINARY, "convert", str(TINY), str(self.folder / "made.gguf"), "--type", "Q8_0"]
        self.assertEqual(subprocess.run(command, stderr=inside, stdout=subprocess.DEVNULL, timeout=120).returncode, 0)
        os.close(inside)
        seen = os.read(terminal, 1 << 16).decode()
        os.close(terminal)
        self.assertRegex(seen, r"[\d.]+ k?B of [\d.]+ kB")
        self.assertTrue(seen.endswith("\r\x1b[K"), repr(seen))

    def test_a_killed_conversion_leaves_no_file_under_the_name(self):
        made = self.folder / "made.gguf"
        for delay in (0.0, 0.005, 0.01, 0.02, 0.04):
            child = subprocess.Popen([BINARY, "convert", str(TINY), str(made), "--type", "BF16"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            child.kill()
            child.wait()
            if made.exists():  # it was done: then whole
                self.assertEqual(self.json("inspect", made)["unsupported"], [])
                made.unlink()
        self.json("convert", TINY, made, "--type", "BF16")
        self.assertEqual([p.name for p in self.folder.glob("made.gguf*")], ["made.gguf"])

    def test_inspect_without_a_model_tells_of_the_one_that_ships(self):
        card = self.json("inspect")
        self.assertTrue(card["path"].endswith("paluku-starter.gguf"))
        self.assertGreaterEqual(card["latent"], 64)
        self.assertGreaterEqual(card["experts"], 16)

    def test_plan(self):
        plan = self.json("plan", TINY, "--context", "500", "--vram", "2GiB")
        self.assertTrue(plan["fits"] and plan["uses_card"])
        self.assertEqual(plan["expert_layers_on_card"], plan["expert_layers"])
        less = self.json("plan", TINY, "--context", "500", "--vram", plan["card_bytes"] - 1)
        self.assertLess(less["expert_layers_on_card"], less["expert_layers"])
        self.assertEqual(less["context_tokens"], 500)
        self.assertIn("all but the routed experts of", run("plan", TINY, "--context", "500", "--vram",
                                                    plan["card_bytes"] - 1).stdout)
        self.assertIn(" at least ", run("plan", TINY, "--vram", "1MiB").stdout)
        self.assertEqual(plan["context_tokens"], 500)
        for home in ("card", "processor", "file"):
            self.assertEqual(plan[home + "_bytes"],
                             sum(part["bytes"] for part in plan["parts"] if part["home"] == home))
        without = self.json("plan", TINY)
        self.assertEqual((without["card_bytes"], without["uses_card"]), (0, False))
        self.assertFalse(self.json("plan", TINY, "--ram", "1kB")["fits"])
        self.assertIn("Latent cache", run("plan", TINY, "--vram", "2GiB").stdout)
        self.fails(2, "plan", TINY, "--vram", "much")

    def test_bad_model_files_are_refused_in_one_clear_line(self):
        whole = TINY.read_bytes()
        (self.folder / "empty.gguf").write_bytes(b"")
        (self.folder / "cut.gguf").write_bytes(whole[: len(whole) // 2])
        (self.folder / "text.gguf").write_text("this is a letter to a friend, not a model\n" * 10)
        (self.folder / "old.gguf").write_bytes(whole[:4] + (1).to_bytes(4, "little") + whole[8:])
        foreign = whole.replace(b"deepseek2", b"deepseekX")
        (self.folder / "foreign.gguf").write_bytes(foreign)
        cases = {"empty.gguf": "is empty", "cut.gguf": "ends too early", "text.gguf": "is not a GGUF model file",
                 "old.gguf": "format version 1", "foreign.gguf": "deepseekX", "missing.gguf": "is not there",
                 ".": "is not a file"}
        for name, sentence in cases.items():
            with self.subTest(name):
                path = f"{self.folder}/{name}"
                error = self.fails(1, "run", path, "-p", "hello")
                self.assertIn(sentence, error)
                self.assertIn(name.rstrip("."), error)

    def test_a_model_without_permission_is_refused(self):
        path = self.folder / "closed.gguf"
        path.write_bytes(TINY.read_bytes())
        path.chmod(0)
        error = self.fails_as_a_common_user("inspect", path)
        self.assertIn("permission", error)
        self.assertIn("closed.gguf", error)

    # --- tokens ---
    def test_tokenize_and_detokenize_are_inverse(self):
        for text in ("Hello, world", "తెలుగు విజ్ఞానం క్ష్మి", "a\n\n  b", "👩‍👩‍👧 x1234"):
            with self.subTest(text):
                tokens = self.json("tokenize", "--no-bos", "--text", text)
                self.assertEqual(len(tokens["ids"]), len(tokens["pieces"]))
                ids = ",".join(map(str, tokens["ids"]))
                self.assertEqual(self.json("detokenize", "--ids", ids)["text"], text)

    def test_bos_stands_once_unless_it_is_not_wanted(self):
        plain = self.json("tokenize", "--no-bos", "--text", "Hello")["ids"]
        with_bos = self.json("tokenize", "--text", "Hello")["ids"]
        self.assertEqual(with_bos[1:], plain)
        self.assertEqual(len(with_bos), len(plain) + 1)

    def test_tokenize_reads_a_file(self):
        path = self.folder / "text.txt"
        path.write_text("Hello, world", encoding="utf-8")
        self.assertEqual(self.json("tokenize", "--file", path), self.json("tokenize", "--text", "Hello, world"))

    def test_an_id_outside_the_vocabulary_is_wrong_usage(self):
        self.fails(2, "detokenize", "--ids", "99999999")

    # --- the engine ---
    def test_logits_of_all_positions_end_with_those_of_the_last(self):
        everything = self.json("logits", TINY, "--ids", "1,2,3,4", "--all", "--top", "5")["positions"]
        last = self.json("logits", TINY, "--ids", "1,2,3,4", "--top", "5")["positions"]
        self.assertEqual([p["position"] for p in everything], [0, 1, 2, 3])
        self.assertEqual([p["position"] for p in last], [3])
        self.assertEqual([t["id"] for t in everything[3]["top"]], [t["id"] for t in last[0]["top"]])

    def test_logprobs_of_the_whole_vocabulary_sum_to_one(self):
        size = self.json("inspect", TINY)["vocabulary"]
        top = self.json("logits", TINY, "--ids", "5,6", "--top", size)["positions"][0]["top"]
        self.assertEqual(len(top), size)
        self.assertAlmostEqual(sum(math.exp(t["logprob"]) for t in top), 1.0, places=6)

    def test_perplexity_is_that_of_the_logits(self):
        text = self.folder / "text.txt"
        text.write_text("A quiet computer answers in private, and nothing leaves it. పలుకు.\n" * 3)
        ids = self.json("tokenize", TINY, "--file", text, "--no-bos")["ids"]
        bos = self.json("tokenize", TINY, "--text", "")["ids"]
        self.assertEqual(len(bos), 1)
        window, surprise = 40, []
        for first in range(0, len(ids), window - 1):
            part = bos + ids[first:first + window - 1]
            rows = self.json("logits", TINY, "--all", "--top", 288, "--ids", ",".join(map(str, part)))["positions"]
            for row, following in zip(rows, part[1:]):
                surprise += [-choice["logprob"] for choice in row["top"] if choice["id"] == following]
        self.assertEqual(len(surprise), len(ids))
        done = self.json("perplexity", TINY, "--file", text, "--context", window)
        self.assertEqual((done["tokens"], done["context"]), (len(ids), window))
        self.assertAlmostEqual(done["perplexity"] / math.exp(sum(surprise) / len(surprise)), 1, places=4)
        self.assertIn("windows of 40", run("perplexity", TINY, "--file", text, "--context", window).stdout)
        text.write_text("")
        self.assertIn("too short", self.fails(2, "perplexity", TINY, "--file", text))
        self.fails(1, "perplexity", TINY, "--file", self.folder / "missing.txt")

    def test_both_backends_and_both_paths_agree(self):
        def top(*options):
            return self.json("logits", TINY, "--ids", "1,9,17,33,12", "--top", "3", "--latent", "f32",
                             *options)["positions"][0]["top"]
        expected = top("--backend", "reference")
        for options in (["--backend", "cpu"], ["--path", "expanded"], ["--path", "absorbed"]):
            with self.subTest(options):
                for mine, other in zip(top(*options), expected):
                    self.assertEqual(mine["id"], other["id"])
                    self.assertAlmostEqual(mine["logprob"], other["logprob"], places=3)

    def test_instruction_sets_can_be_forced_where_the_processor_has_them(self):
        for name in ("scalar", "avx2", "avx512"):
            arguments = ("logits", TINY, "--ids", "1,2,3", "--top", "1")
            with self.subTest(name):
                if INSTRUCTIONS[name] <= processor_flags():
                    top = self.json(*arguments, environment={"PALUKU_CPU": name})
                    self.assertEqual(len(top["positions"]), 1)
                else:
                    refused = self.fails(2, *arguments, environment={"PALUKU_CPU": name})
                    self.assertIn("this processor cannot run it", refused)

    def test_run_answers_and_ends_by_itself(self):
        answer = self.json("run", "-p", "What is Paluku?", "--temp", "0")
        self.assertEqual(answer["reason"], "end_of_turn")
        self.assertIn("Paluku", answer["text"])
        self.assertNotIn("\ufffd", answer["text"])

    def test_the_same_seed_gives_the_same_text(self):
        def text(seed):
            return self.json("run", "-p", "Tell me about privacy", "--temp", "1.5", "--seed", seed, "-n", "24")["ids"]
        self.assertEqual(text(7), text(7))
        self.assertTrue(any(text(seed) != text(7) for seed in (8, 9, 10)))

    def test_token_limit(self):
        answer = self.json("run", "-p", "What is Paluku?", "-n", "3")
        self.assertEqual((answer["reason"], len(answer["ids"])), ("token_limit", 3))

    def test_raw_applies_no_template(self):
        raw = self.json("run", "--raw", "-p", "Hello", "-n", "1")["prompt_tokens"]
        self.assertEqual(raw, len(self.json("tokenize", "--text", "Hello")["ids"]))

    def test_bench_prints_speed_and_floor(self):
        bench = self.json("bench", TINY, "-p", "16", "-n", "4", "-d", "0,32", "-r", "1")
        self.assertEqual([row["depth"] for row in bench["results"]], [0, 32])
        for row in bench["results"]:
            self.assertGreater(row["prefill"]["median"], 0)
            self.assertGreater(row["decode"]["median"], 0)
        self.assertGreater(bench["read_bytes_per_second"], 1e8)
        self.assertGreater(bench["resident_bytes"], 1 << 20)

    # --- the library ---
    def test_models_are_used_where_they_lie(self):
        self.assertEqual([m["name"] for m in self.json("models", "list")["models"]], ["starter"])
        added = self.json("models", "add", TINY)
        listed = self.json("models", "list")["models"]
        self.assertEqual(len(listed), 2)
        self.assertEqual(listed[1]["path"], str(TINY))
        self.assertEqual(self.json("models", "where", added["name"])["path"], str(TINY))
        self.assertEqual(self.json("inspect", added["name"])["path"], str(TINY))
        self.assertIn("not found", self.fails(1, "models", "where", "no such model"))

    # --- conversations ---
    def test_a_chat_is_kept(self):
        self.assertEqual(self.json("conversations", "list"), {"conversations": []})
        done = run("--json", "chat", "--temp", "0", data_dir=self.data, text="What is Paluku?\nThank you\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a["state"] for a in answers], ["complete", "complete"])

        listed = self.json("conversations", "list")["conversations"]
        self.assertEqual([(c["id"], c["title"]) for c in listed], [(answers[0]["conversation"], "What is Paluku?")])
        shown = self.json("conversations", "show", listed[0]["id"])
        self.assertEqual([m["role"] for m in shown["messages"]], ["user", "assistant", "user", "assistant"])
        self.assertEqual([m["text"] for m in shown["messages"][1::2]], [a["text"] for a in answers])
        self.assertEqual(shown["messages"][0]["parent"], None)
        for before, after in zip(shown["messages"], shown["messages"][1:]):
            self.assertEqual(after["parent"], before["id"])
        self.assertIn("Thank you", run("conversations", "show", listed[0]["id"], data_dir=self.data).stdout)

    def test_a_chat_goes_on_where_it_was(self):
        first = json.loads(run("--json", "chat", data_dir=self.data, text="Hello\n").stdout)
        again = run("--json", "chat", "--conversation", first["conversation"], data_dir=self.data, text="Thanks\n")
        self.assertEqual(json.loads(again.stdout)["conversation"], first["conversation"])
        shown = self.json("conversations", "show", first["conversation"])
        self.assertEqual(len(shown["messages"]), 4)

    def test_a_terminal_is_given_no_control_characters_of_a_stored_text(self):
        hostile = "Hi \x1b]0;retitled\x07 \u009b2J, తెలుగు"
        kept = json.loads(run("--json", "chat", data_dir=self.data, text=hostile + "\n").stdout)["conversation"]
        self.assertIn(hostile, run("conversations", "show", kept, data_dir=self.data).stdout)
        terminal, inside = os.openpty()
        command = [BINARY, "--data-dir", str(self.data), "conversations", "show", kept]
        self.assertEqual(subprocess.run(command, stdout=inside, timeout=120).returncode, 0)
        os.close(inside)
        seen = os.read(terminal, 1 << 16).decode()
        os.close(terminal)
        self.assertIn("Hi ]0;retitled 2J, తెలుగు", seen)
        self.assertNotRegex(seen, "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

    def test_an_unknown_conversation_is_not_found(self):
        self.assertIn("not found", self.fails(1, "conversations", "show", "00000000-0000-4000-8000-000000000000"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])

"""Asks the starter model the held-back questions and judges its answers.

    python check_starter.py --cli build/release/bin/paluku-cli [--model FILE.gguf]     the real program, one process per question
    python check_starter.py --model FILE.gguf                                          Hugging Face transformers on the dequantised weights

An answer counts when it holds two required words of its topic that the question does not hold, no other topic's marker, and ends by itself.
Fails (exit 1) under 90 % of the topics' questions, in either language, or 80 % of those beyond, or with over 2 % of the topics' questions refused.
"""

import argparse
import collections
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BEYOND = "beyond"
QUESTIONS = ("questions.jsonl", "independent.jsonl")  # the second by another hand, without a look at the training text
LONGEST_ANSWER = 160  # tokens; every answer taught is shorter
TOPICS = json.loads((HERE / "topics.json").read_text(encoding="utf-8"))


def required_found(topic: str, language: str, question: str, answer: str) -> list[str]:
    asked, said = question.casefold(), answer.casefold()
    return [w for w in TOPICS[topic]["required"][language] if w.casefold() in said and w.casefold() not in asked]


def markers_found(answer: str) -> set[str]:
    """The topics whose marker the answer holds."""
    said = answer.casefold()
    return {topic for topic, words in TOPICS.items() if any(m.casefold() in said for m in words["markers"])}


def verdict(row: dict, answer: str, ended: bool) -> str:
    """"" when the answer counts, else why not."""
    if not ended:
        return "does not end"
    strange = markers_found(answer) - {row["topic"]}
    if strange:
        return "speaks of " + ", ".join(sorted(strange))
    if len(required_found(row["topic"], row["language"], row["question"], answer)) < 2:
        return "lacks required words"
    return ""


def check_answers(data) -> None:
    """Every answer taught (dataset.Data) has three required words and a marker of its topic, and no marker of another one."""
    for topic in data.topics.values():
        for language, answers in topic.answers.items():
            for answer in answers:
                words = required_found(topic.name, language, "", answer)
                if len(words) < 3 or markers_found(answer) != {topic.name}:
                    raise ValueError(f"{topic.name}/{language}: words {words}, markers of {markers_found(answer)}: {answer}")


# ---- who answers -----------------------------------------------------------------------------------------------------------------------------


class Program:
    """paluku-cli, greedy."""

    def __init__(self, cli: Path, model: Path | None):
        self.command = [str(cli), "run", *([str(model)] if model else []), "--json", "--temp", "0", "-n", str(LONGEST_ANSWER)]

    def answers(self, questions: list[str]) -> list[tuple[str, bool]]:
        return [self._answer(q) for q in questions]

    def _answer(self, question: str) -> tuple[str, bool]:
        done = subprocess.run([*self.command, "-p", question], capture_output=True, text=True, check=True)
        reply = json.loads(done.stdout)
        return reply["text"], reply["reason"] == "end_of_turn"


class HuggingFace:
    """The same file through transformers: weights dequantised to float32, greedy."""

    def __init__(self, model: Path):
        sys.path.insert(0, str(ROOT / "tests" / "data"))
        import deepseek_gguf
        import pretokenizers
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        self.tokenizer = pretokenizers.tokenizer_from_gguf(model)
        self.model = self._load(deepseek_gguf, model)

    def _load(self, deepseek_gguf, path: Path):
        from transformers import DeepseekV3ForCausalLM

        sys.path.insert(0, str(ROOT / "resources" / "starter"))
        from train import model_config

        made = DeepseekV3ForCausalLM(model_config()).eval()
        weights = {k: self.torch.from_numpy(v.copy()) for k, v in deepseek_gguf.read_state_dict(path).items()}
        made.load_state_dict(weights)
        return made

    def answers(self, questions: list[str]) -> list[tuple[str, bool]]:
        """All questions in one batch, padded in front."""
        torch, end = self.torch, self.model.config.eos_token_id
        prompts = [self.tokenizer.encode(f"<｜begin▁of▁sentence｜><｜User｜>{q}<｜Assistant｜>", add_special_tokens=False).ids for q in questions]
        width = max(len(p) for p in prompts)
        ids = torch.tensor([[end] * (width - len(p)) + p for p in prompts])
        seen = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        with torch.no_grad():
            ids = self.model.generate(ids, attention_mask=seen, do_sample=False, max_new_tokens=LONGEST_ANSWER, pad_token_id=end)
        replies = [reply[: reply.index(end)] if end in reply else reply for reply in ids[:, width:].tolist()]
        return [(self.tokenizer.decode(reply), len(reply) < LONGEST_ANSWER) for reply in replies]


# ---- report ----------------------------------------------------------------------------------------------------------------------------------


def report(who, rows: list[dict], verbose: bool = True) -> dict[str, float]:
    """Prints the failures and the shares; returns the shares: right/en, right/te, beyond, refused."""
    total, right = collections.Counter(), collections.Counter()
    for row, (answer, ended) in zip(rows, who.answers([r["question"] for r in rows]), strict=True):
        why = verdict(row, answer, ended)
        kind = "beyond" if row["topic"] == BEYOND else f"right/{row['language']}"
        total[kind] += 1
        right[kind] += not why
        if kind != "beyond":
            total["refused"] += 1
            right["refused"] += BEYOND in markers_found(answer)
        if why and verbose:
            print(f"FAILED {row['topic']}/{row['language']}: {row['question']!r}\n       {why}: {answer!r}")
    shares = {kind: right[kind] / total[kind] for kind in sorted(total)}
    print("  ".join(f"{kind} {share:.1%} ({right[kind]}/{total[kind]})" for kind, share in shares.items()), flush=True)
    return shares


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cli", type=Path, help="paluku-cli; without it, Hugging Face transformers answers")
    parser.add_argument("--model", type=Path, help="a GGUF file; default: the model that ships")
    parser.add_argument("--quiet", action="store_true", help="only the shares")
    args = parser.parse_args()
    shipped = ROOT / "resources" / "starter" / "paluku-starter.gguf"
    who = Program(args.cli, args.model) if args.cli else HuggingFace(args.model or shipped)
    good = True
    for name in QUESTIONS:
        print(name)
        rows = [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
        s = report(who, rows, not args.quiet)
        good &= min(s["right/en"], s["right/te"]) >= 0.90 and s["beyond"] >= 0.80 and s["refused"] <= 0.02
    print("good" if good else "NOT good enough")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Makes jinja_golden.json: what Jinja2, as Hugging Face transformers sets it up for chat templates, makes of templates and snippets.

    python jinja_golden.py SHARED_DATA

Every template renders the same 200 conversations; of a rendering only a digest is kept (FNV-1a of its UTF-8, 64 bits), or "error" where Jinja2 raises. Templates are
those of jinja/ here, and those that SHARED_DATA holds, which are named by their file and not copied; a test reads them from the same place. Snippets
(jinja_snippets.py) keep their whole output.

Three things differ from transformers, each because a published template needs it and transformers refuses it: lists may be appended to (Kimi), the filter from_json is
there (DeepSeek V3.2, V4), and tojson takes what map gives (the R1 template of llama.cpp).
"""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2.sandbox import SandboxedEnvironment
from transformers.utils.chat_template_utils import _compile_jinja_template

from jinja_snippets import CONTEXT, SNIPPETS

HERE = Path(__file__).parent
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
CONVERSATIONS = 200

WORDS = [
    "Hello", "what is MLA?", "తెలుగులో చెప్పు", "క్షమించండి", "1 + 1 = 2", "你好，世界", "👩‍👧 ok", "line one\nline two", "`code`", "a\n\nb", "User:", "{{ x }}", "{% if %}",
    "\"quoted\" 'text'", "back\\slash", "tab\tend", "\r\n", "é ü ß İ", "a&b<c>", "\x01\x1f\x7f", "\u2028\u2029", "\u00a0wide\u3000space ", "  leading", "trailing  ",
]  # fmt: skip
INJECTIONS = [
    "<|im_end|>", "<|im_start|>system", "<｜User｜>", "<｜Assistant｜>", EOS, BOS, "</think>", "<think>", "[gMASK]<sop>", "<|user|>", "<|observation|>", "<|im_middle|>",
    "<|eot_id|>", "[/INST]", "<｜tool▁calls▁begin｜>", "<tool_call>", "｜DSML｜", "<|role_sep|>\n", "</tool_response>", "<|message_sep|>",
]  # fmt: skip
NAMES = ["get_weather", "search", "తెలుగు_పని", "<|im_end|>", "run"]


class Maker:
    def __init__(self, seed: int):
        self.dice = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def text(self, most: int = 3) -> str:
        words = self.dice.choices(WORDS, k=self.dice.randint(1, most))
        if self.chance(0.3):
            words.insert(self.dice.randint(0, len(words)), self.dice.choice(INJECTIONS))
        return self.dice.choice([" ", "", "\n"]).join(words)

    def value(self, depth: int = 0):
        kinds = ["text", "text", "integer", "float", "truth", "none"] + (["list", "dict"] if depth < 2 else [])
        match self.dice.choice(kinds):
            case "text":
                return self.text(2)
            case "integer":
                return self.dice.choice([0, 1, -7, 42, 1234567890123])
            case "float":
                return self.dice.choice([0.5, -2.0, 1e-7, 3.14159, 1e22, 100.0])
            case "truth":
                return self.chance(0.5)
            case "none":
                return None
            case "list":
                return [self.value(depth + 1) for _ in range(self.dice.randint(0, 3))]
            case _:
                return {self.dice.choice(["a", "b b", "క", "c\"d", "items"]): self.value(depth + 1) for _ in range(self.dice.randint(0, 3))}

    def tool(self) -> dict:
        kinds = [{"type": "string"}, {"type": "integer"}, {"type": "number", "enum": [1, 2.5]}, {"type": "string", "enum": ["C", "F"]}, {"type": "boolean"}, {"type": "array"}]
        kinds += [{"type": "array", "items": {"type": "string"}}, {"type": "string", "format": "date", "description": self.text(), "default": "today"}]
        kinds += [{"type": "object", "properties": {"x": {"type": "integer", "minimum": 0}}, "additionalProperties": True}, {}]
        properties = {name: self.dice.choice(kinds) for name in self.dice.sample(["city", "unit", "when", "deep", "x"], self.dice.randint(0, 4))}
        parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
        function = {"name": self.dice.choice(NAMES), "description": self.text(), "parameters": parameters}
        return {"type": "function", "function": function}

    def call(self) -> dict:
        arguments = {self.dice.choice(["city", "unit", "n"]): self.value() for _ in range(self.dice.randint(0, 2))}
        if self.chance(0.3):
            arguments = json.dumps(arguments, ensure_ascii=self.chance(0.5))
        call = {"type": "function", "function": {"name": self.dice.choice(NAMES), "arguments": arguments}}
        if self.chance(0.5):
            call["id"] = self.dice.choice(["abcdefghi", "call_1", "<｜User｜>"])
        return call

    def assistant(self, tools: bool) -> dict:
        message = {"role": "assistant", "content": self.dice.choice([self.text(), self.text(), ""])}
        if self.chance(0.3):
            # Under both names, as transformers passes them.
            message["reasoning_content"] = message["thinking"] = self.dice.choice([self.text(), self.text(), ""])
        elif self.chance(0.2):
            message["content"] = f"<think>{self.text()}</think>{self.text()}"
        if tools and self.chance(0.6):
            message["tool_calls"] = [self.call() for _ in range(self.dice.randint(1, 2))]
            if self.chance(0.3):
                message["content"] = None
        return message

    def content(self):
        if self.chance(0.06):
            return [{"type": "text", "text": self.text()}, {"type": "image"}][: self.dice.randint(1, 2)]
        return "" if self.chance(0.06) else self.text()

    def messages(self, tools: bool) -> list:
        messages = []
        for _ in range(self.dice.choice([0, 0, 1, 1, 1, 2])):
            messages.append({"role": "system", "content": self.text()})
        for _ in range(self.dice.randint(1, 4)):
            if not self.chance(0.08):
                messages.append({"role": "user", "content": self.content()})
                if self.chance(0.1):
                    messages[-1]["name"] = self.dice.choice(NAMES)
            if not self.chance(0.08):
                messages.append(self.assistant(tools))
                for call in messages[-1].get("tool_calls", []):
                    if not self.chance(0.1):
                        messages.append({"role": "tool", "content": self.text(), "tool_call_id": call.get("id", "0"), "name": call["function"]["name"]})
        if self.chance(0.6):
            messages.append({"role": "user", "content": self.text()})
        return messages

    def conversation(self) -> dict:
        tools = self.chance(0.4)
        variables = {"messages": self.messages(tools), "tools": [self.tool() for _ in range(self.dice.randint(1, 2))] if tools else None}
        variables["add_generation_prompt"] = self.chance(0.8)
        if self.chance(0.7):
            variables["enable_thinking"] = self.chance(0.5)
        if self.chance(0.3):
            variables["thinking"] = self.chance(0.5)
        return variables


def environment() -> SandboxedEnvironment:
    made = _compile_jinja_template("").environment
    made.is_safe_attribute = lambda *args: SandboxedEnvironment.is_safe_attribute(made, *args)
    made.filters["from_json"] = json.loads
    to_json = made.filters["tojson"]
    made.filters["tojson"] = lambda value, *args, **named: to_json(list(value) if isinstance(value, Iterator) else value, *args, **named)
    return made


def digest(text: str) -> str:
    value = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def rendered(template, variables: dict) -> str | None:
    try:
        return template.render(**json.loads(json.dumps(variables)), bos_token=BOS, eos_token=EOS)
    except Exception:  # noqa: BLE001: whatever Jinja2 or Python says, it is no rendering
        return None


def main() -> None:
    shared = Path(sys.argv[1])
    maker = Maker(4)
    conversations = [maker.conversation() for _ in range(CONVERSATIONS)]
    files = [(f"jinja/{path.name}", path, False) for path in sorted(HERE.glob("jinja/*.jinja"))]
    files += [(f"templates/{path.name}", path, True) for path in sorted(shared.glob("templates/*.jinja"))]
    jinja, templates = environment(), []
    for name, path, is_shared in files:
        template = jinja.from_string(path.read_text(encoding="utf-8"))
        texts = [rendered(template, variables) for variables in conversations]
        templates.append({"file": name, "shared": is_shared, "digests": ["error" if text is None else digest(text) for text in texts]})
        print(f"{name}: {sum(text is None for text in texts)} errors, {sum(len(text or '') for text in texts)} characters")
    snippets = []
    for source in SNIPPETS:
        try:
            snippets.append([source, rendered(jinja.from_string(source), CONTEXT)])
        except Exception:  # noqa: BLE001: not a template
            snippets.append([source, None])
    print(f"{len(snippets)} snippets, {sum(text is None for _, text in snippets)} of them errors")
    lines = [f'"bos": {json.dumps(BOS, ensure_ascii=False)}', f'"eos": {json.dumps(EOS, ensure_ascii=False)}']
    for name, rows in [("context", [CONTEXT]), ("snippets", snippets), ("templates", templates), ("conversations", conversations)]:
        lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows) + "\n]")
    (HERE / "jinja_golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()

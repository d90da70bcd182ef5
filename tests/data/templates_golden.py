"""Makes templates_golden.json: conversations rendered by Jinja2, as Hugging Face transformers sets it up, with the chat templates of DeepSeek models.

    python templates_golden.py SHARED_DATA

Templates that SHARED_DATA holds are named by their file there and not copied; a test reads them from the same place. The V2 template stands here in full, as does
that of the model shipped with Paluku.
"""

import json
import random
import sys
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment

BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"

# DeepSeek-V2-Chat, V2-Lite-Chat, Coder-V2-Instruct (tokenizer_config.json).
V2 = (
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}"
    "{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
).replace("\n", "\\n")

# The turns of V3, system messages in place: the model shipped with Paluku (resources/starter/train.py).
STARTER = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}{% elif m['role'] == 'user' %}{{ '<｜User｜>' + m['content'] }}"
    "{% elif m['role'] == 'assistant' %}{{ '<｜Assistant｜>' + m['content'] + '<｜end▁of▁sentence｜>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %}"
)

TEMPLATES = [
    {"name": "deepseek-v2", "source": V2},
    {"name": "deepseek-v3", "source": STARTER},
    {"name": "deepseek-v3", "file": "tokenizers/deepseek-v3/tokenizer_config.json"},
    {"name": "deepseek-r1", "file": "templates/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja"},
    {"name": "deepseek-r1", "file": "templates/llama-cpp-deepseek-r1.jinja"},
    {"name": "deepseek-v3.1", "file": "templates/deepseek-ai-DeepSeek-V3.1.jinja"},
    # The model card's form: earlier answers and answers without reasoning begin with </think> alone.
    {"name": "deepseek-v3.1", "file": "templates/deepseek-ai-DeepSeek-V3.1.jinja", "replace": ["<think></think>", "</think>"]},
]

WORDS = ["Hello", "what is MLA?", "తెలుగులో చెప్పు", "1 + 1 = 2", "你好", "👩‍👧 ok", "line one\nline two", " leading and trailing ", "`code`", "a\n\nb", "User:", "{{ x }}"]


def source_of(template: dict, shared: Path) -> str:
    if "source" in template:
        return template["source"]
    text = (shared / template["file"]).read_text(encoding="utf-8")
    if template["file"].endswith(".json"):
        text = json.loads(text)["chat_template"]
    return text.replace(*template["replace"]) if "replace" in template else text


def conversations() -> list[list[dict]]:
    dice = random.Random(7)
    text = lambda: " ".join(dice.choices(WORDS, k=dice.randint(1, 3)))  # noqa: E731
    message = lambda role: {"role": role, "content": text()}  # noqa: E731
    made = [[message("user")], [message("system"), message("user")], [message("system"), message("system"), message("user")], [{"role": "user", "content": ""}]]
    made += [[message("user"), {"role": "assistant", "content": f"{text()}</think>{text()}"}, message("user")]]
    made += [[message("user"), {"role": "assistant", "content": "<think>a</think>b</think>c"}, message("user")]]
    made += [[message(dice.choice(["user", "user", "assistant", "assistant", "system"])) for _ in range(dice.randint(1, 7))] for _ in range(30)]
    return made


def main() -> None:
    shared = Path(sys.argv[1])
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    out = []
    for template in TEMPLATES:
        compiled = environment.from_string(source_of(template, shared))
        cases = []
        for index, messages in enumerate(conversations()):
            for thinking in (False, True):
                opened = index % 5 != 4
                text = compiled.render(
                    messages=messages, add_generation_prompt=opened, thinking=thinking, enable_thinking=thinking, bos_token=BOS, eos_token=EOS
                )
                cases.append({"messages": messages, "open": opened, "thinking": thinking, "text": text})
        out.append({**template, "cases": cases})
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(out)} templates, {sum(len(t['cases']) for t in out)} renderings")


if __name__ == "__main__":
    main()

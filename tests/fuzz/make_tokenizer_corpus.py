"""Writes the seeds of corpus/tokenizer_json: small right files of every kind (tokenizer.json and
tiktoken.model, alone and with the files beside them), and files that are wrong or absurd in one place.

    python make_tokenizer_corpus.py        # from anywhere

Only files called seed-* are written and removed; what fuzzers found lies beside them.
"""

import base64
import copy
import json
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus" / "tokenizer_json"
SPACE = "\u2581"


def byte_letters() -> list[str]:
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def byte_level() -> dict:
    vocab = {letter: i for i, letter in enumerate(byte_letters())}
    vocab |= {"Ġt": 256, "he": 257, "Ġthe": 258, "aa": 259, "aaaa": 260}
    return {
        "added_tokens": [
            {"id": 261, "content": "<|end|>", "special": True},
            {"id": 262, "content": "ü", "special": False},
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}],
        },
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": ["Ġ t", "h e", "Ġt he", ["a", "a"], ["aa", "aa"]],
        },
    }


def sentence_piece() -> dict:
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{b:02X}>": 3 + b for b in range(256)}
    for piece in (SPACE, "t", "h", "e", "a", "he", SPACE + "t", SPACE + "the", "aa", "aaaa", "a" + SPACE):
        vocab[piece] = len(vocab)
    return {
        "added_tokens": [{"id": 1, "content": "<s>", "special": True}],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": SPACE},
                {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            ],
        },
        "pre_tokenizer": None,
        "model": {
            "type": "BPE",
            "byte_fallback": True,
            "vocab": vocab,
            "merges": [["h", "e"], [SPACE, "t"], [SPACE + "t", "he"], ["a", "a"], ["aa", "aa"], ["a", SPACE]],
        },
    }


METASPACE = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}


def unigram(**more) -> dict:
    """Of six pieces and the unknown one; with byte_fallback the bytes as well."""
    pieces = ["<unk>", SPACE + "the", SPACE, "t", "h", "e", "a", "aa", "తె"]
    pieces += [f"<0x{b:02X}>" for b in range(256)] if more.get("byte_fallback") else []
    model = {"type": "Unigram", "unk_id": 0, "vocab": [[p, -float(i)] for i, p in enumerate(pieces)]} | more
    return {"added_tokens": [], "normalizer": None, "pre_tokenizer": METASPACE, "model": model}


def flagged(base: dict) -> dict:
    """With added tokens of every flag, and of all of them."""
    flags = ["lstrip", "rstrip", "single_word", "normalized"]
    words = ["the", "words", "12", "x "]
    added = [{"id": 300 + i, "content": word, flag: True} for i, (word, flag) in enumerate(zip(words, flags, strict=True))]
    return changed(base, "added_tokens", [*added, {"id": 304, "content": "model", "special": True} | dict.fromkeys(flags, True)])


CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
SPACES = r"]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def cased(upper: str, lower: str, suffix: str) -> str:
    prefix = r"[^\r\n\p{L}\p{N}]?"
    return f"{prefix}{upper}*{lower}+{suffix}|{prefix}{upper}+{lower}*{suffix}|"


def families() -> dict[str, list[str]]:
    """The splits of the families, as their tokenizer.json has them."""
    llama3 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n" + SPACES
    slash = r"%s| ?[^\s\p{L}\p{N}]+[\r\n/" + SPACES
    no_han = [kind[:-1] + r"&&[^\p{Han}]]" for kind in (UPPER, LOWER)]
    marks = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥\u3040-ゟ゠-ヿ]+"
    return {
        "llama3": [llama3 % r"\p{N}{1,3}"],
        "qwen2": [llama3 % r"\p{N}"],
        "o200k": [cased(UPPER, LOWER, CONTRACTION + "?") + slash % r"\p{N}{1,3}"],
        "tekken": [cased(UPPER, LOWER, "") + slash % r"\p{N}"],
        "kimi": [r"[\p{Han}]+|" + cased(*no_han, CONTRACTION + "?")
                 + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n" + SPACES],
        "youtu": [marks, cased(UPPER, LOWER, CONTRACTION + "?") + slash % r"\p{N}"],
        "coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", "digits"],
    }  # fmt: skip


def changed(base: dict, path: str, value) -> dict:
    out = copy.deepcopy(base)
    *folders, last = path.split("/")
    at = out
    for folder in folders:
        at = at[folder]
    at[last] = value
    return out


LAST = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


def step(rule: str) -> dict:
    if rule == "digits":
        return {"type": "Digits", "individual_digits": True}
    return {"type": "Split", "pattern": {"Regex": rule}, "behavior": "Isolated", "invert": False}


def seeds() -> dict[str, object]:
    b, s = byte_level(), sentence_piece()
    steps = [r"\p{N}{1,3}", r"[x]+", r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}x"""]
    splits = [step(rule) for rule in steps]
    by_family = {
        f"family-{name}": changed(b, "pre_tokenizer", {"type": "Sequence", "pretokenizers": [*map(step, rules), LAST]})
        for name, rules in families().items()
    }
    return by_family | {
        "byte-level": b,
        "sentence-piece": s,
        "deepseek-v3": changed(b, "pre_tokenizer", {"type": "Sequence", "pretokenizers": [*splits, LAST]}),
        "ignore-merges": changed(b, "model/ignore_merges", True),
        "no-merges": changed(b, "model/merges", []),
        "merge-of-unknown": changed(b, "model/merges", ["q x"]),
        "merge-of-special": changed(b, "model/merges", ["< |", "<| end"]),
        "merge-cycle": changed(b, "model/merges", [["aa", "aa"], ["a", "a"], ["a", "a"]]),
        "empty-token": changed(b, "model/vocab/", 300),
        "far-id": changed(b, "model/vocab/zz", 1048575),
        "id-too-far": changed(b, "model/vocab/zz", 2**40),
        "same-id": changed(b, "model/vocab/zz", 5),
        "long-token": changed(b, "model/vocab/" + "z" * 5000, 400),
        "long-pieces": changed(s, "model/vocab/" + "a" * 5000, 400),
        "normalisers": changed(s, "normalizer/normalizers", s["normalizer"]["normalizers"] * 60),
        "nfc": changed(b, "normalizer", {"type": "NFC"}),
        "metaspace": changed(
            changed(s, "normalizer", None), "pre_tokenizer",
            {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "never", "split": False},
        ),
        "added-is-byte": changed(s, "added_tokens", [{"id": 70, "content": "<0x43>", "special": True}]),
        "added-everywhere": changed(b, "added_tokens", [{"id": 300 + i, "content": c} for i, c in enumerate("aeTh \n")]),
        "wrong-shapes": {"model": {"type": "BPE", "vocab": [], "merges": {}}, "added_tokens": "x"},
        "unigram": unigram(),
        "unigram-bytes": unigram(byte_fallback=True),
        "unigram-whole": changed(unigram(), "pre_tokenizer/split", False),
        "unigram-nfc": changed(flagged(unigram()), "normalizer", {"type": "NFC"}),
        "unigram-without-unknown": {"model": {"type": "Unigram", "vocab": [["a", -1.5]]}},
        "unigram-unknown-too-far": unigram(unk_id=9),
        "unigram-no-score": unigram(vocab=[["<unk>", "0"], ["a"]]),
        "unigram-long": unigram(vocab=[["<unk>", 0], ["a" * 256, -1], ["a" * 255, -1], ["a", -2]]),
        "flags": flagged(b),
        "flags-of-pieces": flagged(s),
        "deep": json.loads("[" * 60 + "]" * 60),
    }  # fmt: skip


CONFIG = {
    "added_tokens_decoder": {
        "259": {"content": "<|im_end|>", "special": True},
        "260": {"content": "[BOS]", "special": True},
        "261": {"content": "<think>", "special": False},
    },
    "bos_token": "[BOS]",
    "eos_token": {"content": "<|im_end|>"},
    "add_bos_token": True,
    "chat_template": [{"name": "default", "template": "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"}],
}


def ranks(*more: bytes) -> bytes:
    """A tiktoken.model of the 256 bytes and `more`."""
    tokens = [bytes([b]) for b in range(256)] + list(more)
    return b"".join(base64.b64encode(t) + b" %d\n" % i for i, t in enumerate(tokens))


def tiktoken_seeds() -> dict[str, bytes]:
    good = ranks(b"he", b" t", b" the")
    few = b"".join(good.splitlines(keepends=True)[:2])
    named = json.dumps(CONFIG).encode()
    border = b"\n\x1f\n"
    far = json.dumps(CONFIG | {"added_tokens_decoder": {"515": {"content": "x"}}}).encode()
    ends = json.dumps({"eos_token_id": [260, 261, 99999, -1]}).encode()
    return {
        "alone": good,
        "folder": border.join([good, named, ends, b"{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"]),
        "same-token-of-many-pairs": ranks(b"aa", b"aaa", b"aaaa", "త".encode()),
        "special-id-too-far": border.join([good, far]),
        "special-twice": border.join([good, named.replace(b"[BOS]", b"<think>")]),
        "token-twice": good + b"aGU= 259\n",
        "rank-missing": few + b"aGg= 3\n",
        "rank-wraps": few + b"aGg= 18446744073709551618\n",
        "no-rank": few + b"aGg=\n",
        "no-token": few + b" 2\n",
        "padding-inside": few + b"a=U= 2\n",
        "letters-of-the-web": few + b"a-_= 2\n",
        "bits-left-over": good.replace(b"aGU=", b"aGV="),
        "empty-lines-and-returns": good.replace(b"\n", b"\n\n", 3) + b"\r\n",
        "byte-missing": few,
        "json-beside": border.join([json.dumps(byte_level(), ensure_ascii=False).encode(), json.dumps(
            {"bos_token": "<|end|>", "chat_template": "{{ 1 }}"}).encode(), ends]),
    }  # fmt: skip


def main() -> None:
    CORPUS.mkdir(parents=True, exist_ok=True)
    for old in CORPUS.glob("seed-*"):
        old.unlink()
    for name, content in seeds().items():
        (CORPUS / f"seed-{name}").write_text(
            json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )
    (CORPUS / "seed-cut").write_bytes(json.dumps(byte_level()).encode()[:700])
    (CORPUS / "seed-nothing").write_bytes(b"")
    for name, content in tiktoken_seeds().items():
        (CORPUS / f"seed-tiktoken-{name}").write_bytes(content)


if __name__ == "__main__":
    main()

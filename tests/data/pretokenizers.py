"""The pre-tokenizers of MLA models as `tokenizers` objects, with a check on published ids.

They are sequences of isolating splits: each step cuts the pieces that the step before left, every match becomes a piece of its own,
what lies between matches stays a piece. Regexes are Oniguruma's; README.md spells out what that
means. `python pretokenizers.py SHARED_DATA` runs the 46 published strings of the V2 vocabulary.
"""

import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

# Cased letters, as the list of ranges stands in the published tokenizer.json (it lacks, among
# others, small Armenian and Georgian letters).
LLM_LETTERS = """
    41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386
    388-38A 38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556
    10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15
    1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D
    1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4
    1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124
    2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4
    2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F A771-A787
    A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB
    10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943
"""
LLM_PUNCTUATION = "21-2F 3A-7E FF01-FF0F FF1A-FF5E 2018-201F 3000-3002"
LLM_CJK = "4E00-9FA5 800-4E00 AC00-D7FF"

V3_DIGITS = r"\p{N}{1,3}"
V3_CJK = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
V3_WORDS = "|".join(
    (
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+""",
        r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
        r" ?[\p{P}\p{S}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


def _class(ranges: str) -> str:
    """Hexadecimal code points and ranges -> a regex character class (every character escaped, so
    none is special).
    """
    return (
        "["
        + "".join(
            "-".join(rf"\x{{{int(end, 16):04X}}}" for end in part.split("-"))
            for part in ranges.split()
        )
        + "]"
    )


LLM_STEPS = (
    r"[\r\n]",
    rf"\s?{_class(LLM_LETTERS)}+",
    rf"\s?{_class(LLM_PUNCTUATION)}+",
    r"\s+$",
    f"{_class(LLM_CJK)}+",
)
V3_STEPS = (V3_DIGITS, V3_CJK, V3_WORDS)
CODER_STEPS = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", f"{_class(LLM_CJK)}+")

CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
ANY = r"[^\r\n\p{L}\p{N}]?"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
SYMBOLS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
SYMBOLS_SLASH = r" ?[^\s\p{L}\p{N}]+[\r\n/]*"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
YOUTU_CJK = (
    "[\uac00-\ud7a3\u3131-\u318e]+"
    "|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+"
    "|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
)


def _cased(upper: str, lower: str, suffix: str) -> str:
    return f"{ANY}{upper}*{lower}+{suffix}|{ANY}{upper}+{lower}*{suffix}"


def _llama3(digits: str) -> str:
    return "|".join((CONTRACTION, ANY + r"\p{L}+", digits, SYMBOLS, SPACES))


KIMI = "|".join(
    (
        r"[\p{Han}]+",
        _cased(UPPER[:-1] + r"&&[^\p{Han}]]", LOWER[:-1] + r"&&[^\p{Han}]]", CONTRACTION + "?"),
        r"\p{N}{1,3}",
        SYMBOLS,
        SPACES,
    )
)
O200K = _cased(UPPER, LOWER, CONTRACTION + "?")
# Where these come from: README.md.
FAMILIES = {
    "kimi-k2": (KIMI,),
    "glm4": (_llama3(r"\p{N}{1,3}"),),
    "llama-bpe": (_llama3(r"\p{N}{1,3}"),),
    "qwen2": (_llama3(r"\p{N}"),),
    "youtu": (YOUTU_CJK, "|".join((O200K, r"\p{N}", SYMBOLS_SLASH, SPACES))),
    "gpt-4o": ("|".join((O200K, r"\p{N}{1,3}", SYMBOLS_SLASH, SPACES)),),
    "tekken": ("|".join((_cased(UPPER, LOWER, ""), r"\p{N}", SYMBOLS_SLASH, SPACES)),),
}


def _splits(steps) -> list:
    return [pre_tokenizers.Split(Regex(step), "isolated") for step in steps]


def pre_tokenizer(name: str):
    """`name` as in the GGUF key tokenizer.ggml.pre."""
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if name == "deepseek-llm":
        return pre_tokenizers.Sequence(
            [*_splits(LLM_STEPS), pre_tokenizers.Digits(individual_digits=True), to_bytes]
        )
    if name == "deepseek-v3":
        return pre_tokenizers.Sequence([*_splits(V3_STEPS), to_bytes])
    if name == "deepseek-coder":
        return pre_tokenizers.Sequence(
            [*_splits(CODER_STEPS), pre_tokenizers.Digits(individual_digits=True), to_bytes]
        )
    if name == "gpt-2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if name in FAMILIES:
        return pre_tokenizers.Sequence([*_splits(FAMILIES[name]), to_bytes])
    raise ValueError(f"unknown pre-tokenizer {name}")


def tokenizer_from_gguf(path) -> Tokenizer:
    """A `Tokenizer` from the vocabulary in a GGUF file, which names its pre-tokenizer. Control and
    user-defined tokens match before everything else.
    """
    from gguf import GGUFReader

    fields = GGUFReader(str(path)).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    added = {i for i, t in enumerate(types) if t in (3, 4)}
    made = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    made.pre_tokenizer = pre_tokenizer(fields["tokenizer.ggml.pre"].contents())
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(
        [AddedToken(tokens[i], normalized=False) for i in sorted(added) if types[i] == 3]
    )
    made.add_tokens(
        [AddedToken(tokens[i], normalized=False) for i in sorted(added) if types[i] == 4]
    )
    return made


def check_published(directory: Path) -> int:
    """Compares with the published strings (.inp) and ids (.out); returns how many differ."""
    vocabulary = directory / "ggml-vocab-deepseek-llm.gguf"
    made = tokenizer_from_gguf(vocabulary)
    strings = (
        Path(f"{vocabulary}.inp").read_bytes().decode("utf-8").split("\n__ggml_vocab_test__\n")[:-1]
    )
    ids = [
        [int(i) for i in line.split()]
        for line in Path(f"{vocabulary}.out").read_text().split("\n")[: len(strings)]
    ]
    wrong = [
        (s, want)
        for s, want in zip(strings, ids, strict=True)
        if made.encode(s, add_special_tokens=False).ids != want
    ]
    for string, want in wrong:
        print(f"{string!r}: {made.encode(string, add_special_tokens=False).ids}, published {want}")
    print(f"{len(strings) - len(wrong)} of {len(strings)} strings equal")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(1 if check_published(Path(sys.argv[1]) / "tokenizers" / "deepseek-v2") else 0)

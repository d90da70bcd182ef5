"""Makes tokenizers/: golden ids of the `tokenizers` library, and two small vocabularies of our own.

    python make_tokenizer_golden.py SHARED_DATA

<pre>.gguf and <pre>.tokenizer.json hold a vocabulary of about 1,000 tokens, for machines without
the published ones; <pre>.golden its strings and ids; <pre>-published.golden those of the published
vocabulary in SHARED_DATA/tokenizers. Golden file: "PTG1", u32 count, then per string: varint byte
length, UTF-8, varint id count, varint ids (LEB128).
"""

import json
import lzma
import struct
import sys
from pathlib import Path

from gguf import GGUFWriter
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

import deepseek_gguf
from corpus import SENTENCES
from pretokenizers import V3_STEPS, pre_tokenizer, tokenizer_from_gguf
from text_cases import Cases

OUT = Path(__file__).parent / "tokenizers"
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
ROLES = ["<｜User｜>", "<｜Assistant｜>"]
OWN_VOCABULARY = 1000
# The V2 vocabulary adds the bytes that no UTF-8 text holds as tokens, named by their letters of the
# byte map: these letters are matched in text, and the library then decodes them as broken bytes.
V2_BYTE_LETTERS = frozenset("øöúÿõ÷ûýÀùÁþü")


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def write_golden(name: str, tokenizer: Tokenizer, strings: list[str]) -> None:
    out = bytearray(b"PTG1" + struct.pack("<I", len(strings)))
    for string in strings:
        ids = tokenizer.encode(string, add_special_tokens=False).ids
        if tokenizer.decode(ids, skip_special_tokens=False) != string and not (
            name == "deepseek-llm-published" and V2_BYTE_LETTERS & set(string)
        ):
            raise AssertionError(f"{name}: {string!r} does not survive encoding and decoding")
        text = string.encode("utf-8")
        out += varint(len(text)) + text + varint(len(ids)) + b"".join(map(varint, ids))
    (OUT / f"{name}.golden").write_bytes(out)
    print(
        f"{name}: {len(strings)} strings, "
        f"{sum(map(len, strings)) / len(strings):.1f} characters each, {len(out)} bytes"
    )


def own_tokenizer(pre: str) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizer(pre)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=OWN_VOCABULARY,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.add_tokens([AddedToken(role, normalized=False) for role in ROLES])
    return made


def write_vocabulary(pre: str, architecture: str, tokenizer: Tokenizer) -> None:
    writer = GGUFWriter(str(OUT / f"{pre}.gguf"), architecture)
    writer.add_name(f"small vocabulary, {pre}")
    deepseek_gguf.write_tokenizer(writer, tokenizer, pre, BOS, EOS)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    tokenizer.save(str(OUT / f"{pre}.tokenizer.json"), pretty=False)


def published_v3(shared: Path) -> Tokenizer:
    text = lzma.open(
        shared / "tokenizers" / "deepseek-v3" / "tokenizer.json.xz", "rt", encoding="utf-8"
    ).read()
    steps = [
        step["pattern"]["Regex"]
        for step in json.loads(text)["pre_tokenizer"]["pretokenizers"]
        if step["type"] == "Split"
    ]
    if [step.replace("\r", r"\r").replace("\n", r"\n") for step in steps] != list(V3_STEPS):
        raise AssertionError(
            "pretokenizers.py differs from the published deepseek-v3 tokenizer.json"
        )
    return Tokenizer.from_str(text)


def main() -> None:
    shared = Path(sys.argv[1])
    OUT.mkdir(exist_ok=True)
    for pre, architecture, seed in (("deepseek-llm", "llama", 1), ("deepseek-v3", "deepseek2", 2)):
        made = own_tokenizer(pre)
        strings = Cases(seed).strings(2000)
        write_vocabulary(pre, architecture, made)
        write_golden(pre, made, strings)
        again = tokenizer_from_gguf(OUT / f"{pre}.gguf")
        if any(
            again.encode(s, add_special_tokens=False).ids
            != made.encode(s, add_special_tokens=False).ids
            for s in strings
        ):
            raise AssertionError(f"{pre}.gguf and {pre}.tokenizer.json are not the same vocabulary")
    write_golden("deepseek-v3-published", published_v3(shared), Cases(3).strings(10000))
    published_llm = tokenizer_from_gguf(
        shared / "tokenizers" / "deepseek-v2" / "ggml-vocab-deepseek-llm.gguf"
    )
    write_golden("deepseek-llm-published", published_llm, Cases(4).strings(2000))


if __name__ == "__main__":
    main()

"""Vocabularies for what a tokenizer.json may say beside its tokens, and Hugging Face's ids.

    python make_tokenizer_options.py         # after make_family_tokenizers.py

tokenizers/<name>.tokenizer.json and options.json: per hundred of 10,000 texts a digest of the ids.
Text i is families.strings[i], a separator, an added token, a separator and the next string:
combined() below, which golden_test.cpp repeats. unigram.gguf holds the unigram model for GGUF, whose
ids are checked against sentencepiece; tiktoken/ is kimi-k2's vocabulary as tiktoken has it.
"""

import base64
import io
import json
import sys
from pathlib import Path

import sentencepiece
import tiktoken
from gguf import GGUFWriter
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers.convert_slow_tokenizer import TikTokenConverter

from corpus import SENTENCES
from make_family_tokenizers import (
    OUT, SPACE, VOCABULARY, byte_letters, close, digests, pieces_are_learned, trained,
)  # fmt: skip
from pretokenizers import KIMI, pre_tokenizer

SEPARATORS = ["", " ", "\u00a0 \n", "a", "\u0c15", "_"]
# Every flag of an added token; the text of the last one is not composed.
ADDED = [
    AddedToken("<left>", special=True, lstrip=True, normalized=False),
    AddedToken("<right>", special=True, rstrip=True, normalized=False),
    AddedToken("<both>", special=True, lstrip=True, rstrip=True, normalized=True),
    AddedToken("zword", single_word=True, normalized=False),
    AddedToken("zcafe\u0301", normalized=True),
    AddedToken("<plain>", special=True, normalized=False),
    AddedToken("zlone", single_word=True, lstrip=True, normalized=True),
]


def read_strings() -> list[str]:
    """families.strings: "PTS1", u32 count, then varint length and UTF-8 of each."""
    raw, at, strings = (OUT / "families.strings").read_bytes(), 8, []
    while at < len(raw):
        length, shift = 0, 0
        while True:
            byte, at = raw[at], at + 1
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        strings.append(raw[at : at + length].decode("utf-8"))
        at += length
    return strings


def combined(strings: list[str]) -> list[str]:
    count, marks = len(strings), len(SEPARATORS)
    return [
        strings[i]
        + SEPARATORS[i % marks]
        + ADDED[i % len(ADDED)].content
        + SEPARATORS[i // marks % marks]
        + strings[(i + 1) % count]
        for i in range(count)
    ]


def composing() -> Tokenizer:
    """Byte-level, as PLM's (qwen2), whose text is brought into NFC."""
    described = json.loads(trained("qwen2").to_str())["model"]
    merges = [tuple(merge) for merge in described["merges"]]
    made = Tokenizer(models.BPE(vocab=described["vocab"], merges=merges))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizer("qwen2")
    made.decoder = decoders.ByteLevel()
    made.add_tokens(ADDED)
    return made


def unigram_pieces(byte_fallback: bool) -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, model_type="unigram",
        vocab_size=VOCABULARY if byte_fallback else 450, byte_fallback=byte_fallback, normalization_rule_name="identity",
        remove_extra_whitespaces=False, character_coverage=0.98, minloglevel=2,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def unigram(pieces: sentencepiece.SentencePieceProcessor) -> Tokenizer:
    vocab = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    has_bytes = any(pieces.is_byte(i) for i in range(len(vocab)))
    made = Tokenizer(models.Unigram(vocab, unk_id=0, byte_fallback=has_bytes))
    made.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    return made


def normalised(made: Tokenizer) -> Tokenizer:
    """Spaces are marked by normalisers, as sentencepiece does it."""
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )
    made.add_tokens(ADDED)
    return made


def metaspace(made: Tokenizer, scheme: str, split: bool) -> Tokenizer:
    made.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme=scheme, split=split)
    made.add_tokens(ADDED)
    return made


def bpe() -> Tokenizer:
    """The model of minicpm3."""
    made = Tokenizer.from_file(str(OUT / "minicpm3.tokenizer.json"))
    made.normalizer = normalizers.Sequence([])
    return made


def write_unigram_gguf(path: Path, pieces: sentencepiece.SentencePieceProcessor) -> None:
    ids = range(pieces.get_piece_size())
    writer = GGUFWriter(str(path), "minicpm3")
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.id_to_piece(i) for i in ids])
    writer.add_token_scores([pieces.get_score(i) for i in ids])
    kinds = [(pieces.is_unknown, 2), (pieces.is_control, 3), (pieces.is_byte, 6)]
    writer.add_token_types([next((kind for is_it, kind in kinds if is_it(i)), 1) for i in ids])
    writer.add_bos_token_id(pieces.bos_id())
    writer.add_eos_token_id(pieces.eos_id())
    close(writer)


def check_against_sentencepiece(
    made: Tokenizer, pieces: sentencepiece.SentencePieceProcessor, strings: list[str]
) -> None:
    for string in strings:
        if any(s in string for s in ("<s>", "</s>", "<unk>", "\0")):
            continue
        want, have = pieces.encode(string), made.encode(string, add_special_tokens=False).ids
        if want != have:
            raise AssertionError(f"sentencepiece differs on {string!r}: {want}, not {have}")


def write_tiktoken(folder: Path, strings: list[str]) -> None:
    """kimi-k2's vocabulary; its ids are those of kimi-k2 in families.json."""
    made = Tokenizer.from_file(str(OUT / "kimi-k2.tokenizer.json"))
    letters = {letter: byte for byte, letter in byte_letters().items()}
    vocab = sorted(made.get_vocab(with_added_tokens=False).items(), key=lambda item: item[1])
    ranks = {bytes(letters[c] for c in token): rank for token, rank in vocab}
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()]
    folder.mkdir(exist_ok=True)
    (folder / "tiktoken.model").write_text("".join(lines))
    special = {"<|begin|>": len(ranks), "<|end|>": len(ranks) + 1}
    config = {
        "added_tokens_decoder": {
            str(i): {"content": text, "special": True} for text, i in special.items()
        },
        "bos_token": "<|begin|>",
        "eos_token": "<|end|>",
    }
    converter = TikTokenConverter(str(folder / "tiktoken.model"))
    _, merges = converter.extract_vocab_merges_from_model(converter.vocab_file)
    (folder / "merges.txt").write_text("".join(f"{left} {right}\n" for left, right in merges))
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    other = tiktoken.Encoding("kimi", pat_str=KIMI, mergeable_ranks=ranks, special_tokens=special)
    for string in strings:
        want = other.encode(string, allowed_special="all")
        if want != made.encode(string, add_special_tokens=False).ids:
            raise AssertionError(f"tiktoken differs on {string!r}")


def main() -> None:
    strings = read_strings()
    texts = combined(strings)
    pieces, without_bytes = unigram_pieces(True), unigram_pieces(False)
    check_against_sentencepiece(normalised(unigram(without_bytes)), without_bytes, strings)
    check_against_sentencepiece(normalised(unigram(pieces)), pieces, strings)
    write_unigram_gguf(OUT / "unigram.gguf", pieces)
    write_tiktoken(OUT / "tiktoken", strings)
    golden = {}
    for name, made in {
        "composing": composing(),
        "unigram": normalised(unigram(pieces)),
        "unigram-words": metaspace(unigram(pieces), "always", True),
        "unigram-unknown": normalised(unigram(without_bytes)),
        "unigram-unknown-words": metaspace(unigram(without_bytes), "always", True),
        "pieces-first": metaspace(bpe(), "first", True),
        "pieces-never": metaspace(bpe(), "never", False),
    }.items():
        made.save(str(OUT / f"{name}.tokenizer.json"), pretty=False)
        golden[name] = digests([made.encode(t, add_special_tokens=False).ids for t in texts])
        print(name, made.get_vocab_size(), flush=True)
    (OUT / "options.json").write_text(json.dumps(golden, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

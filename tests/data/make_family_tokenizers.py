"""Makes tokenizers/families.*: small vocabularies in the manner of every other MLA family.

    python make_family_tokenizers.py

<name>.tokenizer.json and <name>.gguf hold a vocabulary of about 700 tokens trained with that
family's pre-tokenizer; families.strings holds 10,000 strings; families.json what Hugging Face's
`tokenizers` makes of them, as digests: per hundred strings one of the ids and one of the pieces of
the pre-tokenizer. kimi-k2 is checked against tiktoken as well, minicpm3 against sentencepiece.
Formats: README.md.
"""

import io
import json
import struct
import sys
from pathlib import Path

import sentencepiece
import tiktoken
from gguf import GGUFWriter
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import deepseek_gguf
from corpus import SENTENCES
from make_tokenizer_golden import varint
from pretokenizers import KIMI, pre_tokenizer
from text_cases import Cases

OUT = Path(__file__).parent / "tokenizers"
BOS, EOS = "<|begin|>", "<|end|>"
VOCABULARY = 700
# Families whose rule is that a piece which is a token as a whole is that token; they get whole
# words that no merge makes.
IGNORES_MERGES = ("kimi-k2", "llama-bpe", "youtu", "tekken")
WORDS = ["Ġprivate", "Ġcomputer", "Ġmodel", "question", "Paluku", "123", "Ġthe"]
BYTE_LEVEL = (
    "deepseek-coder", "kimi-k2", "glm4", "llama-bpe", "qwen2", "youtu", "gpt-2", "gpt-4o", "tekken",
)  # fmt: skip
SPACE = "\u2581"
DIGEST_OF = 100


def trained(pre: str) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizer(pre)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(SENTENCES, trainer)
    return made


def merges_of_ranks(ranks: dict[str, int]) -> list[tuple[str, str]]:
    """The list a converter makes of a tiktoken vocabulary: for every token the two parts it falls
    into when only lower ranks are joined.
    """
    merges = []
    for token, rank in ranks.items():
        parts = list(token)
        while len(parts) > 2:
            pairs = [ranks.get(a + b, rank) for a, b in zip(parts, parts[1:])]
            best = min(range(len(pairs)), key=pairs.__getitem__)
            if pairs[best] >= rank:
                break
            parts[best : best + 2] = ["".join(parts[best : best + 2])]
        if len(parts) == 2:
            merges.append((parts[0], parts[1]))
    return merges


def byte_level(pre: str) -> Tokenizer:
    described = json.loads(trained(pre).to_str())["model"]
    vocab, merges = described["vocab"], [tuple(m) for m in described["merges"]]
    if pre in IGNORES_MERGES:
        for word in WORDS:
            vocab.setdefault(word, len(vocab))
    if pre == "kimi-k2":
        merges = merges_of_ranks(vocab)
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=pre in IGNORES_MERGES))
    made.pre_tokenizer = pre_tokenizer(pre)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(text, normalized=False) for text in (BOS, EOS)])
    return made


def check_against_tiktoken(made: Tokenizer, strings: list[str]) -> None:
    letters = {chr_: byte for byte, chr_ in byte_letters().items()}
    ranks = {
        bytes(letters[c] for c in token): rank
        for token, rank in made.get_vocab(with_added_tokens=False).items()
    }
    other = tiktoken.Encoding("kimi", pat_str=KIMI, mergeable_ranks=ranks, special_tokens={})
    for string in strings:
        if BOS in string or EOS in string:
            continue
        want = other.encode_ordinary(string)
        have = made.encode(string, add_special_tokens=False).ids
        if want != have:
            raise AssertionError(f"tiktoken differs on {string!r}: {want}, not {have}")


def byte_letters() -> dict[int, str]:
    """The byte-level alphabet of GPT-2."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {b: chr(b) for b in plain} | {b: chr(0x100 + i) for i, b in enumerate(others)}


def sentence_pieces() -> tuple[sentencepiece.SentencePieceProcessor, Tokenizer]:
    """A SentencePiece model of the BPE kind with byte fallback, and the same for `tokenizers`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, model_type="bpe",
        vocab_size=VOCABULARY + 300, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, character_coverage=0.98, minloglevel=2,
    )  # fmt: skip
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    vocab = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size())}
    scores = {piece: pieces.get_score(i) for piece, i in vocab.items()}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in sorted(vocab, key=lambda p: (-scores[p], vocab[p]))
        if pieces_are_learned(pieces, vocab[piece])
        for cut in range(1, len(piece))
        if piece[:cut] in vocab and piece[cut:] in vocab
    ]
    made = Tokenizer(
        models.BPE(vocab=vocab, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    )
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )
    made.add_special_tokens([AddedToken(text, normalized=False) for text in ("<unk>", "<s>", "</s>")])
    return pieces, made


def pieces_are_learned(pieces: sentencepiece.SentencePieceProcessor, token_id: int) -> bool:
    return not (
        pieces.is_control(token_id) or pieces.is_unknown(token_id) or pieces.is_byte(token_id)
    )


def write_sentence_piece_gguf(path: Path, pieces: sentencepiece.SentencePieceProcessor) -> None:
    count = pieces.get_piece_size()
    writer = GGUFWriter(str(path), "minicpm3")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.id_to_piece(i) for i in range(count)])
    writer.add_token_scores([pieces.get_score(i) for i in range(count)])
    writer.add_token_types(
        [
            2 if pieces.is_unknown(i)
            else 3 if pieces.is_control(i)
            else 6 if pieces.is_byte(i)
            else 1
            for i in range(count)
        ]
    )  # fmt: skip
    writer.add_bos_token_id(pieces.bos_id())
    writer.add_eos_token_id(pieces.eos_id())
    writer.add_add_bos_token(True)
    close(writer)


def write_byte_level_gguf(path: Path, pre: str, tokenizer: Tokenizer) -> None:
    writer = GGUFWriter(str(path), "deepseek2")
    deepseek_gguf.write_tokenizer(writer, tokenizer, pre, BOS, EOS, merges=pre != "kimi-k2")
    close(writer)


def close(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()


def digests(lists: list[list[int]]) -> list[str]:
    """FNV-1a of 64 bits over the numbers as four bytes each, the lowest first, and an end mark after
    every list; one digest per DIGEST_OF lists.
    """
    out = []
    for first in range(0, len(lists), DIGEST_OF):
        value = 0xCBF29CE484222325
        for numbers in lists[first : first + DIGEST_OF]:
            for byte in struct.pack(f"<{len(numbers) + 1}I", *numbers, 0xFFFFFFFF):
                value = (value ^ byte) * 0x100000001B3 % 2**64
        out.append(f"{value:016x}")
    return out


def piece_ends(pre: str, string: str) -> list[int]:
    """Every character of a byte-level piece is one byte of the text."""
    ends, end = [], 0
    for piece, _ in pre_tokenizer(pre).pre_tokenize_str(string):
        end += len(piece)
        ends.append(end)
    if end != len(string.encode("utf-8")):
        raise AssertionError(f"{pre} loses text of {string!r}")
    return ends


def main() -> None:
    strings = Cases(5).strings(10000, families=True)
    texts = [string.encode("utf-8") for string in strings]
    (OUT / "families.strings").write_bytes(
        b"PTS1" + struct.pack("<I", len(texts)) + b"".join(varint(len(t)) + t for t in texts)
    )
    golden = {}
    for pre in BYTE_LEVEL:
        made = byte_level(pre)
        if pre == "kimi-k2":
            check_against_tiktoken(made, strings)
        made.save(str(OUT / f"{pre}.tokenizer.json"), pretty=False)
        write_byte_level_gguf(OUT / f"{pre}.gguf", pre, made)
        golden[pre] = {
            "ids": digests([made.encode(s, add_special_tokens=False).ids for s in strings]),
            "pieces": digests([piece_ends(pre, s) for s in strings]),
        }
        print(pre, made.get_vocab_size(), flush=True)
    pieces, made = sentence_pieces()
    for string in strings:
        want = pieces.encode(string)
        have = made.encode(string, add_special_tokens=False).ids
        if want != have and not any(s in string for s in ("<s>", "</s>", "<unk>", "\0")):
            raise AssertionError(f"sentencepiece differs on {string!r}: {want}, not {have}")
    made.save(str(OUT / "minicpm3.tokenizer.json"), pretty=False)
    write_sentence_piece_gguf(OUT / "minicpm3.gguf", pieces)
    golden["minicpm3"] = {
        "ids": digests([made.encode(s, add_special_tokens=False).ids for s in strings])
    }
    (OUT / "families.json").write_text(json.dumps(golden, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

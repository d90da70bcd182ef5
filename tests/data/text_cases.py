"""Seeded strings that try a tokenizer.

Slices and mixtures of the corpus, emoji sequences, digits, white space, code, special-token text,
edges of the pre-tokenizers' character classes, and code points of every category assigned in
Unicode 14.
"""

import random
import unicodedata

from corpus import LANGUAGES, SENTENCES
from pretokenizers import LLM_CJK, LLM_LETTERS, LLM_PUNCTUATION

SPACES = [
    " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", "\r", " \n ", "\u00a0", "\u3000", "\u0085", "\u2028",
    "\u2003", "\u180e", "\u200b", "\u001c", "\v", "\f",
]  # fmt: skip
EMOJI = [
    "😀", "😂", "❤️", "👍🏽", "👨‍👩‍👧‍👦", "👩🏾‍💻", "🏳️‍🌈", "🇮🇳", "🇬🇧🇮🇳", "1️⃣", "#️⃣", "🧑‍🚀", "🤷🏻‍♀️",
    "☕", "🫠", "🫱🏻‍🫲🏿", "‍", "️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
]  # fmt: skip
DIGITS = [
    "0123456789",
    "౦౧౨౩౪౫౬౭౮౯",
    "٠١٢٣٤٥٦٧٨٩",
    "०१२३४५६७८९",
    "０１２３４５６７８９",
    "²³¹½¾ⅧⅫ①⑳〇",
]
SPECIAL = [
    "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜▁pad▁｜>",
    "<｜fim▁hole｜>", "<｜tool▁sep｜>", "<|User|>", "<｜User|>", "<｜User",
    "｜>", "<think>", "</think>", "<｜", "▁",
]  # fmt: skip
FRAGMENTS = [
    "don't", "we've", "I'LL", "_name", "__init__", ".5", "a.b.c", "C++", "#include", "<div>",
    "</p>", "&amp;", "x+=1", "->", "::", "//", "/*", "*/", "\\n",
    "'''", '"""', "{}", "[0]", "$HOME", "@me", "100%", "e-mail", "2x", "x2", "3.14", "1,000",
    "v1.2.3", "°C", "§5", "…", "—", "“q”", "‘q’", "¿", "！", "。",
    "（a）", "@", "~", "`a`", "^", "|x|", "a\u0301", "e\u0301e", "\u0301", "க்ஷ", "ﬁ", "ǅ", "K", "Ω",
    "ա", "Ա", "ა", "Ა", "ʔ", "ª", "ı", "ß", "ø", "ü", "\ufffd", "a\0b",
]  # fmt: skip

# Contractions (the long s is an s without case), cased words, Han that is neither letter nor
# punctuation, edges of Youtu's classes, line ends and slashes behind symbols.
FAMILY_EDGES = [
    "'s", "'S", "'\u017f", "'ll", "'LL", "'lL", "'re", "'rE", "'t", "'M", "'d", "'x", "\u2019s", "''s",
    "camelCase", "XMLParser", "parseHTML", "iPhone", "McDonald's", "ABC", "aB", "Ab", "\u01c5", "\u02b0", "A\u0301B",
    "\u0301a", "\u0301A", "\u0c24\u0c46A", "漢", "漢字", "〇", "々", "〻", "〡", "⺀", "⼀", "㐀", "\U00020000", "\ufa0e",
    "\U00016ff0", "1〇", "!⺀", "漢a", "a漢", "A漢b", "漢's", "漢1", "か", "カ", "ー", "ㄅ", "ㄯ", "ㄱ", "ㆎ", "가", "힣", "힤",
    "、", "〿", "〰", "！", "…", "“”", "—", "：", "，", "﹏", "︰", "。", "//", "/\n", ";\n/", "!\r\n\n", "\n /", " /",
    "  \n", " \t\n ", "\r", "1234", "12,345", "½", "Ⅷ", "١٢٣٤", "౧౨౩", "_a", "$a", "😀a", " \u200dx",
]  # fmt: skip


def assigned_code_points() -> list[str]:
    if unicodedata.unidata_version != "14.0.0":
        raise RuntimeError(
            "these strings are defined by Unicode 14.0.0 (Python 3.11), "
            f"this Python has {unicodedata.unidata_version}"
        )
    return [
        chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")
    ]


def class_edges() -> list[str]:
    """The first and last code point of every range of a pre-tokenizer, and their neighbours."""
    edges = set()
    for part in f"{LLM_LETTERS} {LLM_PUNCTUATION} {LLM_CJK} 4E00-9FA5 3040-309F 30A0-30FF".split():
        for end in part.split("-"):
            edges |= {int(end, 16) + step for step in (-1, 0, 1)}
    return [chr(c) for c in sorted(edges) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


class Cases:
    def __init__(self, seed: int):
        self._rng = random.Random(seed)
        points = assigned_code_points()
        # Han and Hangul would drown the rest: half of the draws come from all other code points.
        self._points, self._others = points, [p for p in points if unicodedata.category(p) != "Lo"]
        self._edges = class_edges()
        self._kinds = [
            (self._slice, 22), (self._mixture, 14), (self._random_points, 16), (self._edge_run, 8),
            (self._digits, 8), (self._white_space, 8),
            (self._emoji, 7), (self._special, 5), (self._fragments, 12),
        ]  # fmt: skip

    def _slice(self) -> str:
        sentence = self._rng.choice(
            LANGUAGES[self._rng.choice(list(LANGUAGES))].strip("\n").split("\n")
        )
        first = self._rng.randrange(len(sentence))
        return sentence[first : first + self._rng.randint(1, 45)]

    def _piece(self) -> str:
        sentence = self._rng.choice(SENTENCES)
        first = self._rng.randrange(len(sentence))
        return sentence[first : first + self._rng.randint(1, 9)]

    def _mixture(self) -> str:
        parts = [
            self._rng.choice(
                [self._piece, self._piece, self._number, self._one_emoji, self._fragment]
            )()
            for _ in range(self._rng.randint(2, 4))
        ]
        return self._rng.choice(["", " ", self._rng.choice(SPACES)]).join(parts)

    def _random_points(self) -> str:
        out = [
            self._rng.choice(self._rng.choice([self._points, self._others]))
            for _ in range(self._rng.randint(1, 7))
        ]
        return "".join(c + self._rng.choice(["", "", "", "a", " ", "1"]) for c in out)

    def _edge_run(self) -> str:
        out = "".join(self._rng.choice(self._edges) for _ in range(self._rng.randint(1, 6)))
        return self._rng.choice(["", " ", "a", "\t"]) + out + self._rng.choice(["", " ", "b", "."])

    def _number(self) -> str:
        script = self._rng.choice([DIGITS[0]] * 4 + DIGITS)
        return "".join(self._rng.choice(script) for _ in range(self._rng.randint(1, 9)))

    def _digits(self) -> str:
        return "".join(
            self._number()
            + self._rng.choice(["", " ", ".", ",", "-", "/", "x", "kg", "లు", "年", "%"])
            for _ in range(self._rng.randint(1, 4))
        )

    def _white_space(self) -> str:
        run = "".join(self._rng.choice(SPACES) for _ in range(self._rng.randint(1, 5)))
        return (
            self._rng.choice(["", self._piece(), "a", "."])
            + run
            + self._rng.choice(["", self._piece(), "1", "!"])
        )

    def _one_emoji(self) -> str:
        return self._rng.choice(EMOJI)

    def _emoji(self) -> str:
        return "".join(
            self._rng.choice([self._one_emoji, self._one_emoji, self._piece])()
            for _ in range(self._rng.randint(1, 4))
        )

    def _special(self) -> str:
        return "".join(
            self._rng.choice([self._piece(), "", " "]) + self._rng.choice(SPECIAL)
            for _ in range(self._rng.randint(1, 3))
        )

    def _fragment(self) -> str:
        return self._rng.choice(FRAGMENTS)

    def _fragments(self) -> str:
        return self._rng.choice(["", "", " ", "\n"]).join(
            self._fragment() for _ in range(self._rng.randint(1, 5))
        )

    def _family(self) -> str:
        return "".join(
            self._rng.choice(FAMILY_EDGES)
            + self._rng.choice(["", "", "", " ", "a", "A", "1", "\n", self._rng.choice(self._points)])
            for _ in range(self._rng.randint(1, 5))
        )

    def strings(self, count: int, *, families: bool = False) -> list[str]:
        """`count` different strings; the empty one is the first. `families`: with the edges of the
        other families' pre-tokenizers among them.
        """
        kinds, weights = zip(
            *self._kinds, *([(self._family, 30)] if families else []), strict=True
        )
        seen = {"": None}
        while len(seen) < count:
            seen[self._rng.choices(kinds, weights)[0]()] = None
        return list(seen)

"""The starter model's training text: reads data/*.txt, varies the questions, and builds chats.

Everything random comes from the random.Random that the caller passes, so the same seed gives the same stream of chats.
data/*.txt: README.md describes the format. Licensed dialogue: English questions of the package chatterbot-corpus (BSD).
"""

import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
HELD_BACK = [HERE.parents[1] / "tests" / "starter" / name for name in ("questions.jsonl", "independent.jsonl")]
LANGUAGES = ("en", "te")
BEYOND = "beyond"
UNWRAPPED = ("hello", "thanks", "bye")  # "hello, goodbye" would not be a greeting
BARE_WORDS = re.compile(r"\b(the|a|an|is|are|do|does|can|i|to|it|of|please|my)\b ?")
ZWNJ = "\u200c"


# ---- patterns: "how (do|can) i {verb}" ------------------------------------------------------------------------------------------------------


def parse_pattern(text: str) -> list:
    """A list of parts: str, ("slot", name) or ("choice", [pattern, ...])."""
    pattern, rest = _sequence(text, 0)
    if rest != len(text):
        raise ValueError(f"unbalanced brackets in: {text}")
    return pattern


def _sequence(text: str, at: int) -> tuple[list, int]:
    parts, literal = [], ""
    while at < len(text) and text[at] not in "|)":
        if text[at] == "(":
            options, at = _options(text, at + 1)
            parts += [literal, ("choice", options)]
            literal = ""
        elif text[at] == "{":
            end = text.index("}", at)
            parts += [literal, ("slot", text[at + 1 : end])]
            literal, at = "", end + 1
        else:
            literal, at = literal + text[at], at + 1
    return [p for p in (*parts, literal) if p], at


def _options(text: str, at: int) -> tuple[list, int]:
    options = []
    while True:
        option, at = _sequence(text, at)
        options.append(option)
        if at >= len(text):
            raise ValueError(f"bracket not closed in: {text}")
        at += 1
        if text[at - 1] == ")":
            return options, at


def count(pattern: list, slots: dict) -> int:
    """How many different texts the pattern gives."""
    total = 1
    for part in pattern:
        if part[0] == "choice":
            total *= sum(count(option, slots) for option in part[1])
        elif part[0] == "slot":
            total *= len(slots[part[1]])
    return total


def expand(pattern: list, slots: dict, rng: random.Random) -> str:
    out = []
    for part in pattern:
        if isinstance(part, str):
            out.append(part)
        elif part[0] == "slot":
            out.append(rng.choice(slots[part[1]]))
        else:
            out.append(expand(rng.choice(part[1]), slots, rng))
    return "".join(out)


# ---- files ----------------------------------------------------------------------------------------------------------------------------------


@dataclass
class Topic:
    name: str
    answers: dict = field(default_factory=lambda: {"en": [], "te": []})
    patterns: dict = field(default_factory=lambda: {"en": [], "te": []})


@dataclass
class Data:
    topics: dict
    slots: dict
    before: dict
    after: dict
    systems: list
    held_back: set


def read_data() -> Data:
    data = Data({}, {}, {"en": [], "te": []}, {"en": [], "te": []}, [], set())
    for path in sorted((HERE / "data").glob("*.txt")):
        _read_file(path, data)
    data.topics[BEYOND].patterns["en"] += [[q] for q in corpus_questions()]
    for path in HELD_BACK:
        data.held_back |= {normal(json.loads(line)["question"]) for line in path.read_text(encoding="utf-8").splitlines()}
    return data


def _read_file(path: Path, data: Data) -> None:
    topic, sink = None, None
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "@topic":
            topic = data.topics.setdefault(words[1], Topic(words[1]))
        elif words[0] == "@answer":
            answers = topic.answers[words[1]]
            sink = lambda text, to=answers: to.append(text.replace("\\n", "\n"))
        elif words[0] == "@ask":
            patterns = topic.patterns[words[1]]
            sink = lambda text, to=patterns: to.append(parse_pattern(text))
        elif words[0] == "@slot":
            sink = lambda text, name=words[1]: data.slots.setdefault(name, []).extend(text.split(", "))
        elif words[0] in ("@before", "@after"):
            wraps = getattr(data, words[0][1:])[words[1]]
            sink = lambda text, to=wraps: to.extend(parse_pattern(part) for part in text.split("|"))
        elif words[0] == "@system":
            sink = lambda text: data.systems.extend(text.split("|"))
        else:
            sink(line)


CORPUS_FILES = ("trivia", "science", "history", "sports", "money", "movies", "food", "literature", "computers", "health", "tech_support", "coding")


def corpus_questions() -> list[str]:
    """English questions of chatterbot-corpus that lie beyond the topics, short and clean ones only."""
    import chatterbot_corpus
    import yaml

    unfit = re.compile(r"sex|kill|murder|drug|suicid|bomb|nazi|hitler|stupid|damn|hell\b|fuck|paluku|how are you|your name|who are you", re.I)
    found = []
    for name in CORPUS_FILES:
        path = Path(chatterbot_corpus.__file__).parent / "data" / "english" / f"{name}.yml"
        for conversation in yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]:
            question = " ".join(str(conversation[0]).split())
            if 8 <= len(question) <= 90 and not unfit.search(question) and not set("(){}|") & set(question):
                found.append(question)
    return sorted(set(found))


def normal(question: str) -> str:
    """For comparing questions: lower case, letters, marks and digits only."""
    return "".join(c for c in question.lower() if c.isalnum() or "\u0c00" <= c <= "\u0c7f")


# ---- questions -------------------------------------------------------------------------------------------------------------------------------


class Asker:
    """Draws (question, answer) pairs. `part`: "all", or "train" / "dev", which keep every 12th pattern apart to measure with."""

    def __init__(self, data: Data, part: str = "all"):
        self.data, self.pools = data, {}
        for topic in data.topics.values():
            for language in LANGUAGES:
                patterns = topic.patterns[language]
                if part != "all":
                    patterns = [p for i, p in enumerate(patterns) if (i % 12 == 7) == (part == "dev")]
                weights = [count(p, data.slots) ** 0.4 for p in patterns]
                self.pools[topic.name, language] = (patterns, weights)
        self.names = [name for name in data.topics if name != BEYOND]

    def plain(self, topic: str, language: str, rng: random.Random) -> str:
        patterns, weights = self.pools[topic, language]
        pattern = rng.choices(patterns, weights)[0]
        return expand(pattern, self.data.slots, rng)

    def question(self, topic: str, language: str, rng: random.Random) -> str:
        """A varied question that is not one of the held-back ones."""
        while True:
            text = self.plain(topic, language, rng)
            if rng.random() < 0.12:
                text += rng.choice((". ", ", ", " ")) + self.plain(topic, language, rng)
            if topic not in UNWRAPPED:
                text = self._wrap(text, language, rng)
            text = vary(disorder(text.split(), rng), language, rng)
            if normal(text) not in self.data.held_back:
                return text

    def _wrap(self, text: str, language: str, rng: random.Random) -> str:
        if rng.random() < 0.35:
            text = expand(rng.choice(self.data.before[language]), self.data.slots, rng) + text
        if rng.random() < 0.25:
            text += expand(rng.choice(self.data.after[language]), self.data.slots, rng)
        return text

    def pair(self, rng: random.Random) -> tuple[str, str]:
        topic = BEYOND if rng.random() < 0.2 else rng.choice(self.names)
        language = rng.choice(LANGUAGES)
        return self.question(topic, language, rng), rng.choice(self.data.topics[topic].answers[language])


def disorder(words: list[str], rng: random.Random) -> str:
    """Sometimes loses or mixes up words, so that the model goes by the words themselves and not by whole sentences."""
    kind = rng.random()
    if kind < 0.2 and len(words) > 3:
        words = [w for w in words if rng.random() > 0.15] or words
    elif kind < 0.3:
        words = rng.sample(words, len(words))
    return " ".join(words)


def vary(text: str, language: str, rng: random.Random) -> str:
    """Case, punctuation, lost words and slips of the finger."""
    if language == "en":
        if rng.random() < 0.10 and len(text.split()) > 3:
            text = BARE_WORDS.sub("", text, count=1)
        if rng.random() < 0.12:
            text = slip(text, rng)
        if rng.random() < 0.5:
            text = text.replace("paluku", "Paluku")
        case = rng.random()
        text = text[:1].upper() + text[1:] if case < 0.6 else text.upper() if case < 0.63 else text
    else:
        if rng.random() < 0.3:
            text = text.replace(ZWNJ, "")
        if rng.random() < 0.06:
            text = slip(text, rng)
    ending = rng.random()
    return text + ("?" if ending < 0.55 else "." if ending < 0.62 else "!" if ending < 0.64 else " ?" if ending < 0.66 else "")


def slip(text: str, rng: random.Random) -> str:
    """One character dropped, doubled or swapped with the next."""
    at = rng.randrange(max(1, len(text) - 1))
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[: at + 1] + text[at:]
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


# ---- chats -----------------------------------------------------------------------------------------------------------------------------------


@dataclass
class Chat:
    system: str
    turns: list  # of (question, answer)
    opening_only: bool  # learn the answer only as far as it tells which answer it is


def draw_chat(asker: Asker, rng: random.Random) -> Chat:
    """Sometimes a system prompt, sometimes up to four turns; neither changes an answer. Most chats end with the opening of
    their one answer: choosing it is the hard part, and so a step sees three times as many questions."""
    system = rng.choice(asker.data.systems) if rng.random() < 0.12 else ""
    opening_only = rng.random() < 0.9
    turns = 1 if opening_only else rng.choices((1, 2, 3, 4), (50, 30, 12, 8))[0]
    return Chat(system, [asker.pair(rng) for _ in range(turns)], opening_only)

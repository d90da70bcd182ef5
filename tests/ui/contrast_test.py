"""Recomputes the WCAG 2.2 contrast of every pair of colours that the interface may use, from Theme.qml.

usage: contrast_test.py THEME.QML. The pairs and the needed ratios are those of the design: 4.5 for text, 3 for
graphics and borders. Palettes: light, dark, high contrast light, high contrast dark.
"""
import re
import sys

PALETTES = ("light", "dark", "high contrast light", "high contrast dark")
SURFACES = ("window", "page", "raised", "leaf", "code", "hover", "selected")
# text or graphic: (needed, surfaces it may stand on)
PAIRS = {
    "ink": (4.5, SURFACES + ("turmericWash", "madderWash", "neemWash", "found")),
    "ink2": (4.5, SURFACES),
    "ink3": (4.5, ("window", "page", "raised", "leaf", "code", "hover")),
    "indigo": (4.5, SURFACES),
    "turmericInk": (4.5, ("window", "page", "raised", "hover", "turmericWash")),
    "madder": (4.5, ("window", "page", "raised", "hover", "madderWash")),
    "neem": (4.5, ("window", "page", "raised", "hover", "neemWash")),
    "edge": (3, ("window", "page", "raised", "leaf")),
    "ring": (3, ("window", "page", "raised", "leaf", "code", "selected")),
    "turmeric": (3, ("window", "page", "raised", "turmericWash")),
    "inkOnIndigo": (4.5, ("indigo", "indigoHover", "indigoPress")),
    "inkOnMadder": (4.5, ("madder", "madderHover")),
    "selInk": (4.5, ("selBg",)),
    "inkOnFound": (4.5, ("foundNow",)),
    "synKeyword": (4.5, ("code",)),
    "synString": (4.5, ("code",)),
    "synNumber": (4.5, ("code",)),
    "synComment": (4.5, ("code",)),
    "synType": (4.5, ("code",)),
    "synFunction": (4.5, ("code",)),
}
ROW = re.compile(r'readonly property color (\w+): pick\("(#\w{6})", "(#\w{6})", "(#\w{6})", "(#\w{6})"\)')


def luminance(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        theme = {row[0]: row[1:] for row in ROW.findall(file.read())}
    findings, checked = [], 0
    for text, (needed, grounds) in PAIRS.items():
        for ground in grounds:
            for index, palette in enumerate(PALETTES):
                found = ratio(theme[text][index], theme[ground][index])
                checked += 1
                if found < needed:
                    findings.append(f"{palette}: {text} on {ground} is {found:.2f}, needs {needed}")
    findings += [f"token {name} begins with on and a capital" for name in theme if re.match(r"on[A-Z]", name)]
    print("\n".join(findings))
    print(f"{checked} pairs, {len(findings)} findings")
    return 1 if findings or checked != 4 * sum(len(grounds) for _, grounds in PAIRS.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

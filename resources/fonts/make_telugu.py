#!/usr/bin/env python3
"""Makes PalukuTelugu-Regular.ttf and -Bold.ttf from Noto Sans Telugu.

Noto Sans Telugu declares an ascent of 0.869 em, Noto Sans 1.069 em. Qt places a line by the ascent of
the fonts in it, so a line of Telugu alone would stand 3 px higher than its English neighbour. The outlines
stay untouched; only the ascent fields of hhea and OS/2 change, and the family gets another name, so that a
Noto Sans Telugu that happens to be installed is never taken in its place. The SIL Open Font License
(OFL.txt) allows both. Time stamps are kept, so the same input gives the same bytes.

Needs fontTools 4. Usage: make_telugu.py [FOLDER_WITH_NOTO_FONTS]
"""
import os
import sys

from fontTools.ttLib import TTFont

FAMILY = "Paluku Telugu"
HERE = os.path.dirname(os.path.abspath(__file__))
FAMILY_NAME, FULL_NAME, POSTSCRIPT_NAME = 1, 4, 6


def rename(font: TTFont, weight: str) -> None:
    """Gives the family its own name in every platform's record."""
    names = {
        FAMILY_NAME: FAMILY,
        3: f"{FAMILY} {weight}; from Noto Sans Telugu",
        FULL_NAME: FAMILY if weight == "Regular" else f"{FAMILY} {weight}",
        POSTSCRIPT_NAME: f"PalukuTelugu-{weight}",
    }
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]


def raise_ascent(font: TTFont, model: TTFont) -> None:
    """Takes the ascent of the Latin font, in the units of the Telugu one."""
    ascent = model["hhea"].ascent * font["head"].unitsPerEm // model["head"].unitsPerEm
    font["hhea"].ascent = ascent
    font["OS/2"].sTypoAscender = ascent
    font["OS/2"].usWinAscent = ascent


def main(source: str) -> None:
    for weight in ("Regular", "Bold"):
        font = TTFont(os.path.join(source, f"NotoSansTelugu-{weight}.ttf"), recalcTimestamp=False)
        model = TTFont(os.path.join(HERE, f"NotoSans-{weight}.ttf"))
        raise_ascent(font, model)
        rename(font, weight)
        font.save(os.path.join(HERE, f"PalukuTelugu-{weight}.ttf"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/noto")

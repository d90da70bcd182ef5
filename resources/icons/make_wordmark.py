#!/usr/bin/env python3
"""Draws the wordmark పలుకు and the letter ప of the application icon as outlines of Noto Serif Telugu Bold.

Writes wordmark.svg (black; the interface tints it) and the two application icons: paluku.svg (the letter in
indigo on paper with one turmeric leaf) and paluku-symbolic.svg (one colour, 16 px grid). Outlines are used
instead of text so that nothing depends on an installed serif; HarfBuzz shapes the syllables.

Needs fontTools and uharfbuzz. Usage: make_wordmark.py [FONT]
"""
import os
import sys

import uharfbuzz as hb
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

HERE = os.path.dirname(os.path.abspath(__file__))
FONT = "/usr/share/fonts/truetype/noto/NotoSerifTelugu-Bold.ttf"
WORD, LETTER = "పలుకు", "ప"
INDIGO, PAPER, EDGE, TURMERIC, VEIN = "#2B4C86", "#FBFBF8", "#D6DAD4", "#DDAE3F", "#A87407"


def shape(path: str, text: str):
    """Glyph names with their pen positions in font units."""
    face = hb.Face(hb.Blob.from_file_path(path))
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    font = hb.Font(face)
    hb.shape(font, buffer)
    x = 0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions):
        yield font.glyph_to_string(info.codepoint), x + position.x_offset, position.y_offset
        x += position.x_advance


def outline(path: str, text: str, box: tuple[float, float, float, float]) -> str:
    """The outline of `text`, as large as fits in box (left, top, width, height), centred in it."""
    glyphs = TTFont(path).getGlyphSet()
    bounds = BoundsPen(glyphs)
    placed = list(shape(path, text))
    for name, x, y in placed:
        glyphs[name].draw(TransformPen(bounds, (1, 0, 0, 1, x, y)))
    x0, y0, x1, y1 = bounds.bounds
    left, top, width, height = box
    scale = min(width / (x1 - x0), height / (y1 - y0))
    dx = left + (width - scale * (x1 - x0)) / 2 - scale * x0
    dy = top + (height - scale * (y1 - y0)) / 2 + scale * y1
    pen = SVGPathPen(glyphs, ntos=lambda v: f"{v:.2f}".rstrip("0").rstrip("."))
    for name, x, y in placed:
        glyphs[name].draw(TransformPen(pen, (scale, 0, 0, -scale, dx + scale * x, dy - scale * y)))
    return pen.getCommands()


def write(name: str, width: int, height: int, body: str) -> None:
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                   f'viewBox="0 0 {width} {height}">{body}</svg>\n')


def main(font: str) -> None:
    write("wordmark.svg", 100, 31, f'<path d="{outline(font, WORD, (0, 0, 100, 31))}"/>')
    write("paluku.svg", 256, 256,
          f'<rect x="12" y="12" width="232" height="232" rx="52" fill="{PAPER}" stroke="{EDGE}" stroke-width="4"/>'
          f'<path fill="{INDIGO}" d="{outline(font, LETTER, (50, 62, 148, 148))}"/>'
          f'<path fill="{TURMERIC}" d="M166 92c0-34 22-56 58-58 2 36-20 60-58 58z"/>'
          f'<path fill="none" stroke="{VEIN}" stroke-width="4" stroke-linecap="round" d="M158 100l42-42"/>')
    write("paluku-symbolic.svg", 16, 16,
          f'<path fill="#2e3436" d="{outline(font, LETTER, (1, 3, 12, 12))}"/>'
          '<path fill="#2e3436" d="M11 4.8C11 2.4 12.5 1 15 .8c.1 2.6-1.4 4.1-4 4z"/>')


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else FONT)

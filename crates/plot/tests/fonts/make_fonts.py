"""Makes the fonts of the tests: rectangles for three characters that the bundled font lacks, with both kinds of outlines.

    pip install fonttools==4.68.0 && python3 make_fonts.py
"""

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

CHARACTERS = {0x6E29: "wen", 0x5EA6: "du", 0x73: "s"}
ORDER = [".notdef", *CHARACTERS.values()]
WIDTH = 1000


def draw(pen, name):
    inset = 60 + 80 * ORDER.index(name)
    pen.moveTo((inset, 0))
    pen.lineTo((inset, 700))
    pen.lineTo((WIDTH - inset, 700))
    pen.lineTo((WIDTH - inset, 0))
    pen.closePath()


for postscript in (False, True):
    builder = FontBuilder(1000, isTTF=not postscript)
    builder.setupGlyphOrder(ORDER)
    builder.setupCharacterMap(CHARACTERS)
    if postscript:
        charstrings = {}
        for name in ORDER:
            pen = T2CharStringPen(WIDTH, None)
            draw(pen, name)
            charstrings[name] = pen.getCharString()
        builder.setupCFF("Boxes-Regular", {"FullName": "Boxes"}, charstrings, {})
    else:
        glyphs = {}
        for name in ORDER:
            pen = TTGlyphPen(None)
            draw(pen, name)
            glyphs[name] = pen.glyph()
        builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (WIDTH, 60) for name in ORDER})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes-Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200, sCapHeight=700)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    builder.save("boxes.otf" if postscript else "boxes.ttf")

"""Draw ``picture.jpg``, the photograph that the demo sends.

It is the view that the caller of the demo has: a glow and smoke behind the hills
at night, with a lake in front.  Nothing in it was taken from anywhere, so it is
free of anybody's rights.  The same Pillow draws the same octets each time::

    python -m venv /tmp/draw && /tmp/draw/bin/pip install pillow==13.0.0
    /tmp/draw/bin/python samples/msrp_chat/demo/draw_picture.py picture.jpg

The grain of the film is what makes it as large as a photograph from a telephone.
Pillow isn't needed to run the sample program, only to draw its picture again.
"""

from __future__ import annotations

import itertools
import math
import random
import sys

from PIL import Image, ImageChops, ImageDraw, ImageFilter

__all__ = ["draw"]

_WIDTH, _HEIGHT = 1800, 1200
_SHORE = 900
"""Where the lake begins, from above."""

_FIRE = (1180, 700)
"""Where the glow comes from: behind the hills, right of the middle."""

_QUALITY = 97

_Colour = tuple[int, int, int]

_SKY: list[tuple[float, _Colour]] = [
    (0.00, (6, 9, 26)),
    (0.35, (14, 22, 52)),
    (0.60, (38, 40, 78)),
    (0.72, (84, 62, 84)),
    (0.78, (120, 78, 74)),
    (1.00, (120, 78, 74)),
]


def draw() -> Image.Image:
    """Return the picture."""
    dice = random.Random(911)
    scene = _gradient(_SKY)
    scene = _add_haze(scene, dice)
    _add_stars(scene, dice)
    scene = _add_glow(scene, 620, (255, 120, 40), 0.75)
    scene = _add_smoke(scene, dice)
    _add_hills(scene, dice, top=690, rough=120, colour=(38, 32, 52))
    scene = _add_glow(scene, 260, (255, 150, 60), 0.85)
    _add_hills(scene, dice, top=760, rough=80, colour=(22, 21, 38))
    _add_forest(scene, dice)
    scene = _mirror(scene, dice)
    _add_house(scene)
    return _add_grain(scene, dice)


def _gradient(stops: list[tuple[float, _Colour]]) -> Image.Image:
    column = Image.new("RGB", (1, _HEIGHT))
    for y in range(_HEIGHT):
        column.putpixel((0, y), _colour_at(stops, y / _HEIGHT))
    return column.resize((_WIDTH, _HEIGHT))


def _colour_at(stops: list[tuple[float, _Colour]], at: float) -> _Colour:
    for (start, one), (stop, other) in itertools.pairwise(stops):
        if at <= stop:
            share = (at - start) / (stop - start)
            red, green, blue = (
                round(a + (b - a) * share) for a, b in zip(one, other, strict=True)
            )
            return red, green, blue
    return stops[-1][1]


def _clouds(dice: random.Random, cells: int, octaves: int = 6) -> Image.Image:
    """Return noise that looks alike at every scale, in shades of grey."""
    sum_of_all = Image.new("L", (_WIDTH, _HEIGHT), 128)
    for octave in range(octaves):
        wide, high = cells << octave, max(2, (cells << octave) * _HEIGHT // _WIDTH)
        cell = Image.frombytes("L", (wide, high), dice.randbytes(wide * high))
        layer = cell.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
        sum_of_all = Image.blend(sum_of_all, layer, 0.5 if octave == 0 else 0.5**octave)
    return sum_of_all


def _add_haze(scene: Image.Image, dice: random.Random) -> Image.Image:
    """Draw the Milky Way, from the left below to the right above."""
    band = Image.new("L", (_WIDTH, _HEIGHT))
    pen = ImageDraw.Draw(band)
    pen.line([(-200, 760), (900, 260), (2000, -260)], fill=150, width=170)
    band = band.filter(ImageFilter.GaussianBlur(90))
    clouds = _clouds(dice, 5).point(lambda v: max(0, min(255, (v - 96) * 3)))
    mask = ImageChops.multiply(band, clouds)
    return Image.composite(Image.new("RGB", scene.size, (128, 132, 170)), scene, mask)


def _add_stars(scene: Image.Image, dice: random.Random) -> None:
    for _ in range(2600):
        x, y = dice.randrange(_WIDTH), int(dice.random() ** 1.4 * _SHORE * 0.8)
        light = dice.random() ** 9
        pixel = scene.getpixel((x, y))
        assert isinstance(pixel, tuple)
        red, green, blue = pixel
        warm = dice.uniform(-20, 20)
        star = (red + 60 + 170 * light + warm, green + 60 + 170 * light)
        colour = (round(star[0]), round(star[1]), round(blue + 70 + 150 * light - warm))
        scene.putpixel((x, y), colour)
        if light > 0.45:
            pen = ImageDraw.Draw(scene)
            size = 0.4 + 1.2 * light
            pen.ellipse((x - size, y - size, x + size, y + size), fill=colour)


def _add_glow(
    scene: Image.Image, radius: int, colour: _Colour, strength: float
) -> Image.Image:
    light = Image.radial_gradient("L").resize((2 * radius, radius * 6 // 5))
    light = light.point(lambda v: round(255 * strength * max(0.0, 1 - v / 180) ** 2.2))
    mask = Image.new("L", scene.size)
    mask.paste(light, (_FIRE[0] - radius, _FIRE[1] - radius * 3 // 5 + 30))
    bright = ImageChops.screen(scene, Image.new("RGB", scene.size, colour))
    return Image.composite(bright, scene, mask)


def _add_smoke(scene: Image.Image, dice: random.Random) -> Image.Image:
    """Draw a column that the wind bends to the left, lit from below."""
    column = Image.new("L", scene.size)
    pen = ImageDraw.Draw(column)
    for step in range(160):
        share = step / 160
        x = _FIRE[0] - 520 * share**2.1 + 26 * math.sin(step / 7)
        y = _FIRE[1] + 10 - 610 * share
        size = 26 + 150 * share + dice.uniform(-10, 10)
        grey = round(215 * (1 - share) ** 0.55)
        pen.ellipse((x - size, y - size * 0.7, x + size, y + size * 0.7), fill=grey)
    column = column.filter(ImageFilter.GaussianBlur(24))
    clouds = _clouds(dice, 9).point(lambda v: max(0, min(255, (v - 70) * 2)))
    mask = ImageChops.multiply(column, clouds)
    lit: list[tuple[float, _Colour]] = [
        (0.0, (46, 44, 56)),
        (0.3, (74, 62, 66)),
        (0.5, (150, 92, 64)),
        (0.6, (236, 140, 72)),
        (1.0, (255, 170, 90)),
    ]
    return Image.composite(_gradient(lit), scene, mask)


def _ridge(dice: random.Random, top: int, rough: float) -> list[tuple[int, int]]:
    """Return the outline of hills: halve each edge and shift its middle."""
    heights = [top + dice.uniform(-rough, rough) for _ in range(4)]
    while len(heights) < _WIDTH // 4:
        rough *= 0.56
        finer: list[float] = []
        for one, other in itertools.pairwise(heights):
            finer += [one, (one + other) / 2 + dice.uniform(-rough, rough)]
        heights = [*finer, heights[-1]]
    step = _WIDTH / (len(heights) - 1)
    return [(round(i * step), round(height)) for i, height in enumerate(heights)]


def _add_hills(
    scene: Image.Image, dice: random.Random, *, top: int, rough: float, colour: _Colour
) -> None:
    outline = _ridge(dice, top, rough)
    pen = ImageDraw.Draw(scene)
    pen.polygon([(0, _HEIGHT), *outline, (_WIDTH, _HEIGHT)], fill=colour)


def _add_forest(scene: Image.Image, dice: random.Random) -> None:
    """Draw the near shore: firs, each a stack of triangles."""
    pen = ImageDraw.Draw(scene)
    dark = (9, 11, 20)
    outline = _ridge(dice, 850, 26)
    pen.polygon([(0, _HEIGHT), *outline, (_WIDTH, _HEIGHT)], fill=dark)
    for x in range(-10, _WIDTH + 10, 7):
        foot = outline[max(0, min(len(outline) - 1, x * len(outline) // _WIDTH))][1]
        tall = dice.uniform(28, 74) * (1.25 - 0.5 * math.sin(x / 240) ** 2)
        for tier in range(5):
            y = foot + 8 - tall * tier / 5
            half = tall * 0.21 * (1 - tier / 6) + dice.uniform(-1, 1)
            pen.polygon([(x - half, y), (x + half, y), (x, y - tall * 0.42)], fill=dark)


def _mirror(scene: Image.Image, dice: random.Random) -> Image.Image:
    """Draw the lake: what is above it upside down, darker and rippled."""
    above = scene.crop((0, 2 * _SHORE - _HEIGHT, _WIDTH, _SHORE))
    lake = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    rippled = lake.copy()
    for y in range(lake.height):
        depth = y / lake.height
        shift = round(
            (2 + 16 * depth) * math.sin(y / (1.5 + 5 * depth) + dice.uniform(-0.7, 0.7))
        )
        rippled.paste(
            ImageChops.offset(lake.crop((0, y, _WIDTH, y + 1)), shift, 0), (0, y)
        )
    water = Image.blend(rippled, Image.new("RGB", lake.size, (8, 12, 26)), 0.38)
    scene.paste(water, (0, _SHORE))
    return scene


def _add_house(scene: Image.Image) -> None:
    """Draw the house of the caller, with light in the window."""
    pen = ImageDraw.Draw(scene)
    wall, roof, lamp = (13, 13, 20), (7, 7, 12), (255, 214, 130)
    pen.rectangle((286, 838, 376, 896), fill=wall)
    pen.polygon([(276, 842), (331, 800), (386, 842)], fill=roof)
    pen.rectangle((356, 800, 366, 830), fill=roof)
    for left in (302, 344):
        pen.rectangle((left, 854, left + 14, 870), fill=lamp)
        pen.line((left + 7, 854, left + 7, 870), fill=wall)
        for y in range(_SHORE + 6, _SHORE + 64, 4):
            half = 6 - (y - _SHORE) // 14
            pen.line((left + 7 - half, y, left + 7 + half, y), fill=(150, 120, 70))


def _add_grain(scene: Image.Image, dice: random.Random) -> Image.Image:
    channels = [
        Image.frombytes("L", scene.size, dice.randbytes(_WIDTH * _HEIGHT))
        for _ in range(3)
    ]
    grain = Image.merge("RGB", channels).filter(ImageFilter.GaussianBlur(0.6))
    return ImageChops.add(scene, grain.point(lambda v: v // 6), offset=-21)


if __name__ == "__main__":
    draw().save(sys.argv[1], quality=_QUALITY, optimize=True)

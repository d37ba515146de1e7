# SPDX-License-Identifier: MIT
"""Charts as SVG: text, lines and markers in colours that a light and a dark page show.

No scripts and nothing from elsewhere. The ground is drawn too, so that a viewer that doesn't know
prefers-color-scheme shows black on white.
"""

import math
from xml.sax.saxutils import escape

# Light, dark: of Okabe and Ito, which colour-blind people tell apart, or near enough to be seen on
# the ground.
COLOURS = {
    "blue": ("#0072b2", "#56b4e9"),
    "green": ("#00805d", "#2fcf9f"),
    "orange": ("#b37400", "#e69f00"),
    "red": ("#d55e00", "#ff8a3d"),
    "purple": ("#b0578a", "#dd96bd"),
    "grey": ("#59636e", "#9aa4af"),
    "ink": ("#1f2328", "#e6edf3"),
}
GROUND, GRID = ("#ffffff", "#0d1117"), ("#d8dee4", "#2d343c")
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif'
SMALL, LARGE = 12, 14


def style(which):
    """The rules of one scheme."""
    rules = [f".ground{{fill:{GROUND[which]}}}", f".grid{{stroke:{GRID[which]}}}"]
    rules.append(f"text{{stroke:{GROUND[which]}}}")
    rules.append(f".hollow{{fill:{GROUND[which]}}}.hollow-line{{stroke:{GROUND[which]}}}")
    for name, shades in COLOURS.items():
        rules.append(f".{name}{{fill:{shades[which]}}}.{name}-line{{stroke:{shades[which]}}}")
    return "".join(rules)


DARK = f"@media (prefers-color-scheme: dark){{{style(1)}}}"
STYLE = (
    f"text{{font-family:{FONT};font-size:{SMALL}px;stroke-width:3px;paint-order:stroke}}"
    f".large{{font-size:{LARGE}px;font-weight:600}}"
    f"{style(0)}{DARK}"
)


def number(value):
    return f"{value:.1f}".removesuffix(".0")


class Svg:
    """A drawing; y grows downwards."""

    def __init__(self, width, height, title, description):
        self.head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-labelledby="title description">\n'
            f'<title id="title">{escape(title)}</title>\n'
            f'<desc id="description">{escape(description)}</desc>\n<style>{STYLE}</style>\n'
        )
        self.parts = [f'<rect class="ground" width="{width}" height="{height}"/>']

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, text, colour="ink", anchor="start", large=False):
        names = f"{colour} large" if large else colour
        self.add(
            f'<text class="{names}" x="{number(x)}" y="{number(y)}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        )

    def line(self, x1, y1, x2, y2, names, width=1):
        ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2))
        place = " ".join(f'{name}="{number(value)}"' for name, value in ends)
        self.add(f'<line class="{names}" stroke-width="{width}" {place}/>')

    def rectangle(self, x, y, width, height, names):
        self.add(
            f'<rect class="{names}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}"/>'
        )

    def polyline(self, points, colour, dash=""):
        places = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.add(
            f'<polyline class="{colour}-line" fill="none" stroke-width="2"{dashes} '
            f'points="{places}"/>'
        )

    def marker(self, x, y, shape, colour, size=4.5):
        """A closed shape by its corners, or strokes."""
        if shape == "circle":
            place = f'cx="{number(x)}" cy="{number(y)}" r="{size - 0.5}"'
            return self.add(f'<circle class="{colour}" {place}/>')
        strokes = {
            "cross": [(-1, -1, 1, 1), (-1, 1, 1, -1)],
            "plus": [(-1, 0, 1, 0), (0, -1, 0, 1)],
        }
        if shape in strokes:
            for a, b, c, d in strokes[shape]:
                ends = (x + size * a, y + size * b, x + size * c, y + size * d)
                self.line(*ends, f"{colour}-line", 2)
            return None
        corners = {"square": (4, 45), "diamond": (4, 0), "up": (3, -90), "down": (3, 90)}
        count, turn = corners[shape]
        angles = [math.radians(turn + 360 * i / count) for i in range(count)]
        size *= 1.25
        places = [
            f"{number(x + size * math.cos(a))},{number(y + size * math.sin(a))}" for a in angles
        ]
        fill = f"hollow {colour}-line" if shape == "down" else colour
        return self.add(
            f'<polygon class="{fill}" stroke-width="1.5" points="{" ".join(places)}"/>'
        )

    def write(self, path):
        path.write_text(self.head + "\n".join(self.parts) + "\n</svg>\n", encoding="utf-8")


class Scale:
    """Numbers to places."""

    def __init__(self, least, greatest, first, last, logarithmic=False):
        self.form = math.log if logarithmic else float
        self.least, self.greatest = self.form(least), self.form(greatest)
        self.first, self.last = first, last

    def __call__(self, value):
        part = (self.form(value) - self.least) / (self.greatest - self.least)
        return self.first + part * (self.last - self.first)


def decades(values):
    """Powers of ten around all of them."""
    least = math.floor(math.log10(min(values)))
    greatest = math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(least, max(greatest, least + 1) + 1)]

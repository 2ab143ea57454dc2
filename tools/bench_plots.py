"""Plots for the benchmarks: curves on two logarithmic axes, as SVG whose text is text. Standard library only.

Colours are of Okabe and Ito, which people tell apart whatever their sight; each curve has a mark of its own, too. The
picture follows `prefers-color-scheme`.
"""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 44, 44, 56
LINE = 18
# For light and for dark backgrounds.
COLOURS = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#e69f00"),
    ("#007a5a", "#2fc79a"),
    ("#a64d79", "#cc79a7"),
    ("#6b6b00", "#f0e442"),
    ("#444444", "#bbbbbb"),
]
MARKS = ["circle", "square", "diamond", "triangle", "cross", "ring"]


def number(value):
    """`1000000` as `1,000,000`; small ones with what they need."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:g}"


def decades(values):
    """The powers of ten that enclose them all."""
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def mark(kind, x, y, size=4.5):
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size - 0.5}"/>'
    if kind == "ring":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size - 0.5}" fill="none" stroke-width="2"/>'
    shapes = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
        "triangle": [(0, -1.3), (1.2, 1), (-1.2, 1)],
        "cross": [(-1, -0.4), (-0.4, -0.4), (-0.4, -1), (0.4, -1), (0.4, -0.4), (1, -0.4), (1, 0.4), (0.4, 0.4)]
        + [(0.4, 1), (-0.4, 1), (-0.4, 0.4), (-1, 0.4)],
    }
    size -= 0.8
    points = " ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in shapes[kind])
    return f'<polygon points="{points}"/>'


def plot(title, x_label, y_label, curves):
    """`curves` are pairs of a name and its points. Points that are not above zero have no place here."""
    curves = [(name, sorted((x, y) for x, y in points if x > 0 and y > 0)) for name, points in curves]
    curves = [(name, points) for name, points in curves if points][: len(COLOURS)]
    if not curves:
        return None
    x_low, x_high = decades([x for _, points in curves for x, _ in points])
    y_low, y_high = decades([y for _, points in curves for _, y in points])
    height = HEIGHT + LINE * len(curves) + 12
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x, y):
        return (
            LEFT + (math.log10(x) - x_low) / (x_high - x_low) * (right - LEFT),
            bottom - (math.log10(y) - y_low) / (y_high - y_low) * (bottom - TOP),
        )

    def say(x, y, text, anchor="middle", extra=""):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{html.escape(text)}</text>'

    light = "".join(f".c{n}{{color:{colour}}}" for n, (colour, _) in enumerate(COLOURS))
    dark = "".join(f".c{n}{{color:{colour}}}" for n, (_, colour) in enumerate(COLOURS))
    names = ", ".join(name for name, _ in curves)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="title desc">',
        f'<title id="title">{html.escape(title)}</title>',
        f'<desc id="desc">{html.escape(f"{y_label} by {x_label}, both logarithmic: {names}. The tables have the figures.")}</desc>',
        "<style>svg{background:#fff;color-scheme:light dark}"
        "text{font:13px system-ui,sans-serif;fill:#222}.title{font-size:15px;font-weight:600}"
        ".grid{stroke:#ddd;stroke-width:1}.axis{stroke:#666;stroke-width:1}"
        ".curve{fill:none;stroke:currentColor;stroke-width:2}.marks{fill:currentColor;stroke:currentColor;stroke-width:0}"
        f"{light}"
        "@media(prefers-color-scheme:dark){svg{background:#16181c}text{fill:#e6e6e6}.grid{stroke:#34383f}"
        f".axis{{stroke:#999}}{dark}}}</style>",
        say(LEFT, 24, title, "start", ' class="title"'),
    ]
    for power in range(x_low, x_high + 1):
        x, _ = at(10.0**power, 10.0**y_low)
        out.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        out.append(say(x, bottom + 18, number(10.0**power)))
    for power in range(y_low, y_high + 1):
        _, y = at(10.0**x_low, 10.0**power)
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        out.append(say(LEFT - 8, y + 4, number(10.0**power), "end"))
    out.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>')
    out.append(say((LEFT + right) / 2, bottom + 42, x_label))
    middle = (TOP + bottom) / 2
    out.append(say(18, middle, y_label, "middle", f' transform="rotate(-90 18 {middle:.1f})"'))
    for n, (name, points) in enumerate(curves):
        places = [at(x, y) for x, y in points]
        kind = MARKS[n]
        out.append(f'<g class="c{n}">')
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out.append(f'<polyline class="curve" points="{line}"/>')
        out.append('<g class="marks">')
        for (x, y), (px, py) in zip(points, places):
            tip = html.escape(f"{name}: {number(x)}, {y:.3g}")
            out.append(f"<g><title>{tip}</title>{mark(kind, px, py)}</g>")
        legend = HEIGHT + LINE * n + 8
        out.append(mark(kind, LEFT + 8, legend - 4))
        out.append("</g></g>")
        out.append(say(LEFT + 22, legend, name, "start"))
    out.append("</svg>")
    return "\n".join(out) + "\n"

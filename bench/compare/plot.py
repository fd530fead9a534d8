"""Small SVG plots: bars in groups, and lines over time. Both may have a logarithmic scale."""

import math
from xml.sax.saxutils import escape

COLOURS = {
    "martlet": "#d1495b", "nats-server": "#30638e", "node": "#5b8c5a", "redis": "#8e6c8a",
    "mosquitto": "#c98a2b"}
OTHERS = ("#d1495b", "#30638e", "#5b8c5a", "#8e6c8a", "#c98a2b", "#777777")
MARGIN_LEFT, MARGIN_TOP, MARGIN_RIGHT = 64, 52, 16


class Canvas:
    """Elements of an SVG picture with an axis from `low` to `high`."""

    def __init__(self, title, unit, width, height, bottom, low, high, logarithmic):
        self.width, self.height, self.logarithmic = width, height, logarithmic
        self.low, self.high = (low, high) if high > low else (low, low + 1)
        self.floor = height - bottom
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="11">',
            f'<rect width="{width}" height="{height}" fill="white"/>']
        self.text(MARGIN_LEFT, 18, f"{title} ({unit})", "start", size=14)
        for tick in self.ticks():
            y = self.y(tick)
            self.parts.append(
                f'<path d="M{MARGIN_LEFT} {y:.1f}H{width - MARGIN_RIGHT}" stroke="#dddddd"/>')
            self.text(MARGIN_LEFT - 6, y + 4, short(tick), "end")

    def y(self, value):
        if self.logarithmic:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.floor - share * (self.floor - MARGIN_TOP)

    def ticks(self):
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0 ** power for power in range(first, last + 1)]
        step = 10.0 ** math.floor(math.log10(self.high - self.low))
        while (self.high - self.low) / step < 4:
            step /= 2
        first = math.ceil(self.low / step)
        return [step * k for k in range(first, math.floor(self.high / step) + 1)]

    def text(self, x, y, text, anchor="middle", size=11, turn=0):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{turned}>'
            f"{escape(text)}</text>")

    def bar(self, x, width, value, colour):
        y = self.y(value)
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{max(0, self.floor - y):.1f}" fill="{colour}"/>')

    def line(self, points, colour):
        path = " ".join(f"{x:.1f},{self.y(value):.1f}" for x, value in points)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')

    def legend(self, names):
        x = MARGIN_LEFT
        for i, name in enumerate(names):
            self.parts.append(
                f'<rect x="{x}" y="28" width="10" height="10" fill="{colour(name, i)}"/>')
            self.text(x + 14, 37, name, "start")
            x += 30 + 7 * len(name)

    def svg(self):
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def colour(name, place):
    return COLOURS.get(name, OTHERS[place % len(OTHERS)])


def short(value):
    for scale, letter in ((1e6, "M"), (1e3, "k")):
        if value >= scale:
            return f"{value / scale:g}{letter}"
    return f"{value:g}"


def bounds(values, logarithmic):
    values = [value for value in values if value is not None and (value > 0 or not logarithmic)]
    if not values:
        return 1, 10
    if logarithmic:
        return 10.0 ** math.floor(math.log10(min(values))), max(values) * 1.2
    return 0, max(values) * 1.08


def bars(title, unit, groups, logarithmic=False):
    """`groups`: [(label, {series: value or None})]."""
    names = list(dict.fromkeys(name for _, values in groups for name in values))
    low, high = bounds([v for _, values in groups for v in values.values()], logarithmic)
    width = max(420, MARGIN_LEFT + MARGIN_RIGHT + len(groups) * (12 * len(names) + 14))
    canvas = Canvas(title, unit, width, 380, 96, low, high, logarithmic)
    canvas.legend(names)
    step = (width - MARGIN_LEFT - MARGIN_RIGHT) / max(1, len(groups))
    for i, (label, values) in enumerate(groups):
        x = MARGIN_LEFT + i * step
        size = (step - 10) / len(names)
        for j, name in enumerate(names):
            if values.get(name) is not None:
                canvas.bar(x + 5 + j * size, size - 1, values[name], colour(name, j))
        canvas.text(x + step / 2, canvas.floor + 12, label, "end", turn=-40)
    return canvas.svg()


def lines(title, unit, series, logarithmic=False):
    """`series`: {name: [(seconds, value)]}."""
    values = [value for points in series.values() for _, value in points]
    low, high = bounds(values, logarithmic)
    end = max([x for points in series.values() for x, _ in points], default=1) or 1
    canvas = Canvas(title, unit, 900, 320, 36, low, high, logarithmic)
    canvas.legend(series)
    span = canvas.width - MARGIN_LEFT - MARGIN_RIGHT
    for i, (name, points) in enumerate(series.items()):
        canvas.line(
            [(MARGIN_LEFT + x / end * span, max(v, low)) for x, v in points], colour(name, i))
    for k in range(6):
        anchor = "end" if k == 5 else "middle"
        canvas.text(
            MARGIN_LEFT + span * k / 5, canvas.floor + 16, f"{end * k / 5 / 60:.3g} min", anchor)
    return canvas.svg()

"""Charts as SVG, for pages that need no other program to be drawn or shown. Text takes the colour of the page."""

import html
import math

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")  # told apart by the colour-blind
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 50, 48  # margins


def ticks(low, high, most=6):
    """Round numbers from low to high, at most `most`, in steps of 1, 2 or 5 times a power of ten."""
    span = high - low or 1
    power = 10 ** math.floor(math.log10(span / most))
    step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= most - 1 + 1e-9 or s == 10)
    first = math.ceil(low / step - 1e-9)
    return [round((first + i) * step, 12) for i in range(int((high - first * step) / step + 1e-9) + 1)]


def limits(values, margin=.05):
    low, high = min(values), max(values)
    more = (high - low) * margin or abs(high) * margin or 1
    return low - more, high + more


class Chart:
    def __init__(self, title, y_label, x_limits, y_limits):
        self.x_limits, self.y_limits = x_limits, y_limits
        self.parts = []
        self.text(WIDTH / 2, 18, title, "middle", "font-weight='bold'")
        for value in ticks(*y_limits):
            y = self.y(value)
            self.parts.append(f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='currentColor' "
                              "stroke-opacity='.15'/>")
            self.text(LEFT - 6, y + 4, f"{value:g}", "end")
        self.text(14, (TOP + HEIGHT - BOTTOM) / 2, y_label, "middle",
                   f"transform='rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})'")
        self.parts.append(f"<path d='M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}' fill='none' stroke='currentColor' "
                          "stroke-opacity='.5'/>")

    def x(self, value):
        low, high = self.x_limits
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        low, high = self.y_limits
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, text, anchor, more=""):
        self.parts.append(f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {more}>{html.escape(text)}</text>")

    def x_ticks(self, label):
        for value in ticks(*self.x_limits, most=10):
            self.text(self.x(value), HEIGHT - BOTTOM + 18, f"{value:g}", "middle")
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, label, "middle")

    def line(self, points, colour, thin=False):
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        style = "stroke-width='1' stroke-opacity='.35'" if thin else "stroke-width='2.5'"
        self.parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' {style}/>")

    def legend(self, names):
        """In a row below the title, a line for each name in the order of the colours."""
        widths = [34 + 7 * len(name) for name in names]
        x = max((WIDTH - sum(widths)) / 2, LEFT)
        for i, name in enumerate(names):
            self.parts.append(f"<line x1='{x:.1f}' x2='{x + 18:.1f}' y1='{TOP - 14}' y2='{TOP - 14}' "
                              f"stroke='{colour_of(i)}' stroke-width='3'/>")
            self.text(x + 23, TOP - 10, name, "start")
            x += widths[i]

    def svg(self):
        return (f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' font-family='sans-serif' font-size='12' "
                "fill='currentColor' role='img'>" + "".join(self.parts) + "</svg>")


def colour_of(i):
    return COLOURS[i % len(COLOURS)]


def curves(title, x_label, y_label, series):
    """series: [(name, mean curve, [curve of each seed])], a curve being [(x, y)]. The mean is thick, the others thin.
    None where there is nothing to draw."""
    points = [point for _, mean, single in series for curve in [mean] + single for point in curve]
    if len({x for x, _ in points}) < 2:
        return None
    xs, ys = zip(*points)
    chart = Chart(title, y_label, (min(xs), max(xs)), limits(ys))
    chart.x_ticks(x_label)
    for i, (_, mean, single) in enumerate(series):
        for curve in single if len(single) > 1 else []:
            chart.line(curve, colour_of(i), thin=True)
        chart.line(mean, colour_of(i))
    chart.legend([name for name, _, _ in series])
    return chart.svg()


def dots(title, y_label, groups):
    """groups: [(name, [value of each run])]: a dot for each run, a bar at their mean."""
    values = [value for _, group in groups for value in group]
    chart = Chart(title, y_label, (-.5, len(groups) - .5), limits(values, .15))
    for i, (name, group) in enumerate(groups):
        chart.text(chart.x(i), HEIGHT - BOTTOM + 18, name, "middle")
        mean, half = sum(group) / len(group), 40
        chart.parts.append(f"<line x1='{chart.x(i) - half:.1f}' x2='{chart.x(i) + half:.1f}' y1='{chart.y(mean):.1f}' "
                           f"y2='{chart.y(mean):.1f}' stroke='{colour_of(i)}' stroke-width='2.5'/>")
        for k, value in enumerate(group):
            x = chart.x(i) + 12 * (k - (len(group) - 1) / 2)
            chart.parts.append(f"<circle cx='{x:.1f}' cy='{chart.y(value):.1f}' r='5' fill='{colour_of(i)}' "
                               "fill-opacity='.75'/>")
    return chart.svg()


def as_file(svg):
    """The text of a file of its own: with SVG's name, and black on white."""
    return svg.replace("<svg ", "<svg xmlns='http://www.w3.org/2000/svg' style='color:#222;background:#fff' ", 1) + "\n"

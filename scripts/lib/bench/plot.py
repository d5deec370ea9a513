"""bench.svg: one small plot for each part."""

import math
import statistics
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 460, 280, 62, 40, 16, 46
OURS, CEILING, WANTED, INK = "#1f6f8b", "#b8c4cc", "#c0392b", "#333333"


def short(value):
    return f"{value / 1000:,.0f}k" if value >= 10000 else f"{value:,.0f}"


def rounded(most):
    """The end of an axis of four steps that holds `most`."""
    step = 10 ** math.floor(math.log10(most / 4)) if most > 0 else 1
    return 4 * step * next(by for by in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10) if 4 * step * by >= most)


class Panel:
    """A frame with a title, x from 0 to `x_most` and y from 0 to what holds `y_most`."""

    def __init__(self, title, x_most, y_most):
        self.x_most, self.y_most = x_most, rounded(y_most)
        self.parts = []
        self.text(LEFT, 20, title, size=13, weight="bold")
        for step in range(5):
            value = self.y_most * step / 4
            y = self.y(value)
            self.line(LEFT, y, WIDTH - RIGHT, y, "#e4e8ea")
            self.text(LEFT - 6, y + 4, short(value), anchor="end")

    def x(self, value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_most

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.y_most

    def line(self, x1, y1, x2, y2, colour, dash=""):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
                          f' stroke="{colour}" stroke-dasharray="{dash}"/>')

    def text(self, x, y, words, anchor="start", size=11, weight="normal", colour=INK):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
                          f' font-size="{size}" font-weight="{weight}" fill="{colour}">'
                          f'{escape(words)}</text>')

    def bar(self, x, width, value, colour):
        self.parts.append(f'<rect x="{self.x(x):.1f}" y="{self.y(value):.1f}"'
                          f' width="{self.x(width) - LEFT:.1f}"'
                          f' height="{self.y(0) - self.y(value):.1f}" fill="{colour}"/>')

    def below(self, x, words, row=0):
        self.text(self.x(x), HEIGHT - BOTTOM + 16 + 14 * row, words, anchor="middle")

    def wanted_x(self, value, words):
        self.line(self.x(value), TOP, self.x(value), HEIGHT - BOTTOM, WANTED, "4 3")
        self.text(self.x(value) - 4, TOP + 12, words, anchor="end", colour=WANTED)

    def wanted_y(self, value, words):
        self.line(LEFT, self.y(value), WIDTH - RIGHT, self.y(value), WANTED, "4 3")
        self.text(WIDTH - RIGHT, self.y(value) - 4, words, anchor="end", colour=WANTED)

    def shares(self, values, colour):
        """How much of `values` is at most x."""
        ordered = sorted(values)
        points = [f"{self.x(0):.1f},{self.y(0):.1f}"]
        for at, value in enumerate(ordered):
            x = self.x(min(value, self.x_most))
            points += [f"{x:.1f},{self.y(100 * at / len(ordered)):.1f}",
                       f"{x:.1f},{self.y(100 * (at + 1) / len(ordered)):.1f}"]
        self.parts.append(f'<polyline points="{" ".join(points)}" fill="none"'
                          f' stroke="{colour}" stroke-width="2"/>')

    def key(self, *entries):
        x = LEFT
        for colour, words in entries:
            self.parts.append(f'<rect x="{x}" y="26" width="10" height="8" fill="{colour}"/>')
            self.text(x + 14, 34, words)
            x += 24 + 6 * len(words)


def entries_before(run):
    return f"{run['ledger_before'] / 1e6:.1f} M"


def rates(title, runs):
    """Bars of each run: ours before COPY, half of COPY marked; below, how full the ledger was."""
    panel = Panel(title, len(runs), max(run["ceiling"] for run in runs))
    panel.key((OURS, "rows/s"), (CEILING, "bare COPY"), (WANTED, "half of it"))
    for at, run in enumerate(runs):
        panel.bar(at + 0.1, 0.8, run["ceiling"], CEILING)
        panel.bar(at + 0.25, 0.5, run["rate"], OURS)
        half = panel.y(run["ceiling"] / 2)
        panel.line(panel.x(at + 0.1), half, panel.x(at + 0.9), half, WANTED, "4 3")
        panel.below(at + 0.5, f"{'ratio ' if at == 0 else ''}{run['ratio']:.2f}")
        panel.below(at + 0.5, entries_before(run), row=1)
    return panel


def turns(base, runs):
    """Bars of each turn: in the full ledger before in the young one; below, the one by the other."""
    panel = Panel("Rows/s in a full ledger and in a young one, in turn", len(runs),
                  max(run["rate"] for run in base + runs))
    panel.key((OURS, f"{entries_before(runs[0])} entries"),
              (CEILING, f"{entries_before(base[0])}"), (WANTED, "0.9 of it"))
    for at, (young, full) in enumerate(zip(base, runs)):
        panel.bar(at + 0.1, 0.8, young["rate"], CEILING)
        panel.bar(at + 0.25, 0.5, full["rate"], OURS)
        wanted = panel.y(young["rate"] * 0.9)
        panel.line(panel.x(at + 0.1), wanted, panel.x(at + 0.9), wanted, WANTED, "4 3")
        panel.below(at + 0.5, f"{full['rate'] / young['rate']:.2f}")
    panel.below(len(runs) / 2, "the one by the other", row=1)
    return panel


def latencies(title, ours, other, other_name, wanted_ms):
    """Shares of all, over milliseconds."""
    most = rounded(max(wanted_ms * 1.1, sorted(ours)[int(len(ours) * 0.995)] * 1000))
    panel = Panel(title, most, 100)
    panel.key((OURS, "% of all"), (CEILING, other_name))
    for values, colour in ((other, CEILING), (ours, OURS)):
        if values:
            panel.shares([value * 1000 for value in values], colour)
    panel.wanted_x(wanted_ms, f"p99 <= {wanted_ms} ms")
    for step in range(5):
        panel.below(most * step / 4, f"{most * step / 4:.0f}")
    panel.below(most / 2, "milliseconds", row=1)
    return panel


def small_files(runs):
    return latencies("50-row files while a million rows post, to visible",
                     [one for run in runs for one in run["small_seconds"]],
                     [one for run in runs for one in run["small_idle_seconds"]],
                     "nothing else going on", 1000)


def command_trips(rounds):
    return latencies("Cancel one credit on the idle system",
                     [one for each in rounds for one in each["command_seconds"]],
                     [one for each in rounds for one in each["commit_seconds"]],
                     "two bare commits", 60)


def panels(parts):
    if "posting" in parts:
        runs = parts["posting"]["runs"]
        yield rates("Rows/s beside bare COPY, run by run", runs)
        if any(run["small_seconds"] for run in runs):
            yield small_files(runs)
    if "commands" in parts:
        yield command_trips(parts["commands"]["rounds"])
    if "memory" in parts:
        yield memory(parts["memory"]["runs"])
    if "ledger" in parts:
        yield turns(parts["ledger"]["base"], parts["ledger"]["runs"])
    if "workers" in parts:
        yield workers(parts["workers"]["sets"])


def memory(runs):
    names = list(runs[0]["peaks_mib"])
    peaks = [max(run["peaks_mib"][name] for run in runs) for name in names]
    panel = Panel("Peak memory with one file of a million rows, MiB", len(names),
                  max(peaks + [100]))
    for at, (name, peak) in enumerate(zip(names, peaks)):
        panel.bar(at + 0.2, 0.6, peak, OURS)
        panel.text(panel.x(at + 0.5), panel.y(peak) - 4, f"{peak:.0f}", anchor="middle")
        panel.below(at + 0.5, name.rpartition("-")[0])
    panel.wanted_y(96, "<= 96 MiB")
    return panel


def workers(sets):
    """Median rates with each number of workers."""
    panel = Panel("Rows/s by number of credit workers", len(sets),
                  max(run["ceiling"] for one in sets for run in one["runs"]))
    panel.key((OURS, "rows/s"), (CEILING, "bare COPY"))
    for at, one in enumerate(sets):
        panel.bar(at + 0.1, 0.8, statistics.median(run["ceiling"] for run in one["runs"]), CEILING)
        rate = statistics.median(run["rate"] for run in one["runs"])
        panel.bar(at + 0.25, 0.5, rate, OURS)
        panel.text(panel.x(at + 0.5), panel.y(rate) - 4, short(rate), anchor="middle")
        panel.below(at + 0.5, f"{one['workers']} worker(s)")
    return panel


def svg(results):
    drawn = list(panels(results["parts"]))
    rows = -(-len(drawn) // 2)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * 2}" height="{HEIGHT * rows}"'
           f' viewBox="0 0 {WIDTH * 2} {HEIGHT * rows}" font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="#ffffff"/>']
    for at, panel in enumerate(drawn):
        out += [f'<g transform="translate({at % 2 * WIDTH} {at // 2 * HEIGHT})">', *panel.parts,
                "</g>"]
    return "\n".join(out + ["</svg>"]) + "\n"

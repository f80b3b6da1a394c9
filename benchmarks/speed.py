"""Writes the table and the picture of docs/performance.md, from the rates in docs/targets.md."""

import html
import pathlib
import re

from report import markdown, table_lines

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
MINIBATCH = "16"
TASKS = {
    "tagger": "tagger, a BiLSTM",
    "tagger_char": "tagger with characters",
    "treelstm": "tree LSTM",
    "rnnlm": "language model",
}
LIBRARIES = {  # the heading of its rates, what it is called, its colour
    "ours": ("DyNet 3", "#f58518"),
    "PyTorch batched": ("PyTorch, batched by hand", "#4c78a8"),
    "PyTorch example": ("PyTorch, one example at a time", "#9ecae9"),
    "dyNET38 best": ("DyNet 2, its best setting", "#a0a6ad"),
}
BEGIN, END = "<!-- begin of the table of speed -->\n", "<!-- end of the table of speed -->"
WIDTH, NAMES, FULL, BAR = 760, 190, 470, 15  # pixels: the picture, the names, the longest bar, a bar's height


def rates(page):
    """Sentences per second of each library at each task, from the table of rates in a page."""
    lines = table_lines(page.partition("## Rates")[2])
    found = {line["task"]: line for line in lines if line["minibatch"] == MINIBATCH}
    return {task: {name: _number(found[task][name]) for name in LIBRARIES} for task in TASKS if task in found}


def _number(text):
    match = re.match(r"[\d.]+", text)
    return float(match[0]) if match else None


def table(measured):
    """How many times as fast DyNet 3 is as each of the others."""
    headings = ["task", "DyNet 3", *(f"× {name}" for name, _ in list(LIBRARIES.values())[1:])]
    lines = []
    for task, found in measured.items():
        ratios = [f"{found['ours'] / rate:.1f}" if rate else "–" for rate in list(found.values())[1:]]
        lines.append([TASKS[task], f"{found['ours']:,.0f} sentences/s", *ratios])
    return markdown(headings, lines)


def picture(measured):
    """A bar for each library at each task; the longest one of a task has the full length."""
    parts, top = [], 34
    for task, found in measured.items():
        most = max(rate for rate in found.values() if rate)
        middle = top + len(found) * BAR / 2 + 4
        parts.append(
            f'<text x="{NAMES - 12}" y="{middle:g}" text-anchor="end">{html.escape(TASKS[task])}</text>'
        )
        for place, (name, rate) in enumerate(found.items()):
            if rate:
                y, length = top + place * BAR, FULL * rate / most
                colour = LIBRARIES[name][1]
                parts.append(
                    f'<rect x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{colour}"/>'
                )
                parts.append(
                    f'<text x="{NAMES + length + 6:.1f}" y="{y + 10}" class="rate">{rate:,.0f}</text>'
                )
        top += len(found) * BAR + 16
    x = 60
    for name, colour in LIBRARIES.values():
        parts.append(f'<rect x="{x}" y="{top}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 17}" y="{top + 10}" class="rate">{html.escape(name)}</text>')
        x += 32 + 6.1 * len(name)
    title = f"Training, sentences per second on one core, minibatches of {MINIBATCH}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 22}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="14" fill="#7d848d">\n'
        f"<title>{title}</title>\n<style>.rate {{ font-size: 11px; }}</style>\n"
        f'<text x="{NAMES}" y="18" font-weight="bold">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def main():
    measured = rates((DOCS / "targets.md").read_text(encoding="utf-8"))
    (DOCS / "speed.svg").write_text(picture(measured), encoding="utf-8")
    page = DOCS / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    text = f"{before}{BEGIN}{table(measured)}\n{END}{rest.partition(END)[2]}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

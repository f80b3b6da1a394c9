"""Writes the results of a run as a page, with what was tried for the lines that fall short."""

import pathlib
import re

import findings
from report import Entry, Row, markdown, table

FOLDER = pathlib.Path(__file__).resolve().parent
NOTES = FOLDER / "notes.md"
HEAD = FOLDER / "page.md"


def where(about):
    """The machine, in words."""
    if not about:
        return "nothing was measured yet"
    rates, options = about["machine"], about["options"]
    return (
        f"{about['when']}, {about['processor']}, {about['cores']} cores, "
        f"{rates['operations'] / 1e9:.1f} GFLOP/s and {rates['bytes'] / 1e9:.1f} GB/s "
        f"on {options['threads']} thread(s), {options['clock']} clock{', quick' if options['quick'] else ''}"
    )


def rows_of(fields):
    """The rows of the table of rates."""
    made = []
    for each in fields["rows"]:
        entries = [Entry(**entry) for entry in each["entries"]]
        made.append(Row(**{**each, "entries": entries}))
    return made


def read_notes(path=NOTES):
    """What notes.md says of lines, by their keys: a heading "## key, key" begins a note."""
    notes = {}
    for block in re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]:
        keys, _, text = block.partition("\n")
        for key in keys.split(","):
            notes[key.strip()] = text.strip()
    return notes


def note_of(finding, notes):
    """The note whose key is that of a finding, or fits its kind in the task or in every task."""
    task, _, rest = finding.key.partition("/")
    kind = rest.rpartition("/")[2]
    for key in (finding.key, f"{task}/*/{kind}", f"*/{kind}", task):
        if key in notes:
            return notes[key]
    return None


def shortfalls(made, notes):
    """A section for each note that some missed lines need, and one for those without a note."""
    groups = {}
    for finding in made:
        if finding.reached() is False:
            groups.setdefault(note_of(finding, notes), []).append(finding)
    parts = []
    for text, group in groups.items():
        for finding in group:
            parts.append(
                f"* **{finding.what}**, against {finding.against}: {finding.value_text()}, "
                f"target {finding.bound_text()}"
            )
        parts.append("\n" + (text or "Not explained yet.") + "\n")
    return "\n".join(parts) or "No line falls short."


def write(fields, path):
    """Writes the page."""
    import targets

    made = findings.from_fields(fields["findings"])
    rows = rows_of(fields)
    options = fields["about"]["options"]
    head = HEAD.read_text().format(
        where=f"This run: {where(fields['about'])}. {findings.summary(made)}.",
        rounds=options["rounds"],
        window=options["window"],
        known=targets.KNOWN_MACHINE,
    )
    parts = [
        head,
        "## Targets\n\n" + markdown(findings.HEADINGS, findings.lines(made)),
        "## What falls short, and why\n\n" + shortfalls(made, read_notes()),
        "## Rates\n\nSentences per second, training.\n\n" + table(rows),
    ]
    pathlib.Path(path).write_text("\n\n".join(part.rstrip() for part in parts) + "\n")

"""What the small benchmarks share: options, medians with spread, and Markdown output."""

import argparse
import statistics

from report import markdown
from worker import stay_on_cores

SAMPLES = 5


def parser(description):
    """A command line with the options of every small benchmark."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--cores", help="cores to stay on, as 0,1")
    made.add_argument("--samples", type=int, default=SAMPLES, help="runs per figure")
    return made


def parse(made):
    """Reads the command line and moves to the chosen cores."""
    arguments = made.parse_args()
    stay_on_cores(arguments.cores)
    return arguments


def sizes(text):
    """Reads a list such as 100,1000."""
    return [int(size) for size in text.split(",")]


def samples(count, measure):
    """Runs a measurement count times after one run that is thrown away."""
    measure()
    return [measure() for _ in range(count)]


def spread(values, digits=0):
    """The median and the range of values, as text."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def show(headings, lines):
    """Prints a Markdown table."""
    print(markdown(headings, lines), flush=True)

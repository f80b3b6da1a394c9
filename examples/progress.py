"""A small progress line on standard error: how far, the loss per word, words per second."""

import sys
import time


class Progress:
    """Counts words and their loss; draws a bar on a terminal, plain lines elsewhere."""

    def __init__(self, title, total, unit="words"):
        self.title, self.total, self.unit = title, total, unit
        self.words, self.loss = 0, 0.0
        self.start = self.drawn = self.now = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def add(self, words, loss):
        """Counts `words` more words, whose losses sum to `loss`."""
        self.words += words
        self.loss += loss
        self.now = time.monotonic()
        if self.now - self.drawn >= (0.1 if self.terminal else 10):
            self.drawn = self.now
            self._draw("\r" if self.terminal else "\n")

    def close(self, result=""):
        """Draws the last line, with `result` at its end."""
        self._draw("\n", result)

    @property
    def speed(self):
        """Words a second up to the last word counted, whatever was done after it."""
        return self.words / max(self.now - self.start, 1e-9)

    def _draw(self, end, result=""):
        done = self.words / self.total
        bar = "━" * round(20 * done) + " " * (20 - round(20 * done)) if self.terminal else ""
        print(
            f"{self.title} {bar}{done:4.0%}  loss {self.loss / max(self.words, 1):.4f}"
            f"  {self.speed:,.0f} {self.unit}/s  {result}",
            end=end,
            file=sys.stderr,
            flush=True,
        )

"""Writes what some examples learn from as text into a folder, where the programs in examples/cpp read it."""

import argparse
import pathlib

from data import aligned_verses, english_verses, greek_sentences, hidden_calls
from tagger import letters


def tagger():
    """A word a line: how it is written, its letters, its part of speech. An empty line ends a verse."""
    for sentences in greek_sentences():
        lines = [
            "\n".join(f"{w.text}\t{' '.join(letters(w.text))}\t{w.pos}" for w in words) for words in sentences
        ]
        yield [line + "\n" for line in lines]


def language_model():
    """A verse a line."""
    for verses in english_verses():
        yield [" ".join(verse) for verse in verses]


def treelstm(smoke):
    """The hidden name, and the tree as (kind name child child ...)."""

    def written(tree):
        return f"({' '.join([tree.kind, tree.name, *map(written, tree.children)])})"

    for examples in hidden_calls(least=5, files=50) if smoke else hidden_calls():
        yield [f"{answer}\t{written(path[-1])}" for path, answer in examples]


def attention():
    """The lemmas of a Greek verse, its morphological tags, and its translation."""
    for pairs in aligned_verses():
        yield [
            "\t".join(
                " ".join(words)
                for words in ([w.lemma for w in pair.greek], [w.morph for w in pair.greek], pair.english)
            )
            for pair in pairs
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true", help="only as many trees as a smoke run reads")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "tagger": tagger(),
        "language_model": language_model(),
        "treelstm": treelstm(chosen.smoke),
        "attention": attention(),
    }
    for name, (training, held_out) in tables.items():
        for part, lines in (("train", training), ("held_out", held_out)):
            file = chosen.folder / f"{name}.{part}"
            file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Writes a small treebank of made-up English in CoNLL-U: treebank.py FILE SENTENCES SEED."""

import random
import sys

ADJECTIVES = ("big", "small", "red", "old")
NOUNS = ("dog", "cat", "bird", "tree", "house", "child")
VERBS = ("sees", "likes", "finds", "eats")


def sentence(draw):
    """The words of a sentence: form, part of speech, head (from 1), relation."""
    words = []

    def noun_phrase(relation, verb, adjectives):
        head = len(words) + adjectives + 2
        words.append(("the", "DET", head, "det"))
        words.extend((draw.choice(ADJECTIVES), "ADJ", head, "amod") for _ in range(adjectives))
        words.append((draw.choice(NOUNS), "NOUN", verb, relation))

    adjectives = [draw.randint(0, 2) for _ in range(3)]
    verb = adjectives[0] + 3
    noun_phrase("nsubj", verb, adjectives[0])
    words.append((draw.choice(VERBS), "VERB", 0, "root"))
    noun_phrase("obj", verb, adjectives[1])
    if draw.random() < 0.5:
        words.append(("in", "ADP", len(words) + adjectives[2] + 3, "case"))
        noun_phrase("obl", verb, adjectives[2])
    words.append((".", "PUNCT", verb, "punct"))
    return words


def conllu(sentences, seed):
    """Sentences in the ten columns of Universal Dependencies."""
    draw = random.Random(seed)
    blocks = []
    for _ in range(sentences):
        lines = (
            f"{i}\t{form}\t{form}\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n"
            for i, (form, tag, head, relation) in enumerate(sentence(draw), 1)
        )
        blocks.append("".join(lines))
    return "\n".join(blocks) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        file.write(conllu(int(sys.argv[2]), int(sys.argv[3])))

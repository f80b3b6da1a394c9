"""Sphinx: the directive `dynet` writes the reference of public names into a page, from the package itself.

    ```{dynet} dynet/ops/map.h python/src/inputs.cc
    :without: one_hot
    ```

Its arguments are files, each for all public names that it declares, modules, or single names.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import public_names
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CODE = re.compile(r"(``.+?``|`[^`]+`)")
SPECIAL = re.compile(r"([\\*_<>\[\]{}$#|~^])")
NAME = re.compile(r"dy\.(\w+)(?:\(.*\))?", re.DOTALL)
BACKTICKS = "````````"


def markdown(text: str, known: set[str] = frozenset()) -> str:
    """A docstring as Markdown: words as they are, what is indented as code, names in backticks as links."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        if block.startswith("    ") and blocks and blocks[-1].startswith("    "):
            blocks[-1] += "\n\n" + block
        else:
            blocks.append(block)
    return "\n\n".join(_block(block, known) for block in blocks)


def _block(block: str, known: set[str]) -> str:
    if block.lstrip().startswith(">>> "):
        return fenced("pycon", block)
    if block.startswith("    "):
        return fenced("python" if is_program(block) else "text", block)
    return "\n".join(_line(line, known) for line in block.splitlines())


def is_program(block: str) -> bool:
    try:
        ast.parse(_dedented(block))
    except SyntaxError:
        return False
    return True


def fenced(language: str, block: str) -> str:
    return f"```{language}\n{_dedented(block)}\n```"


def _dedented(block: str) -> str:
    lines = block.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines)


def _line(line: str, known: set[str]) -> str:
    mark = re.match(r"\s*(?:[-*] )?", line)
    start = mark[0] if mark else ""
    parts = CODE.split(line[len(start) :])
    return start + "".join(
        _code(part, known) if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part) for part in parts
    )


def _code(part: str, known: set[str]) -> str:
    name = part.strip("`").removesuffix("()").removeprefix("dy.").removeprefix("dynet.")
    return "{py:obj}`" + f"{part.strip('`')} <dynet.{name}>`" if name in known else part


def link(module: str, name: str) -> str:
    return "{py:obj}`" + f"{name.lstrip('_')} <{module}.{name}>`"


def first_sentence(text: str) -> str:
    """What a table says of a name."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    found = re.match(r"(.+?(?<!e\.g)(?<!i\.e)\.)(?: |$)", paragraph)
    return found[1] if found else paragraph


def table(names: list[tuple[str, public_names.Name]], known: set[str]) -> str:
    """A line for each name, with a link to what is said of it."""
    rows = [
        f"| {link(module, each.name)} | {markdown(first_sentence(each.text), known)} |"
        for module, each in names
        if not each.name.startswith("_")
    ]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def described(module: str, each: public_names.Name, known: set[str], level: int = 0) -> str:
    """What the reference says of a name: a directive of the domain of Python, with the members inside."""
    signatures = each.signatures or [""]
    mark = BACKTICKS[level:]
    flag = {"staticmethod": ":staticmethod:\n", "classmethod": ":classmethod:\n"}.get(each.kind, "")
    kind = "method" if flag else each.kind
    own = f":module: {module}\n" if level == 0 else ""
    others = "".join(
        f"{mark}{{py:{kind}}} {each.name}{signature}\n{flag}{own}:no-index:\n{mark}\n\n"
        for signature in signatures[1:]
    )
    inside = [markdown(each.text, known)] if each.text else []
    public = [base for base in each.bases if not base.startswith("_")]
    if each.bases and level == 0:
        links = [link(module, base) for base in each.bases]
        inside.append(f"{'Is a' if public else 'Has also the methods of'} {', '.join(links)}.")
    inside += [described(module, member, known, level + 1) for member in each.members]
    if level == 0:
        inside.append(f"*Declared in* `{each.file}`")
    body = "\n\n".join(inside)
    return f"{others}{mark}{{py:{kind}}} {each.name}{signatures[0]}\n{flag}{own}\n{body}\n{mark}"


class Reference(SphinxDirective):
    """The directive `dynet`."""

    required_arguments, optional_arguments, final_argument_whitespace = 1, 0, True
    option_spec = {"without": directives.unchanged, "no-table": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        known = self.config.dynet_names
        here = {each.name for each in known["dynet"]}
        try:
            names = public_names.chosen(
                self.arguments[0].split(), self.options.get("without", "").split(), known
            )
        except ValueError as error:
            raise self.error(str(error)) from error
        on_pages = self.env.dynet_on_pages.setdefault(self.env.docname, [])
        on_pages += [f"{module}.{each.name}" for module, each in names]
        text = [] if "no-table" in self.options or len(names) < 4 else [table(names, here)]
        text += [described(module, each, here) for module, each in names]
        # Types in signatures are those of the package where a submodule has one of the same name.
        self.env.ref_context["py:module"] = "dynet"
        return self.parse_text_to_nodes("\n\n".join(text))


class Links(SphinxTransform):
    """Makes a link of each name of the package that a page has as code, such as `dy.tanh(x)`."""

    default_priority = 5

    def apply(self, **_: Any) -> None:
        known = {each.name for each in self.config.dynet_names["dynet"]}
        for literal in list(self.document.findall(nodes.literal)):
            match = NAME.fullmatch(literal.astext())
            if (
                match
                and match[1] in known
                and not isinstance(literal.parent, (nodes.reference, pending_xref))
            ):
                target = {"refdomain": "py", "reftype": "obj", "reftarget": f"dynet.{match[1]}"}
                node = pending_xref(
                    "", literal.deepcopy(), **target, refdoc=self.env.docname, refexplicit=True
                )
                literal.replace_self(node)


def remember(app: Sphinx, attribute: str) -> None:
    """Keeps a list for each page in an attribute of the environment, whichever process reads the page."""

    def begin(app: Sphinx, env: Any, *_: object) -> None:
        setattr(env, attribute, getattr(env, attribute, {}))

    def forget(app: Sphinx, env: Any, docname: str) -> None:
        getattr(env, attribute, {}).pop(docname, None)

    def merge(app: Sphinx, env: Any, docnames: list[str], other: Any) -> None:
        found = getattr(other, attribute)
        getattr(env, attribute).update({name: found[name] for name in docnames if name in found})

    app.connect("env-purge-doc", forget)
    app.connect("env-before-read-docs", begin)
    app.connect("env-merge-info", merge)


def _complete(app: Sphinx, env: Any) -> None:
    """Every public name is on a page, and on one page only."""
    pages = [name for names in env.dynet_on_pages.values() for name in names]
    if wrong := public_names.misplaced(pages, app.config.dynet_names):
        raise ExtensionError(wrong)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("dynet_names", public_names.by_module(), "env", [dict])
    app.add_directive("dynet", Reference)
    app.add_transform(Links)
    remember(app, "dynet_on_pages")
    app.connect("env-check-consistency", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}

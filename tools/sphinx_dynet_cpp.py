"""Sphinx: the directive `dynet-cpp` writes into a page what headers offer to programs, as Doxygen reads them.

    ```{dynet-cpp} dynet/nn/lstm.h engine::Handle
    ```

Its arguments are headers, each for all public names that it declares, and single names. What has no comment,
but a name that Python has too, says what the documentation says there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import cpp_names
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx_dynet import first_sentence, link, markdown, remember

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# The kinds of Doxygen as directives of Sphinx, and what these have in front by themselves.
KINDS = {
    "class": ("class", "class "),
    "struct": ("struct", "struct "),
    "function": ("function", ""),
    "typedef": ("type", "using "),
    "enum": ("enum", "enum "),
    "variable": ("var", ""),
}
IN_PYTHON = {"sum": "esum", "max": "emax", "min": "bmin"}  # Names that differ.


def described(each: cpp_names.CppName, texts: dict[str, str], level: int = 0) -> str:
    """What the reference says of a name, with the members inside."""
    kind, front = KINDS[each.kind]
    template, declaration = "", each.declaration
    if declaration.startswith("template <"):
        template, _, declaration = declaration.partition("> ")
        template += "> "
    if declaration.startswith("enum class "):
        kind, front = "enum-class", "enum class "
    declaration = declaration.removeprefix(front)
    inside = [markdown(each.text)] if each.text else []
    if level == 0 and not each.text:
        name = IN_PYTHON.get(each.name, each.name) if each.kind == "function" else each.name
        if name in texts:
            inside.append(f"{markdown(first_sentence(texts[name]))} In Python {link('dynet', name)}.")
    inside += [described(member, texts, level + 1) for member in each.members]
    mark = "`" * (7 - level)
    body = "\n\n".join(inside)
    option = ":no-contents-entry:\n" if level else ""
    return f"{mark}{{cpp:{kind}}} {template}{declaration}\n{option}\n{body}\n{mark}"


class CppReference(SphinxDirective):
    """The directive `dynet-cpp`."""

    required_arguments, optional_arguments, final_argument_whitespace = 1, 0, True

    def run(self) -> list[nodes.Node]:
        if not self.config.dynet_cpp_names:
            return self.parse_text_to_nodes(f"*{cpp_names.MISSING}*")
        texts = {each.name: each.text for each in self.config.dynet_names["dynet"]}
        parts = []
        for argument in self.arguments[0].split():
            meant = [each for each in self.config.dynet_cpp_names if argument in (each.file, each.name)]
            if not meant:
                raise self.error(f"{argument} is neither a header nor a name of one")
            on_pages = self.env.dynet_cpp_on_pages.setdefault(self.env.docname, [])
            on_pages += [each for each in meant if each not in on_pages]
            if argument.endswith(".h") and not argument.startswith("dynet/ops/"):
                parts.append(f"`{argument}`: {markdown(cpp_names.sentence(argument))}")
            parts += ["```{cpp:namespace} dynet\n```", *(described(each, texts) for each in meant)]
        return self.parse_text_to_nodes("\n\n".join(parts))


def _complete(app: Sphinx, env: Any) -> None:
    """Every public name is on a page."""
    on_pages = [each for found in env.dynet_cpp_on_pages.values() for each in found]
    missing = sorted({each.name for each in app.config.dynet_cpp_names if each not in on_pages})
    if missing:
        raise ExtensionError(f"on no page of the C++ reference: {', '.join(missing)}")


def setup(app: Sphinx) -> dict[str, Any]:
    if not cpp_names.is_there():
        print(f"{cpp_names.MISSING} The rest is built.", file=sys.stderr)
    app.add_config_value("dynet_cpp_names", cpp_names.names() if cpp_names.is_there() else [], "env", [list])
    app.add_directive("dynet-cpp", CppReference)
    remember(app, "dynet_cpp_on_pages")
    app.connect("env-check-consistency", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}

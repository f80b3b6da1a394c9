"""What the C++ headers offer, as Doxygen reads them: the names of the namespace dynet."""

from __future__ import annotations

import functools
import inspect
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """
INPUT = dynet
RECURSIVE = YES
FILE_PATTERNS = *.h
EXCLUDE = dynet/cpu
OUTPUT_DIRECTORY = "{folder}"
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
EXTRACT_ALL = YES
MARKDOWN_SUPPORT = NO
AUTOLINK_SUPPORT = NO
QUIET = YES
WARNINGS = NO
"""
MISSING = "The C++ reference needs Doxygen: install doxygen (Debian, Ubuntu: apt install doxygen)."
LEFT_OUT = re.compile(r"^~|= ?delete$|^operator=$|^doc$")
ATTRIBUTES = re.compile(r"\[\[\w+\]\] ?|\b(?:constexpr|inline|virtual|explicit|friend) ")


class CppName(NamedTuple):
    """A class, function, type or variable. The members of a class are names as well."""

    name: str  # without the namespace dynet
    kind: str  # class, struct, function, typedef, enum, variable
    declaration: str
    text: str
    file: str
    members: list[CppName]


def is_there() -> bool:
    return shutil.which("doxygen") is not None


@functools.cache
def names(root: Path = ROOT) -> list[CppName]:
    """All public names, and the classes of dynet::engine that are bases of them, by name."""
    with tempfile.TemporaryDirectory() as folder:
        settings = SETTINGS.format(folder=folder)
        subprocess.run(["doxygen", "-"], input=settings, cwd=root, text=True, check=True, capture_output=True)
        return sorted(_read(Path(folder) / "xml"), key=lambda each: each.name.lower())


def sentence(header: str) -> str:
    """What a header says of itself in its first lines."""
    comment = re.match(r"(?:// ?.*\n)+?(?=//\n|[^/]|$)", (ROOT / header).read_text(encoding="utf-8"))
    return " ".join(re.sub(r"^// ?", "", comment[0], flags=re.MULTILINE).split()) if comment else ""


def _read(folder: Path) -> Iterator[CppName]:
    bases: set[str] = set()
    namespace = _compound(folder / "namespacedynet.xml")
    inner = [each for each in namespace.findall("innernamespace") if _plain(each) != "dynet::engine"]
    for space in (namespace, *(_compound(folder / f"{each.get('refid')}.xml") for each in inner)):
        within = _plain(space.find("compoundname")).removeprefix("dynet").removeprefix("::")
        for each in space.findall("innerclass"):
            compound = _compound(folder / f"{each.get('refid')}.xml")
            yield _class(compound)
            bases.update(
                base.get("refid", "") for base in _public_bases(compound) if "engine" in _plain(base)
            )
        for member in _members(space):
            yield member._replace(name=f"{within}::{member.name}" if within else member.name)
    for reference in sorted(bases):
        yield _class(_compound(folder / f"{reference}.xml"))


def _compound(path: Path) -> ElementTree.Element:
    found = ElementTree.parse(path).getroot().find("compounddef")
    assert found is not None
    return found


def _public_bases(compound: ElementTree.Element) -> list[ElementTree.Element]:
    return [base for base in compound.findall("basecompoundref") if base.get("prot") == "public"]


def _plain(element: ElementTree.Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _text(element: ElementTree.Element) -> str:
    """What the comment says, its paragraphs apart."""
    texts = [
        _plain(part) for kind in ("briefdescription", "detaileddescription") for part in element.findall(kind)
    ]
    return "\n\n".join(text for text in texts if text)


def _own_text(compound: ElementTree.Element) -> str:
    """What a class says of itself in its member `doc`, which Python shows too, but for the examples."""
    for element in compound.findall("sectiondef/memberdef"):
        initial = element.find("initializer")
        if _plain(element.find("name")) == "doc" and initial is not None:
            literal = re.search(r'R"\((.*)\)"|"(.*)"', "".join(initial.itertext()), re.DOTALL)
            text = inspect.cleandoc((literal[1] or literal[2]) if literal else "")
            return "\n\n".join(block for block in text.split("\n\n") if not block.startswith(">>>"))
    return ""


def _tidy(code: str) -> str:
    """A declaration as it is written here: `const Dim& d = {}`, not `const Dim &d={}`."""
    code = ATTRIBUTES.sub("", re.sub(r"\s+", " ", code)).replace("dynet::", "").strip()
    code = re.sub(r" ([&*]+) (?=\w)", r"\1 ", code)
    code = re.sub(r" ([&*]+)(?=[\w.(,)>=]|$)", r"\1 ", code)
    code = re.sub(r"([&*]) (?=[,)>]|$)", r"\1", re.sub(r"< ", "<", re.sub(r" (?=>)", "", code)))
    return re.sub(r"(?<![=<>!])=(?![=])", " = ", code).replace("  ", " ").replace("operator = ", "operator=")


def _template(element: ElementTree.Element) -> str:
    parameters = element.findall("templateparamlist/param")
    if not parameters:
        return ""
    names = [f"{_plain(p.find('type'))} {_plain(p.find('declname'))}".strip() for p in parameters]
    return f"template <{', '.join(names)}> "


def _class(compound: ElementTree.Element) -> CppName:
    name = _plain(compound.find("compoundname")).removeprefix("dynet::")
    bases = [_plain(base) for base in _public_bases(compound)]
    after = f" : public {', public '.join(bases)}" if bases else ""
    kind = compound.get("kind", "class")
    declaration = _tidy(f"{_template(compound)}{kind} {name}{after}")
    members = {each.declaration: each for each in _members(compound) if not LEFT_OUT.search(each.name)}
    text = _text(compound) or _own_text(compound)
    return CppName(name, kind, declaration, text, _file(compound), [*members.values()])


def _file(element: ElementTree.Element) -> str:
    location = element.find("location")
    return "" if location is None else location.get("declfile") or location.get("file", "")


def _members(compound: ElementTree.Element) -> Iterator[CppName]:
    for element in compound.findall("sectiondef/memberdef"):
        name, kind = _plain(element.find("name")), element.get("kind", "")
        if (
            element.get("prot") != "public"
            or kind == "friend"
            or LEFT_OUT.search(_plain(element.find("argsstring")))
        ):
            continue
        declaration, text = _tidy(_declaration(element, name, kind)), _text(element)
        if values := [_plain(value.find("name")) for value in element.findall("enumvalue")]:
            text += f"\n\n`{'`, `'.join(values)}`"
        yield CppName(name, kind, declaration, text.strip(), _file(element), [])


def _declaration(element: ElementTree.Element, name: str, kind: str) -> str:
    type_, arguments = _plain(element.find("type")), _plain(element.find("argsstring"))
    static = "static " if element.get("static") == "yes" and kind == "function" else ""
    arguments = re.sub(r"(?<=\))([\w ]*?) ?(?:override|final|= ?0|= ?default)+$", r"\1", arguments)
    if kind == "enum":
        return f"enum {'class ' if element.get('strong') == 'yes' else ''}{name}"
    if kind == "typedef":
        return f"{_template(element)}using {name} = {type_}"
    initial = f" {_plain(element.find('initializer'))}" if kind == "variable" else ""
    initial = "" if "{" in initial and len(initial) > 20 else initial
    return f"{_template(element)}{static}{type_} {name}{arguments}{initial}"

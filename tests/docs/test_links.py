"""Links between the pages of the repository lead somewhere; so do those of the built site, or it is told."""

import pathlib
import re
import urllib.parse

import pytest
import site_links
import sources

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = ["benchmarks/page.md"]  # Their links are those of the page that is made from them.
PAGES = [path for path in sources.sources(ROOT, {".md"}) if str(path) not in TEMPLATES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")


def links(text):
    """The targets of links, but for those in programs."""
    return LINK.findall(re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text):
    """The places of a page: its headings, as Markdown's readers name them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page):
    """The links of a page that lead nowhere."""
    for link in links(page.read_text(encoding="utf-8")):
        parts = urllib.parse.urlsplit(link)
        if parts.scheme:
            continue
        target = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
        if not target.exists():
            yield f"{link}: there is no such file"
        elif parts.fragment and parts.fragment not in anchors(target.read_text(encoding="utf-8")):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page(page):
    assert list(dead_links(ROOT / page)) == []


def test_the_page_of_a_registry_has_no_dead_links():
    tomllib = pytest.importorskip("tomllib")
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert links(text)
    for each in tools["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    assert [link for link in links(text) if not urllib.parse.urlsplit(link).scheme] == []
    assert "[" not in re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def test_dead_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A b, c\n[x](page.md#a-b-c) [y](no.md) ![z](#a) [w](https://a.b/c)\n```\n[v](no)\n```\n"
    )
    assert list(dead_links(page)) == ["no.md: there is no such file", "#a: there is no such heading"]


def test_dead_links_of_the_site_are_found(tmp_path):
    (tmp_path / "b.html").write_text('<h1 id="there">')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there"><a href="b.html#no"><a href="c.html"><a href="https://a.b/">'
        '<script src="https://a.b/c.js"></script><img src="b.html"><a id="x" href="#x">'
    )
    assert site_links.dead_links(tmp_path) == [
        "a.html: b.html#no leads to no place of that page",
        "a.html: c.html leads to no file",
        "a.html: https://a.b/c.js would be fetched from the network",
    ]

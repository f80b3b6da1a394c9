"""Fails where a link of the built site leads nowhere: site_links.py FOLDER."""

from __future__ import annotations

import html.parser
import sys
import urllib.parse
from pathlib import Path


class Page(html.parser.HTMLParser):
    """The anchors of a page, what it links to, and what it must fetch to be shown."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)
            elif (name == "src" or (tag == "link" and name == "href")) and value:
                self.fetched.append(value)


def dead_links(folder: Path) -> list[str]:
    """A line for each link to what is not there, and for what would be fetched from elsewhere."""
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    found = []
    for path, page in sorted(pages.items()):
        for link in [*page.links, *page.fetched]:
            parts = urllib.parse.urlsplit(link)
            where = f"{path.relative_to(folder.resolve())}: {link}"
            if parts.scheme or parts.netloc:
                if link in page.fetched and parts.scheme != "data":
                    found.append(f"{where} would be fetched from the network")
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{where} leads to no file")
            elif not has_anchor(pages.get(target), urllib.parse.unquote(parts.fragment)):
                found.append(f"{where} leads to no place of that page")
    return found


def has_anchor(page: Page | None, anchor: str) -> bool:
    return not anchor or page is None or anchor in page.anchors


def main() -> int:
    found = dead_links(Path(sys.argv[1]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

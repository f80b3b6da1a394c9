"""docs/migration.md tells of every name of DyNet 2, and its table is up to date."""

import migration_doc


def test_the_page_is_up_to_date():
    text = migration_doc.TARGET.read_text(encoding="utf-8")
    assert migration_doc.written(text) == text, "run: python tools/migration_doc.py"


def test_every_name_is_there():
    names = [name for name, _ in migration_doc.entries()]
    assert len(names) == len(set(names)) == 211
    assert set(migration_doc.notes()) < set(names)


def test_the_shim_leads_to_this_package():
    tomllib = __import__("pytest").importorskip("tomllib")
    read = lambda path: tomllib.loads((migration_doc.ROOT / path).read_text())["project"]  # noqa: E731
    ours, shim = read("pyproject.toml"), read("shims/dyNET38/pyproject.toml")
    assert ours["name"] == "dynet" and shim["dependencies"] == ["dynet>=3.0.0.dev0"]
    assert shim["version"] == ours["version"]

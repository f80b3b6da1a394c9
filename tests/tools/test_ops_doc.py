"""docs/ops.md is what the package says of its operations."""

import ops_doc


def test_up_to_date():
    assert ops_doc.TARGET.read_text(encoding="utf-8") == ops_doc.reference(), "run: python tools/ops_doc.py"

"""The table and the picture of speed are what the table of rates says."""

import speed

PAGE = """# Page
## Rates

| task | minibatch | ours | ours, C++ | dyNET38 best | PyTorch example | PyTorch batched |
| --- | --- | --- | --- | --- | --- | --- |
| tagger | 1 | 9 | 9 | 9 (plain) | 9 | 9 |
| tagger | 16 | 1000 | 9 | 250 (autobatch 1) | 100 | not available |
"""


def test_rates():
    measured = speed.rates(PAGE)
    assert measured == {
        "tagger": {"ours": 1000, "PyTorch batched": None, "PyTorch example": 100, "dyNET38 best": 250}
    }
    assert (
        speed.table(measured).splitlines()[2] == "| tagger, a BiLSTM | 1,000 sentences/s | – | 10.0 | 4.0 |"
    )
    picture = speed.picture(measured)
    assert 'width="470.0"' in picture and 'width="117.5"' in picture and 'width="47.0"' in picture


def test_up_to_date():
    measured = speed.rates((speed.DOCS / "targets.md").read_text(encoding="utf-8"))
    assert set(measured) == set(speed.TASKS)
    assert (speed.DOCS / "speed.svg").read_text(encoding="utf-8") == speed.picture(measured)
    assert speed.table(measured) in (speed.DOCS / "performance.md").read_text(encoding="utf-8")

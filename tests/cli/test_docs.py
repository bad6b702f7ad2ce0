"""What the documents say must be what the program says."""

from pathlib import Path

from program import tieout

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_layers_md_is_what_the_records_say():
    """`./dev build` writes it; this fails when it was not committed."""
    assert tieout("layers", "--markdown").stdout == (DOCS / "layers.md").read_text()

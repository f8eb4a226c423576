"""What lays a price or a part over a catalog keeps all else of it: bundles, replaced ids, its hash."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from catalogs.load import Catalog, load
from optimizer.result.build_file import read

BUNDLE = (
    "id,parts,price,currency,date,condition,confidence,seller,source\n"
    "kit,2*samsung-pm1743-3.84tb,100.00,USD,2026-11-20,new,list,s,test\n"
)


def test_a_build_with_parts_of_its_own_keeps_the_catalogs_bundles(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bundles.csv").write_text(BUNDLE)
    catalog = load([tmp_path / "mine"])
    path = tmp_path / "build.toml"
    text = Path("examples/guide-entry.toml").read_text(encoding="utf-8")
    own = '\n[[raw]]\nkind = "cooling"\nid = "my-fan"\nmedium = "air"\nrole = "fans"\nprice_usd = "5"\n'
    for more in ("", own):
        path.write_text(text + more, encoding="utf-8")
        found = read(path, catalog, None, "2026-11-24")[0]
        assert set(found.bundles) == {"kit"}
        same = {f.name for f in fields(Catalog)} - {"parts", "offers"}
        assert all(getattr(found, name) == getattr(catalog, name) for name in same)
        assert catalog.parts.items() <= found.parts.items()

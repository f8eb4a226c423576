"""`check` of a machine that exists: what can't be bought and what is not known of it are warnings, what does not work
fails. `solve` and saved results stay as strict as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Memory
from constraints.build import UNKNOWABLE, Build
from constraints.request import Request
from optimizer.library import check, read_build
from optimizer.library.opening import shipped_catalog
from optimizer.result.schema import Checked
from tests.support import commands

NODE = {
    "nvidia-hgx-h200-8-gpu-baseboard": 1,
    "supermicro-sys-821ge-tnhr": 1,
    "intel-xeon-platinum-8592-plus": 2,
    "samsung-m321ryga0pb2-ccpkc": 16,
    "samsung-pm1743-7.68tb": 2,
    "nvidia-connectx-6-lx-25g-2-port": 1,
}
MODULE = "samsung-m321ryga0pb2-ccpkc"
ASKED = Request(
    model="llama-2-70b", as_of=date(2026, 11, 24), have=("racks", "network"), conditions=("new", "used"), grade="floor",
)  # fmt: skip
"""As the command judges a machine that exists: by what makes it work."""


def judged(
    catalog: Catalog, node: dict[str, int], *, exists: bool = True, asked: Request = ASKED, **open_: Any
) -> Checked:
    return check(Build(1, node, {}, **open_), asked, catalog=catalog, exists=exists)


def said(found: Checked, rule: str, status: str) -> list[str]:
    return [str(x.text) for x in found.checks if x.rule == rule and x.status == status]


def without_offers(catalog: Catalog, *parts: str) -> Catalog:
    return replace(catalog, offers={part: of for part, of in catalog.offers.items() if part not in parts})


def test_the_machine_itself_passes(shipped: Catalog) -> None:
    """Else what the tests below find would be of another fault."""
    found = judged(shipped, NODE)
    assert found.ok, [x.text for x in found.checks if x.status == "fail"]
    assert found.total is not None and not found.unpriced


@pytest.mark.parametrize("part", NODE)
def test_a_part_without_an_offer_is_a_warning(shipped: Catalog, part: str) -> None:
    """The sum is that of the others and says so; a build that is to be bought fails for it."""
    whole = judged(shipped, NODE)
    catalog = without_offers(shipped, part)
    found = judged(catalog, NODE)
    assert found.ok and found.unpriced == [part]
    assert any(part in text for text in said(found, "procurement", "warn"))
    assert found.total is not None and whole.total is not None and 0 < float(found.total) < float(whole.total)
    bought = judged(catalog, NODE, exists=False)
    assert not bought.ok and any(part in text for text in said(bought, "procurement", "fail"))


def test_where_nothing_has_a_price_there_is_no_sum(shipped: Catalog) -> None:
    """Unknown is null, never 0.00."""
    found = judged(without_offers(shipped, *NODE), NODE)
    assert found.ok and sorted(found.unpriced) == sorted(NODE)
    assert found.total is None and found.net is None


def test_prices_that_are_not_fresh_are_a_warning(shipped: Catalog) -> None:
    later = ASKED.model_copy(update={"as_of": date(2029, 1, 1)})
    found = judged(shipped, NODE, asked=later)
    assert found.ok
    (text,) = [text for text in said(found, "procurement", "warn") if "fresh" in text]
    assert all(part in text for part in NODE)


def test_drives_in_bays_that_nobody_states_are_not_judged(shipped: Catalog) -> None:
    """A machine that exists has some; one that is to be bought has none that is known to take them."""
    chassis = shipped.parts["supermicro-sys-821ge-tnhr"]
    bare = chassis.model_copy(update={"nvme_bays": 0, "m2_slots": 0, "sata_bays": 0})
    catalog = replace(shipped, parts={**shipped.parts, chassis.id: bare})
    found = judged(catalog, NODE)
    assert found.ok and said(found, "fit", "warn") == [f"not judged: the drive bays of {chassis.name} are not known"]
    (fault,) = said(judged(catalog, NODE, exists=False), "fit", "fail")
    assert fault == "no bay for PM1743 7.68TB: which the server has is not known"
    assert not said(judged(shipped, NODE), "fit", "warn")


def test_what_the_buyer_bars_still_fails(shipped: Catalog) -> None:
    barred = ASKED.model_copy(update={"exclude": ("intel-xeon-platinum-8592-plus",)})
    found = judged(shipped, NODE, asked=barred)
    assert said(found, "procurement", "fail") == ["intel-xeon-platinum-8592-plus: excluded by --exclude"]


def test_a_budget_is_not_kept_where_prices_are_unknown(shipped: Catalog) -> None:
    """Of a sum that is at least so much nothing passes, and what exceeds the budget already fails."""
    catalog = without_offers(shipped, "nvidia-hgx-h200-8-gpu-baseboard")
    for budget, status in ((10**9, "warn"), (1000, "fail")):
        found = judged(catalog, NODE, asked=ASKED.model_copy(update={"budget_cents": budget}))
        assert [x.status for x in found.checks if x.rule == "budget"] == [status]
    known = judged(shipped, NODE, asked=ASKED.model_copy(update={"budget_cents": 10**9}))
    assert [x.status for x in known.checks if x.rule == "budget"] == ["pass"]


@pytest.mark.parametrize(
    ("modules", "status"),
    [(2, "warn"), (4, "warn"), (8, "warn"), (12, "warn"), (24, "warn"), *((n, "fail") for n in (10, 15, 20, 28))],
)
def test_what_population_guides_list_is_a_warning(shipped: Catalog, modules: int, status: str) -> None:
    """Two Xeons of eight channels: 1, 2, 4, 6, 8, 12 or 16 modules each (constraints/data/populations.csv)."""
    found = judged(shipped, {**NODE, MODULE: modules})
    spread = [x.status for x in found.checks if x.rule == "host_memory" and x.unit == "modules"]
    assert spread == [status]


@pytest.mark.parametrize("modules", [12, 24])
def test_what_is_bought_is_spread_evenly(shipped: Catalog, modules: int) -> None:
    found = judged(shipped, {**NODE, MODULE: modules}, exists=False)
    assert said(found, "host_memory", "fail")


def test_every_slot_filled_is_what_slots_are_for(shipped: Catalog) -> None:
    """Twelve channels and eighteen slots for each CPU: no guide lists such a number."""
    parts = dict(shipped.parts)
    chassis = parts["supermicro-as-8125gs-tnhr"]
    parts[chassis.id] = chassis.model_copy(update={"dimm_slots": 36})
    node = {
        **{part: qty for part, qty in NODE.items() if "xeon" not in part and "sys-821" not in part},
        chassis.id: 1, "amd-epyc-9554": 2, MODULE: 36,
    }  # fmt: skip
    found = judged(replace(shipped, parts=parts), node)
    assert [x.status for x in found.checks if x.rule == "host_memory" and x.unit == "modules"] == ["warn"]


def test_modules_of_several_makers_are_a_warning_and_of_several_sizes_a_failure(shipped: Catalog) -> None:
    node = {part: qty for part, qty in NODE.items() if part != MODULE}
    alike = judged(shipped, {**node, MODULE: 13, "samsung-m321ryga0pb0-cwm": 3})
    assert alike.ok and any("several makers" in text for text in said(alike, "host_memory", "warn"))
    unlike = judged(shipped, {**node, MODULE: 13, "samsung-m321r8ga0pb0-cwmkj": 3})
    assert any("must be equal" in text for text in said(unlike, "host_memory", "fail"))
    assert not judged(shipped, {**node, MODULE: 13, "samsung-m321ryga0pb0-cwm": 3}, exists=False).ok


RULE_OF = {"memory": "host_memory", "drive": "storage", "nic": "interconnect", "psu": "power", "cooling": "fit"}
TOWER = {
    "nvidia-rtx-pro-6000-blackwell-max-q-96gb": 4,
    "asus-pro-ws-wrx90e-sage-se-plus-tower": 1,
    "amd-threadripper-pro-7965wx": 1,
    "samsung-m321r4ga3eb0-cwm": 8,
    "samsung-9100-pro-4tb": 1,
    "silverstone-xe360-tr5": 1,
    "be-quiet-dark-power-pro-13-1600-w": 2,
}


@pytest.mark.parametrize("kind", UNKNOWABLE)
def test_what_is_not_known_is_not_judged(shipped: Catalog, kind: str) -> None:
    """Left out it fails (but for cards, of which the board has ports), called unknown it is said to be not judged."""
    asked = ASKED.model_copy(update={"model": "r1-distill-llama-70b"})
    assert judged(shipped, TOWER, asked=asked).ok
    rest = {part: qty for part, qty in TOWER.items() if shipped.parts[part].kind.value != kind}
    if kind != "nic":
        assert said(judged(shipped, rest, asked=asked), RULE_OF[kind], "fail")
    found = judged(shipped, rest, asked=asked, unknown=frozenset({kind}))
    assert found.ok, [x.text for x in found.checks if x.status == "fail"]
    if kind != "cooling":
        assert [text for text in said(found, RULE_OF[kind], "warn") if text.startswith("not judged")]


@pytest.mark.parametrize(("gb", "ok"), [(2048, True), (200, False)])
def test_memory_of_which_only_the_capacity_is_known(shipped: Catalog, gb: int, ok: bool) -> None:
    """20 % of 8 x 141 GB are 225.6 GB; how it is spread is not judged."""
    node = {part: qty for part, qty in NODE.items() if part != MODULE}
    found = judged(shipped, node, unknown=frozenset({"memory"}), memory_gb=gb)
    assert found.ok is ok and any(text.startswith("not judged") for text in said(found, "host_memory", "warn"))


@pytest.mark.parametrize(("gb", "ok"), [(2000, True), (500, False)])
def test_drives_of_which_only_the_capacity_is_known(shipped: Catalog, gb: int, ok: bool) -> None:
    """Two copies of 138 GB, 200 GB for the system and a fifth on top."""
    node = {part: qty for part, qty in NODE.items() if "pm1743" not in part}
    found = judged(shipped, node, unknown=frozenset({"drive"}), storage_gb=gb)
    assert found.ok is ok


def test_a_file_says_what_is_not_known(tmp_path: Path) -> None:
    head = 'model = "llama-2-70b"\nhave = ["racks", "network"]\n'
    text = head + 'unknown = ["nic"]\nmemory_gb = 2048\nstorage_gb = 2000\n[parts]\n'
    parts = {part: qty for part, qty in NODE.items() if isinstance(shipped_catalog().parts[part], Memory) is False}
    parts = {part: qty for part, qty in parts.items() if "connectx" not in part and "pm1743" not in part}
    file = tmp_path / "node.toml"
    file.write_text(text + "\n".join(f'"{part}" = {qty}' for part, qty in parts.items()), encoding="utf-8")
    _, _, [(name, build)] = read_build(file)
    assert (name, build.memory_gb, build.storage_gb) == ("node", 2048, 2000)
    assert build.unknown == {"memory", "drive", "nic"}
    done = commands.dsopt("check", str(file), "--as-of", "2026-11-24")
    assert done.stdout.count("not judged") == 3
    file.write_text(file.read_text(encoding="utf-8") + f'\n"{MODULE}" = 16\n', encoding="utf-8")
    with pytest.raises(InputError, match="unknown"):
        read_build(file)


def test_a_part_of_ones_own_without_a_price_costs_at_least(tmp_path: Path) -> None:
    """It counts a cent, so that mending can keep it; no sum of `check` holds that cent."""
    file = tmp_path / "node.toml"
    lines = [f'"{part}" = {qty}' for part, qty in NODE.items() if "pm1743" not in part]
    row = '[[raw]]\nkind = "drive"\nid = "mine"\nmedia = "nvme"\nforms = ["U.2"]\n'
    row += "capacity_gb = 7680\nread_mb_s = 14000\npower_w = 20"
    head = 'model = "llama-2-70b"\nhave = ["racks", "network"]\n[parts]\n"mine" = 1\n'
    file.write_text(head + "\n".join(lines) + "\n" + row, encoding="utf-8")
    catalog, asked, [(_, build)] = read_build(file, as_of="2026-11-24")
    found = check(build, asked, catalog=catalog, exists=True)
    assert found.unpriced == ["mine"]
    rest = {part: qty for part, qty in build.node.items() if part != "mine"}
    assert found.total == check(Build(1, rest, {}), asked, catalog=catalog, exists=True).total
    done = commands.dsopt("check", str(file), "--as-of", "2026-11-24", "--lang", "zh")
    assert "至少" in done.stdout and "价格未知" in done.stdout

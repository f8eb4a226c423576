"""Realistic catalogs of any size: the shipped one, cut down or with perturbed siblings of its parts.

`python -m benchmarks.scale.generate 10000 FOLDER --seed 1` writes CSV files that `load(base=FOLDER)` reads. Siblings
are what a distributor's list is full of: the same card of another board partner, the next speed grade, a neighbouring
capacity, a supply of another efficiency, each with about three offers of other sellers, days, conditions and
confidences. Every figure of a sibling is synthetic, and its source column says so. A catalog smaller than the shipped
one keeps, for each of its GPUs, a chassis that holds it and the parts that such a node needs.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

from catalogs.load import SHIPPED, Catalog, load
from catalogs.schema import Cooling, Cpu, Gpu, GpuBoard, Kind, Link, Memory, Nic, Part, Platform, Psu, Switch
from constraints.rules.fit import (
    cooler_fits,
    cpu_fits,
    gpu_fits,
    memory_fits,
    needs_cooler,
    needs_cpu,
    needs_psu,
    psu_fits,
)

Row = dict[str, str]
AS_OF = date(2026, 11, 24)
SYNTHETIC = "synthetic sibling, no published source"
SHARES = {
    "gpus": 4, "gpu_boards": 2, "platforms": 14, "systems": 2, "cpus": 17, "memory": 20, "drives": 14, "nics": 9,
    "psus": 12, "cooling": 2, "switches": 2, "links": 1, "racks": 0.5, "pdus": 0.5,
}  # fmt: skip
"""How siblings are spread over the files, percent: modules, CPUs, chassis and drives are what long lists hold."""
PARTNERS = ("ASUS", "Gigabyte", "MSI", "PNY", "Leadtek", "Inno3D", "Zotac", "Palit", "Supermicro", "ASRock")
SELLERS = tuple(f"distributor {c}" for c in "ABCDEFGH")
USED = {"new": 1.0, "refurbished": 0.75, "used": 0.55}


def scaled(name: str, low: float, high: float) -> Callable[[Row, random.Random], None]:
    """Of one sibling in three multiplies a whole figure by a factor between `low` and `high`; a blank one stays."""

    def change(row: Row, r: random.Random) -> None:
        if row.get(name) and r.random() < 1 / 3:
            row[name] = str(max(1, round(float(row[name]) * r.uniform(low, high))))

    return change


def stepped(name: str, steps: tuple[float, ...]) -> Callable[[Row, random.Random], None]:
    """Multiplies a whole figure by one of `steps`."""

    def change(row: Row, r: random.Random) -> None:
        if row.get(name) not in ("", "0", None):
            row[name] = str(max(1, round(float(row[name]) * r.choice(steps))))

    return change


def one_of(name: str, values: tuple[str, ...]) -> Callable[[Row, random.Random], None]:
    """Sometimes replaces a cell."""

    def change(row: Row, r: random.Random) -> None:
        if row.get(name):
            row[name] = r.choice((row[name], row[name], *values))

    return change


CHANGES: dict[str, tuple[Callable[[Row, random.Random], None], ...]] = {
    "gpus": (stepped("tdp_w", (1, 1, 1, 0.97, 1.03)), stepped("fp16_tflops", (1, 1, 1, 1, 1.02))),
    "platforms": (
        scaled("overhead_w", 0.9, 1.15), scaled("weight_kg", 0.95, 1.05), stepped("nvme_bays", (1, 1, 2, 0.5)),
        stepped("nic_slots", (1, 1, 1, 2)), one_of("cpu_max_w", ("350", "400")),
    ),
    "cpus": (stepped("cores", (1, 1, 0.75, 1.25)), scaled("tdp_w", 0.95, 1.08)),
    "memory": (stepped("capacity_gb", (1, 1, 1, 0.5, 2)), one_of("power_w", ("6", "8", "10"))),
    "drives": (stepped("capacity_gb", (1, 1, 2, 0.5)), scaled("read_mb_s", 0.9, 1.1), scaled("power_w", 0.9, 1.2)),
    "nics": (scaled("power_w", 0.9, 1.15),),
    "psus": (one_of("efficiency", ("Platinum", "Titanium", "Gold")),),
    "cooling": (scaled("capacity_w", 0.97, 1.06),),
    "switches": (scaled("power_w", 0.95, 1.1),),
    "links": (),
    "racks": (scaled("load_kg", 0.97, 1.05),),
    "pdus": (scaled("power_w", 0.98, 1.05),),
    "gpu_boards": (scaled("overhead_w", 0.95, 1.1),),
    "systems": (),
}  # fmt: skip


def tables(folder: Path) -> dict[str, list[Row]]:
    """Rows of each CSV file."""
    out = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as f:
            out[path.stem] = list(csv.DictReader(f))
    return out


def sibling(stem: str, parent: Row, number: int, r: random.Random, gpus: dict[str, list[str]]) -> Row:
    """A near-duplicate of a part. A board carries its GPU or a sibling of it."""
    row = dict(parent)
    row["id"] = f"{parent['id']}-v{number}"
    row["name"] = f"{parent['name']} v{number}"
    row["vendor"] = r.choice(PARTNERS) if stem == "gpus" else parent["vendor"]
    row["source"], row["notes"], row["aliases"] = SYNTHETIC, "", ""
    for change in CHANGES[stem]:
        change(row, r)
    if stem == "gpu_boards":
        row["gpu"] = r.choice(gpus.get(parent["gpu"], [parent["gpu"]]))
    return row


def offers_of(part: str, base: Row, r: random.Random) -> list[Row]:
    """About three offers near the parent's price; the first of them new and recent."""
    out = []
    price = float(base["price"]) * r.uniform(0.97, 1.05)
    for i, seller in enumerate(r.sample(SELLERS, r.choice((2, 3, 3, 4)))):
        condition = "new" if i == 0 else r.choice(("new", "new", "refurbished", "used"))
        asked = max(0.01, price * r.uniform(0.985, 1.03) * USED[condition])
        row = dict.fromkeys(base, "") | {
            "id": f"{part}--{i + 1}", "part": part, "price": f"{asked:.2f}", "currency": base["currency"],
            "date": str(AS_OF - timedelta(days=r.randrange(40 if i == 0 else 300))), "condition": condition,
            "confidence": r.choice(("list", "street", "estimate")), "seller": seller, "source": SYNTHETIC,
        }  # fmt: skip
        out.append(row)
    return out


def grown(size: int, seed: int) -> dict[str, list[Row]]:
    """The shipped catalog with siblings up to `size` parts."""
    r = random.Random(seed)
    out = tables(SHIPPED)
    priced = {o["part"]: o for o in out["offers"]}
    parents = {stem: [x for x in rows if x["id"] in priced] for stem, rows in out.items() if stem != "offers"}
    have = sum(len(rows) for stem, rows in out.items() if stem != "offers")
    stems = r.choices(list(SHARES), weights=list(SHARES.values()), k=size - have)
    families: dict[str, list[str]] = {}
    for number, stem in enumerate(sorted(stems, key=list(SHARES).index)):
        parent = r.choice(parents[stem] or out[stem])
        row = sibling(stem, parent, number, r, families)
        out[stem].append(row)
        if stem == "gpus":
            families.setdefault(parent["id"], [parent["id"]]).append(row["id"])
        if stem == "gpus" and parent["sold_as"] == "board":
            continue  # priced by its boards
        if base := priced.get(parent["id"]):
            out["offers"] += offers_of(row["id"], base, r)
    return out


def cut(size: int, seed: int) -> dict[str, list[Row]]:
    """Part of the shipped catalog: whole nodes for some GPUs, then parts at random."""
    r = random.Random(seed)
    catalog = load()
    kept: list[str] = []

    def keep(parts: Iterable[Part], most: int = 1) -> None:
        """Up to `most` of these, with what they contain; never more than `size` in all."""
        priced = [p for p in parts if catalog.offers.get(p.id)]
        for p in r.sample(priced, min(most, len(priced))):
            wanted = [p.id, *(c.part for c in p.contents)] if isinstance(p, Platform) else [p.id]
            wanted += [x.gpu for i in wanted if isinstance(x := catalog.parts[i], GpuBoard)]
            new = [x for x in dict.fromkeys(wanted) if x not in kept]
            if len(kept) + len(new) <= size:
                kept.extend(new)

    def of(cls: type[Part]) -> list[Part]:
        return [p for _, p in sorted(catalog.parts.items()) if isinstance(p, cls)]

    keep([x for x in of(Link) if isinstance(x, Link) and x.medium == "power"], 2)
    keep(catalog.of(Kind.RACK))
    keep(catalog.of(Kind.PDU), 2)
    keep([x for x in of(Switch) if isinstance(x, Switch) and x.role == "oob"])
    keep([x for x in of(Link) if isinstance(x, Link) and x.end_a == "RJ45"])
    gpus = [g for g in of(Gpu) if isinstance(g, Gpu) and g.sold_as == "single" and g.vram_gb >= 48]
    for g in r.sample(gpus, min(len(gpus), max(2, size // 15))):
        _keep_node(catalog, g, keep, of)
    everything = sorted(catalog.parts.values(), key=lambda p: p.id)
    while len(kept) < size and (rest := [p for p in everything if p.id not in kept and catalog.offers.get(p.id)]):
        before = len(kept)
        keep(rest, size - before)
        if len(kept) == before:
            break
    full = tables(SHIPPED)
    chosen = set(kept)
    return {
        stem: [x for x in rows if (x["part"] if stem == "offers" else x["id"]) in chosen] for stem, rows in full.items()
    }


def _keep_node(catalog: Catalog, g: Gpu, keep: Callable[..., None], of: Callable[[type[Part]], list[Part]]) -> None:
    """A GPU with a chassis and what a node of it needs."""
    holders = [p for p in of(Platform) if isinstance(p, Platform) and not gpu_fits(p, g, 1, None)]
    holders = [p for p in holders if catalog.offers.get(p.id) and p.kind == Kind.PLATFORM]
    if not holders:
        return
    p = max(holders, key=lambda x: (x.gpu_slots, x.id))
    keep([g])
    keep([p])
    cpus = [c for c in of(Cpu) if isinstance(c, Cpu) and cpu_fits(p, c)] if needs_cpu(p) else []
    keep(cpus, 2)
    if cpus and needs_cooler(p):
        most = max(cpus, key=lambda c: (c.tdp_w or 0, c.id))
        keep([x for x in of(Cooling) if isinstance(x, Cooling) and x.role == "cpu-cooler" and cooler_fits(x, most)])
    modules = [m for m in of(Memory) if isinstance(m, Memory) and memory_fits(p, m)]
    keep(sorted(modules, key=lambda m: -m.capacity_gb)[:3], 2)
    keep([u for u in of(Psu) if isinstance(u, Psu) and needs_psu(p) and psu_fits(p, u)], 2)
    keep([d for d in catalog.of(Kind.DRIVE) if set(d.forms) & {*p.nvme_forms, "M.2"}])  # type: ignore[attr-defined]
    keep([n for n in of(Nic) if isinstance(n, Nic) and n.form in p.nic_forms and "RJ45" in n.connectors])


def write(rows: dict[str, list[Row]], folder: Path) -> None:
    """One CSV per kind; empty ones are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, found in rows.items():
        if found:
            with (folder / f"{stem}.csv").open("w", encoding="utf-8", newline="") as f:
                out = csv.DictWriter(f, list(found[0]), lineterminator="\n")
                out.writeheader()
                out.writerows(found)


def generate(size: int, seed: int, folder: Path) -> Path:
    """Write a catalog of `size` parts; the same size and seed give the same bytes. Returns the folder."""
    shipped = len(load().parts)
    write(cut(size, seed) if size < shipped else grown(size, seed), folder)
    return folder


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    ask.add_argument("size", type=int)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--seed", type=int, default=1)
    asked = ask.parse_args()
    print(generate(asked.size, asked.seed, asked.folder))


if __name__ == "__main__":
    main()

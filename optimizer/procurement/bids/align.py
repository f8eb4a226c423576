"""Lines of several bids on the same items: the same part first, then different parts that serve the same end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import combinations

from catalogs.inputs import shipped_rows
from catalogs.load import Catalog
from catalogs.schema import Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from optimizer.procurement.bids.basis import DATA, DISCOUNT, OTHER, ROLES, SERVICE, stands
from optimizer.procurement.bids.schema import Measure, PricedLine
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.line.names import squash

SERVICES = ("warranty", "installation", "training", "licence", "freight", SERVICE)
ORDER = (*(k.value for k in Kind), OTHER, *SERVICES, DISCOUNT)
MOST_JOINED = 500
SIZED: dict[str, Measure] = {"memory": "GB", "drive": "GB", "psu": "W", "nic": "Gbit/s"}
"""Roles whose pieces differ in size; alike parts are then compared by price per unit of size."""


@dataclass
class Group:
    """Lines of one role that stand on one item: by bid."""

    role: str
    key: str
    title: str
    lines: dict[int, list[PricedLine]] = field(default_factory=dict)


def size(part: Part | None) -> tuple[str, Decimal]:
    """(what makes parts comparable, size of a piece): memory of one generation by GB, drives of one medium by GB,
    supplies by W, network cards of one kind by Gbit/s; any other part is comparable with itself only."""
    if isinstance(part, Memory):
        return f"GB {part.mem_gen} {part.dimm_type}", Decimal(part.capacity_gb * part.pack)
    if isinstance(part, Drive):
        return f"GB {part.media}", Decimal(part.capacity_gb)
    if isinstance(part, Psu):
        return f"W {part.form}", Decimal(part.watts)
    if isinstance(part, Nic):
        return f"Gbit/s {part.rdma}", Decimal(part.gbit_s * part.ports)
    return (part.id if part else ""), Decimal(1)


def pieces_of(lines: Sequence[PricedLine]) -> int:
    return sum(line.pieces or 0 for line in lines)


def total_size(lines: Sequence[PricedLine], catalog: Catalog) -> Decimal:
    """Pieces times their size."""
    return sum((size(catalog.parts[line.part])[1] * (line.pieces or 0) for line in lines if line.part), Decimal(0))


@cache
def _makers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(maker of GPUs, words that name it or what runs on its cards alone) of data/licence_makers.csv."""
    rows = shipped_rows(DATA / "licence_makers.csv")
    return tuple((row["maker"], tuple(row["words"].split("|"))) for row in rows)


def maker_of_licence(text: str) -> str:
    """The maker for whose GPUs alone a licence is, by its words; blank where it names none."""
    plain = row_words.folded(text)
    return next((maker for maker, words in _makers() if any(stands(x, plain, whole=True) for x in words)), "")


def with_contents(lines: list[PricedLine], catalog: Catalog) -> list[PricedLine]:
    """Lines, and what the complete systems among them contain at no price of its own; what a bid lists of these
    contents again at no price is left out."""
    out: list[PricedLine] = []
    inside: dict[str, tuple[int, PricedLine]] = {}
    for x in lines:
        system = catalog.parts[x.part] if x.part else None
        if isinstance(system, Platform) and x.pieces and x.state == "included":
            for c in system.contents:
                inside[c.part] = (inside.get(c.part, (0, x))[0] + c.qty * x.pieces, x)
    held = {p for p, _ in inside.items()}
    held |= {part.gpu for p in inside if isinstance(part := catalog.parts[p], GpuBoard)}
    out = [line for line in lines if not (line.part in held and not line.net and line.state == "included")]
    for p, (qty, system_line) in inside.items():
        part = catalog.parts[p]
        role = ROLES.get(part.kind, part.kind).value
        out.append(
            system_line.model_copy(
                update={
                    "text": part.name, "part": p, "role": role, "pieces": qty, "qty": Decimal(qty),
                    "price": Decimal(0), "per": 1, "net": Decimal(0), "stated_total": None, "state": "in_system",
                }
            )
        )  # fmt: skip
    return out


def aligned(bids: Sequence[Sequence[PricedLine]], catalog: Catalog) -> list[Group]:
    """Items over all bids. Within a role groups of one part each are joined, the most alike first, as long as no bid
    stands in both; services of one kind are one item; free text is joined by its letters and digits."""
    groups: dict[tuple[str, str], Group] = {}
    for i, lines in enumerate(bids):
        for line in lines:
            key = _key(line, catalog)
            g = groups.setdefault((line.role, key), Group(line.role, key, _title(line, catalog)))
            g.lines.setdefault(i, []).append(line)
    by_role: dict[str, list[Group]] = {}
    for g in groups.values():
        by_role.setdefault(g.role, []).append(g)
    for role, found in by_role.items():
        by_role[role] = _joined(found, catalog) if role not in (OTHER, DISCOUNT, "licence") else found
    return ordered([g for found in by_role.values() for g in found])


def ordered(groups: Sequence[Group]) -> list[Group]:
    """Goods by category, then services; within a role what most bids offer and what costs most first."""
    rank = {r: n for n, r in enumerate(ORDER)}

    def dearest(group: Group) -> Decimal:
        return max((_net(line) for line in group.lines.values()), default=Decimal(0))

    return sorted(groups, key=lambda g: (rank[g.role], -len(g.lines), -dearest(g), g.key))


def _key(line: PricedLine, catalog: Catalog) -> str:
    if line.role == "licence":  # a licence for one maker's GPUs is no use to another's
        return f"licence {maker_of_licence(line.text)}".strip()
    if not line.part:
        return squash(line.text) if line.role == OTHER else line.role
    part = catalog.parts[line.part]
    if isinstance(part, GpuBoard):  # a board and its GPUs one by one are the same GPUs
        return part.gpu
    return line.part


def keys_of(lines: Sequence[PricedLine], catalog: Catalog) -> set[str]:
    """What lines are by themselves, without what joins items."""
    return {_key(line, catalog) for line in lines}


def _title(line: PricedLine, catalog: Catalog) -> str:
    if not line.part:
        named = line.role == OTHER or (line.role == "licence" and maker_of_licence(line.text))
        return line.text if named else ""
    part = catalog.parts[line.part]
    return f"{part.vendor} {part.name}".strip() if not part.name.startswith(part.vendor) else part.name


def _net(lines: Sequence[PricedLine]) -> Decimal:
    return sum((line.net for line in lines), Decimal(0))


def _joined(groups: list[Group], catalog: Catalog) -> list[Group]:
    """Groups of disjoint bids joined along the nearest pairs first: alike parts, same size in all, nearest amount.

    Beyond `MOST_JOINED` groups (price lists, no bids) nothing is joined."""
    if len(groups) > MOST_JOINED:
        return groups
    faces = [_Face.of(group, catalog) for group in groups]
    pairs = sorted(
        (faces[m].distance(faces[n]), m, n)
        for m, n in combinations(range(len(groups)), 2)
        if not groups[m].lines.keys() & groups[n].lines.keys()
    )
    owner = list(range(len(groups)))
    members = {i: [i] for i in owner}
    for _unused, m, n in pairs:
        a, b = owner[m], owner[n]
        taken = [line for i in (a, b) for x in members[i] for line in groups[x].lines]
        if a == b or len(set(taken)) < len(taken):
            continue
        members[a] += members.pop(b)
        for x in members[a]:
            owner[x] = a
    return [_one([groups[x] for x in found]) for found in members.values()]


def _one(groups: list[Group]) -> Group:
    """Groups as one, named by that of most bids."""
    first = min(groups, key=lambda g: (-len(g.lines), min(g.lines), g.key))
    return Group(first.role, first.key, first.title, {i: x for g in groups for i, x in g.lines.items()})


@dataclass(frozen=True)
class _Face:
    """What a group of one part is told apart by: what makes it comparable, its size in all, its amount."""

    kind: str
    size: Decimal
    net: Decimal

    @classmethod
    def of(cls, group: Group, catalog: Catalog) -> _Face:
        lines = group.lines[min(group.lines)]
        part = catalog.parts[lines[0].part] if lines[0].part else None
        return cls(size(part)[0], total_size(lines, catalog), _net(lines))

    def distance(self, other: _Face) -> tuple[bool, Decimal, Decimal]:
        """(kinds differ, ratio of sizes, ratio of amounts)."""
        return self.kind != other.kind, _ratio(self.size, other.size), _ratio(self.net, other.net)


def _ratio(x: Decimal, y: Decimal) -> Decimal:
    """1 for equal amounts, rising; 1,000,000 where one is nothing."""
    if x == y:
        return Decimal(1)
    return max(x, y) / min(x, y) if x > 0 and y > 0 else Decimal(10**6)


def measure_of(group: Group, catalog: Catalog) -> Measure:
    """What prices of an item are compared by."""
    parts = {line.part for lines in group.lines.values() for line in lines}
    if None in parts:
        return "line"
    if len(parts) == 1:
        return "piece"
    return SIZED.get(group.role, "piece")


def comparable(lines: Sequence[PricedLine], catalog: Catalog) -> str:
    """Lines with the same key may be compared by price; blank where they mix what is not alike."""
    keys = set()
    for line in lines:
        part = catalog.parts[line.part] if line.part else None
        if isinstance(part, GpuBoard):
            gpu = catalog.parts[part.gpu]
            keys.add(f"{gpu.id} board")
        else:
            keys.add(size(part)[0] if part else line.role)
    return keys.pop() if len(keys) == 1 else ""


def gpus_of(lines: Sequence[PricedLine], catalog: Catalog) -> int:
    """GPUs that lines of the role hold, those of boards counted out."""
    count = 0
    for line in lines:
        part = catalog.parts[line.part] if line.part else None
        count += (line.pieces or 0) * (part.gpus if isinstance(part, GpuBoard) else 1 if isinstance(part, Gpu) else 0)
    return count

"""Words of a line -> the part of a catalog that is so: the generic one, else the cheapest of those that are alike.

Parts are alike where rules and prices can't tell them apart (`alike`). Several that are not, or none without a
contradiction to the words, are candidates for a person's look and never a match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from string import ascii_lowercase as LETTERS

from catalogs.load import Catalog
from catalogs.message import message
from catalogs.schema import Cpu, Drive, Kind, Memory, Nic, Part, Platform, Psu
from constraints.rules.fit import cpu_fits, memory_fits, psu_fits
from optimizer.procurement.reading.row_words import folded, has
from optimizer.procurement.reading.specification.grammar import values
from optimizer.procurement.reading.specification.traits import Traits, agrees, alike, traits
from optimizer.procurement.reading.specification.wanted import Wanted, kind_of, wanted
from optimizer.text.languages import N_

SEVERAL_FIT = N_("several parts fit these words, with different figures")
NONE_FITS = N_("no part of the catalog fits these words")
SPEED_TAKEN = N_("says no data rate: {mts} MT/s taken, what its CPU runs")
DRIVE_TAKEN = N_("says no bay or generation: the least that fits taken, PCIe {gen} in {bay}")
CARD_TAKEN = N_("says no ports or plug: the least that fits taken, {ports} x {plug}")
MOST_CANDIDATES = 5
NEEDED: dict[Kind, tuple[str, ...]] = {
    Kind.MEMORY: ("capacity_gb",), Kind.DRIVE: ("capacity_gb",), Kind.NIC: ("gbit_s", "family"), Kind.PSU: ("watts",),
    Kind.SWITCH: ("gbit_s",), Kind.CABLE: ("gbit_s", "length_m"), Kind.OPTIC: ("gbit_s",),
}  # fmt: skip
"""Attributes of which words have to say one at least: without it they name no part."""
ALWAYS_KNOWN = ("connectors", "pcie_gen", "family")
"""Attributes that a part without a value does not have: an HDD no generation of PCIe."""
CPU_NUMBER = re.compile(
    r"(?<![a-z0-9.])(?:w[3579]-|e-|i[3579]-|[psgb]-?)?(\d{4,5}[a-z]{0,2}|7[a-z]\d{2}|7\df\d)(\+?)(?!-?[a-z0-9])"
)
MODEL = re.compile(r"(?<![a-z0-9])([a-z]{1,3}-?\d{2,4}[a-z]{0,2})(?![a-z0-9])")
"""`h100`, `l40s`, `mi300x`, `b3220`."""
NUMBERED = re.compile(
    r"(?<![a-z0-9])(?!gen|ddr|pcie?|x\d|sfp|qsfp|osfp|ndr|hdr|cat|om\d|usb|rj|u\d)([a-z]{1,5}-?\d{3,6}[a-z0-9-]*)"
)
"""A maker's number of a product: `s9825-64d`, `ce9860`; no word of a standard."""
ONE_PRODUCT = (Kind.NIC, Kind.SWITCH)
"""Kinds of which another maker's product of the same figures is another product."""


@dataclass(frozen=True)
class Around:
    """What is known of the server that a line is part of."""

    platform: Platform | None = None
    cpu: Cpu | None = None
    least: bool = False
    """Whether what the words leave open is taken as the least that fits them (what a seller owes at least)."""

    def takes(self, part: Part) -> bool:
        """Whether the server takes a part, as far as its maker says."""
        if self.platform is None:
            return True
        if isinstance(part, Memory):
            return memory_fits(self.platform, part)
        if isinstance(part, Psu):
            return psu_fits(self.platform, part)
        if isinstance(part, Cpu):
            return cpu_fits(self.platform, part)
        return True


NOTHING = Around()
CHIP_MAKERS = {"nvidia", "intel", "broadcom", "amd"}


@dataclass(frozen=True)
class Fit:
    """`part`: the one that the words mean; None where `parts` (candidates, best first) leave it open: `why`."""

    part: str | None = None
    parts: tuple[str, ...] = ()
    why: str = ""


class Fitting:
    """The parts of a catalog by what they are."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._against: dict[tuple[Kind, str, frozenset[object]], frozenset[str]] = {}
        self._least_usd: dict[str, Decimal] = {}

    @cached_property
    def _traits(self) -> Mapping[str, Traits]:
        return {part.id: traits(part) for part in self.catalog.parts.values()}

    @cached_property
    def _cpu_numbers(self) -> Mapping[str, frozenset[str]]:
        """`8592+`, `9654p`, `7f72` -> CPUs of that number."""
        found: dict[str, set[str]] = {}
        for cpu in self.catalog.of(Kind.CPU):
            for said in CPU_NUMBER.finditer(folded(cpu.name)):
                found.setdefault(said[1] + said[2], set()).add(cpu.id)
        return {number: frozenset(ids) for number, ids in found.items()}

    @cached_property
    def _models(self) -> Mapping[str, frozenset[str]]:
        """Names of models of GPUs, network cards and switches: `h100`, `b3220`, `qm9700`."""
        found: dict[str, set[str]] = {}
        for part in self.catalog.of(Kind.GPU, Kind.NIC, Kind.SWITCH):
            name = re.sub(r"\(.*?\)", " ", folded(part.name))
            for said in MODEL.finditer(name):
                found.setdefault(said[1].replace("-", ""), set()).add(part.id)
        return {model: frozenset(ids) for model, ids in found.items()}

    def cpus(self, plain: str) -> frozenset[str]:
        """CPUs whose number a text says, a plus sign left out where no other CPU has the number without it."""
        found: set[str] = set()
        for said in CPU_NUMBER.finditer(plain):
            number = said[1] + said[2]
            found |= self._cpu_numbers.get(number) or (frozenset() if said[2] else self._cpus_near(said[1]))
        return frozenset(found)

    def _cpus_near(self, number: str) -> frozenset[str]:
        """CPUs whose number is this one with a plus sign, or, where it ends in a digit, with a letter: `8480` may be
        8480+ or 8480C."""
        more = (
            {"", "+", *(f"{letter}{plus}" for letter in LETTERS for plus in ("", "+"))} if number.isdigit() else {"+"}
        )
        return frozenset(cpu for end in more for cpu in self._cpu_numbers.get(number + end, ()))

    def kind(self, plain: str) -> Kind | None:
        """The kind of part that a text names first of all."""
        return kind_of(plain, cpu_named=bool(self.cpus(plain)))

    def fit(self, plain: str, around: Around = NOTHING, kind: Kind | None = None) -> Fit:
        """The part that a text means by what it says; an empty Fit where it says too little to look for one.

        `kind`: that of its label, for words that say none."""
        cpus = self.cpus(plain)
        kind = kind_of(plain, cpu_named=bool(cpus)) or kind
        if kind is None or kind is Kind.GPU:
            return self._gpu(plain)
        asked = wanted(plain, kind)
        if kind is Kind.CPU:
            return self._settled(asked, [self.catalog.parts[cpu] for cpu in sorted(cpus)], plain, around)
        modelled = self._modelled(plain, kind)
        if modelled:
            return self._settled(asked, modelled, plain, around)
        if not any(name in asked.says for name in NEEDED.get(kind, ())):
            return Fit()
        if kind is Kind.DRIVE and not {"media", "forms"} & {*asked.says}:
            return Fit()  # `NAS drive 2TB` may be a hard disk or an SSD
        found = self._settled(asked, self.catalog.of(kind), plain, around)
        if kind is Kind.DRIVE and "forms" not in asked.says and not values("media", plain):
            return Fit(None, found.parts, SEVERAL_FIT if found.parts else found.why)  # `960G SSD`: SATA or NVMe
        return found

    def _modelled(self, plain: str, kind: Kind) -> list[Part]:
        """Parts of a kind whose model a text names."""
        ids = {
            part for said in MODEL.finditer(plain) for part in self._models.get(said[1].replace("-", ""), ())
            if self.catalog.parts[part].kind is kind
        }  # fmt: skip
        return [self.catalog.parts[part] for part in sorted(ids)]

    def _gpu(self, plain: str) -> Fit:
        """A GPU by its model and what is said of it; not one of a board, a machine, or something that goes with it."""
        named = self._modelled(plain, Kind.GPU)
        if not named or values("attachment", plain) or has("board", plain) or has("accessory", plain):
            return Fit()
        if has("machine", plain) and not has("for_machine", plain):
            return Fit()
        return self.among([part.id for part in named], plain)

    def among(self, parts: Sequence[str], plain: str) -> Fit:
        """Which of several parts of one kind a text means by what else it says: `RTX PRO 6000 ... Server Edition`."""
        chosen = [self.catalog.parts[part] for part in parts]
        if len({part.kind for part in chosen}) != 1 or not chosen:
            return Fit()
        return self._settled(wanted(plain, chosen[0].kind), chosen, plain, NOTHING)

    def contradicted(self, part: Part, plain: str, attributes: Iterable[str]) -> tuple[str, str]:
        """(what a text says of one of the attributes, what the part is) where none of the values said is the part's."""
        says, own = wanted(plain, part.kind).says, self._traits[part.id]
        for name in attributes:
            if name in says and own.get(name) and not agrees(name, says[name], own):
                return _shown(says[name]), _shown(own[name])
        return "", ""

    def _settled(self, asked: Wanted, parts: Sequence[Part], plain: str, around: Around) -> Fit:
        """The part of those without a contradiction, where they are alike; else candidates, those that fit first."""
        against = self._contradictions(asked, parts)
        if asked.kind is Kind.PSU:
            other = {part.id for part in parts if self._other_product(asked.kind, part, plain)}
            against = {part: found | ({"vendor"} if part in other else set()) for part, found in against.items()}
        fits = [part for part in parts if not against[part.id]]
        taken = [part for part in fits if around.takes(part)] or fits
        best = self._by_preference(taken, plain)
        if taken and len({alike(part) for part in taken}) == 1 and self._says_enough(asked, best[0], plain, around):
            return Fit(best[0].id, tuple(part.id for part in best[:MOST_CANDIDATES]))
        if taken:
            if around.least and (least := _least(taken, around)):
                alike_ones = [part.id for part in best if alike(part) == alike(least[0])]
                return Fit(alike_ones[0], tuple(alike_ones[:MOST_CANDIDATES]), least[1])
            firsts: dict[tuple[object, ...], str] = {}
            for part in best:
                firsts.setdefault(alike(part), part.id)
            return Fit(None, tuple(firsts.values())[:MOST_CANDIDATES], SEVERAL_FIT)
        near = [part for part in parts if len(against[part.id]) == 1 and not _decisive(asked.kind) & against[part.id]]
        return Fit(None, tuple(part.id for part in self._by_preference(near, plain)[:MOST_CANDIDATES]), NONE_FITS)

    def _says_enough(self, asked: Wanted, part: Part, plain: str, around: Around) -> bool:
        """Whether the words that fit a part name it: of a supply its make (a form, a maker or its server), and no other
        product."""
        if asked.kind is Kind.PSU and "form" not in asked.says and around.platform is None:
            return folded(part.vendor) in {folded(maker) for maker in values("maker", plain)}
        return not (asked.kind in ONE_PRODUCT and self._other_product(asked.kind, part, plain))

    def _contradictions(self, asked: Wanted, parts: Iterable[Part]) -> dict[str, set[str]]:
        """Of each part the attributes of which the words say another value than it has; what the catalog does not hold
        of a part contradicts nothing."""
        found: dict[str, set[str]] = {part.id: set() for part in parts}
        for name, said in asked.says.items():
            for part in self._disagreeing(asked.kind, name, said) & found.keys():
                found[part].add(name)
        return found

    def _disagreeing(self, kind: Kind, name: str, said: frozenset[object]) -> frozenset[str]:
        """The parts of a kind that have another value of an attribute; looked up once, as lines say the same often."""
        key = (kind, name, said)
        if key not in self._against:
            of_kind = ((part.id, self._traits[part.id]) for part in self.catalog.of(kind))
            self._against[key] = frozenset(
                part for part, own in of_kind
                if (own.get(name) or name in ALWAYS_KNOWN) and not agrees(name, said, own)
            )  # fmt: skip
        return self._against[key]

    def _other_product(self, kind: Kind, part: Part, plain: str) -> bool:
        """Whether a text names another maker's product than a part: its maker or its number."""
        named = {folded(maker) for maker in values("maker", plain)}
        if kind in (*ONE_PRODUCT, Kind.PSU) and named and not _made_by(part, named):
            return True
        numbers = {re.sub(r"[^a-z0-9]", "", said[1]) for said in NUMBERED.finditer(plain)}
        own = re.sub(r"[^a-z0-9]", "", folded(" ".join((part.id, part.name, *part.aliases))))
        return kind in ONE_PRODUCT and any(number not in own for number in numbers)

    def _by_preference(self, parts: Iterable[Part], plain: str) -> list[Part]:
        """A part of the maker that the words name, a generic one, the cheapest; those of lesser figures first."""

        def key(part: Part) -> tuple[object, ...]:
            named = bool(part.vendor) and folded(part.vendor) in plain
            return (not named, bool(part.vendor), self._usd(part.id), part.id)

        return sorted(parts, key=key)

    def _usd(self, part: str) -> Decimal:
        """The least price in US dollars that the catalog knows of a part, whatever its day; a high one without any."""
        if part not in self._least_usd:
            offers = self.catalog.offers.get(part, ())
            of_new = (offer.price for offer in offers if offer.currency == "USD" and offer.condition == "new")
            self._least_usd[part] = min(of_new, default=Decimal(10**9))
        return self._least_usd[part]


def _least(parts: Sequence[Part], around: Around) -> tuple[Part, str] | None:
    """(the part of least figures, what was assumed) of several that fit a server's words: modules at its CPU's rate,
    drives in U.2 bays of the older generation, network cards with fewer ports. None for other kinds."""
    if all(isinstance(part, Memory) for part in parts):
        modules = [part for part in parts if isinstance(part, Memory)]
        if around.cpu is not None:
            cpu = around.cpu
            fits = (part.mem_gen == cpu.mem_gen and part.dimm_type in cpu.dimm_types[:1] for part in modules)
            modules = [part for part, fitting in zip(modules, fits, strict=True) if fitting] or modules
        need = (around.cpu.mem_max_mts or 0) if around.cpu else 0
        if len({(part.mem_gen, part.dimm_type) for part in modules}) > 1 or not need:
            return None
        chosen: Part = min(modules, key=lambda part: (part.mts < need, abs(part.mts - need), part.id))
        assert isinstance(chosen, Memory)
        return chosen, message(SPEED_TAKEN, mts=f"{chosen.mts:,}")
    if all(isinstance(part, Drive) and part.media == "nvme" for part in parts):
        drives = [part for part in parts if isinstance(part, Drive)]
        drive = min(drives, key=lambda part: ("U.2" not in part.forms, part.pcie_gen or 0, part.id))
        return drive, message(DRIVE_TAKEN, gen=drive.pcie_gen, bay=drive.forms[0])
    if all(isinstance(part, Nic) for part in parts):
        card = min(
            (part for part in parts if isinstance(part, Nic)),
            key=lambda part: (part.ports, part.form != "PCIe", part.id),
        )
        return card, message(CARD_TAKEN, ports=card.ports, plug=card.connectors[0])
    return None


def _made_by(part: Part, makers: set[str]) -> bool:
    """Whether a part is of one of the makers; a network card may be sold by one that makes servers."""
    of_servers = isinstance(part, Nic) and not makers & CHIP_MAKERS
    return of_servers or folded(part.vendor) in makers


def _decisive(kind: Kind) -> set[str]:
    """Attributes that no candidate may contradict: a module of another size is no suggestion."""
    return {"capacity_gb", "watts", "vram_gb"} if kind is not Kind.CPU else set()


def _shown(said: frozenset[object]) -> str:
    return "/".join(sorted(str(value) for value in said))

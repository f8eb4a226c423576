"""What a quoted build lacks, counted from the rules' own needs: parts to be bought beside it, and reminders."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from catalogs.message import N_, joined, message
from catalogs.schema import Cooling, Cpu, Kind, Link, Memory, Nic, Part, Pdu, Psu, Rack, Switch
from constraints.build import Case, bank, supply_patterns
from constraints.physics.contents import dimm_counts, inside
from constraints.physics.grades import least_ram_gb
from constraints.physics.links import Network, networks
from constraints.physics.lookup_tables import copies, tables_gb
from constraints.rule import Check, Status
from constraints.rules.fit import Fit, needs_cooler, needs_cpu, needs_psu
from constraints.rules.host_memory import HostMemory
from constraints.rules.interconnect import BMC, Interconnect, front_end_asked_gbit_s, host_gbit_s, laid_net
from constraints.rules.power import Power, node_limit_w, watts_at
from constraints.rules.rack import CORD_ENDS, RackRule, racked, racks_in
from constraints.rules.registry import BY_ID
from optimizer.market.market import Market
from optimizer.market.refusals import Refusals
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.row_words import has
from optimizer.procurement.xray.prices import catalog_cents
from optimizer.procurement.xray.schema import MemoryFacts, Missing, SupplyFacts
from optimizer.result.point_schema import PartQty
from optimizer.text.minor_units import money

P = TypeVar("P", bound=Part)


def missing(case: Case, checks: list[Check], quote: Quote, market: Market) -> list[Missing]:
    """Mandatory parts first, in the order of a node: inside, racks, networks; then reminders."""
    found = [*_inside(case, market.refusals), *_racks(case), *_networks(case, market), *_short(case, checks)]
    return [*found, *_reminders(case, quote)]


ROLES_OF = {
    "CPU": {"cpu"}, "CPU cooler": {"cooling"}, "network card": {"nic"}, "memory": {"memory"},
    "power supply": {"psu"}, "rack": {"rack"}, "power distribution unit": {"pdu"}, "power cord": {"cable"},
    "NVMe drives": {"drive"}, "liquid cooling": {"cooling"}, "CPU cores": {"cpu"},
}  # fmt: skip


def roles_of_missing(x: Missing) -> set[str]:
    """Categories of lines that may be what is missing; a network takes several."""
    return ROLES_OF.get(x.what, {"nic", "switch", "cable", "optic"})


def _inside(case: Case, refusals: Refusals) -> Iterable[Missing]:
    platform, nodes = case.platform, case.build.nodes
    if needs_cpu(platform):
        have = sum(pieces for _, pieces in case.parts(Cpu))
        if have < platform.sockets:
            text = message(
                "{platform} takes {n} x {socket} ({cpus}) per node, quoted: {have}",
                platform=platform.name,
                n=platform.sockets,
                socket=platform.socket,
                cpus="/".join(platform.cpu_generations),
                have=have,
            )
            yield Missing(what="CPU", qty=(platform.sockets - have) * nodes, text=text, rule=Fit.id)
    if needs_cooler(platform):
        have = sum(
            pieces for part, pieces in case.parts(Cooling) if isinstance(part, Cooling) and part.role == "cpu-cooler"
        )
        if have < platform.sockets:
            cpus = [
                message("{cpu}, {watts} W", cpu=part.name, watts=part.tdp_w)
                for part, _ in case.parts(Cpu)
                if isinstance(part, Cpu)
            ]
            text = message(
                "{platform} comes without: {n} per node for {socket} ({cpus})",
                platform=platform.name,
                n=platform.sockets,
                socket=platform.socket,
                cpus=joined(cpus, " and ") or "no CPU quoted",
            )
            yield Missing(what="CPU cooler", qty=(platform.sockets - have) * nodes, text=text, rule=Fit.id)
    yield from _modules(case, refusals)
    yield from _supplies(case, refusals)
    if not case.parts(Nic) and not platform.onboard_lan:
        yield Missing(
            what="network card",
            qty=nodes,
            text=message("{platform} has no network port", platform=platform.name),
            rule=Interconnect.id,
        )


def _modules(case: Case, refusals: Refusals) -> Iterable[Missing]:
    platform = case.platform
    held = [part for part, _ in case.parts(Memory)]
    contained = any(part.id not in case.build.node for part in held)
    if (
        contained
        or refusals.admitted(platform, Memory, held)
        or not platform.dimm_slots
        or inside(platform, case.catalog, Memory)
        or case.gpu.form_factor == "integrated"
    ):
        return
    floor = least_ram_gb(case.per_node * case.gpu.vram_gb, platform, case.policy, case.request.grade)
    if case.plan.host_tables:
        floor = max(floor, tables_gb(case.llm, copies(case.plan.gpus, case.per_node), case.policy))
    modules = next(iter(dimm_counts(platform)), 1)
    text = message(
        "no {kind} quoted; at least {floor} GB per node, and {modules} equal modules fill every channel",
        kind=f"{platform.mem_gen} {'/'.join(platform.dimm_types)}",
        floor=f"{floor:,.0f}",
        modules=modules,
    )
    yield Missing(what="memory", qty=modules * case.build.nodes, text=text, rule=HostMemory.id)


def _supplies(case: Case, refusals: Refusals) -> Iterable[Missing]:
    platform, nodes = case.platform, case.build.nodes
    if not needs_psu(platform) or case.power_unknown:
        return
    quoted = {part: pieces for part, pieces in case.parts(Psu) if part.id in case.build.node}
    bought = refusals.admitted(platform, Psu, quoted)
    kinds = bought or refusals.admitted(platform, Psu, case.catalog.of(Kind.PSU))
    ways = sorted(
        (fitted, u.watts, u.name, needed) for u in kinds for fitted, needed in supply_patterns(platform)
        if node_limit_w(bank(u, fitted, needed), case.line_volts, case.policy, case.region) >= case.load_w
    )  # fmt: skip
    have = sum(quoted[supply] for supply in bought)
    if not ways:
        if not bought:
            text = message(
                "a node draws {watts} W, no supply for {platform} is quoted",
                watts=f"{case.load_w:,}",
                platform=platform.name,
            )
            yield Missing(what="power supply", qty=None, text=text, rule=Power.id)
        return
    fitted, watts, name, needed = ways[0]
    if have < fitted:
        text = message(
            "a node draws {load} W: {n} x {supply} ({watts} W, {needed} must carry it) per node, quoted: {have}",
            load=f"{case.load_w:,}", n=fitted, supply=name, watts=f"{watts:,}", needed=needed, have=have,
        )  # fmt: skip
        yield Missing(what="power supply", qty=(fitted - have) * nodes, text=text, rule=Power.id)


def racks_needed(case: Case) -> int:
    """The fewest standard racks that hold the nodes by height and heat."""
    site = case.request.model_copy(update={"have": frozenset({*case.request.have, "racks"})})
    return racks_in(replace(case, request=site))


def _racks(case: Case) -> Iterable[Missing]:
    platform = case.platform
    if not racked(platform) or "racks" in case.request.have:
        return
    need = max(1, racks_needed(case))
    have = sum(pieces for part, pieces in case.parts(Rack, shared=True))
    if have < need:
        nodes, units = case.build.nodes, platform.rack_units or 1
        size = f"{nodes} x {units} U"
        if not case.power_unknown:
            heat = f"{case.wall_w * nodes / 1000:,.1f}"
            size = message("{nodes} x {units} U and {kw} kW of heat", nodes=nodes, units=units, kw=heat)
        text = joined([size, "--have racks where the site has them"], "; ")
        yield Missing(what="rack", qty=need - have, text=text, rule=RackRule.id)
    pdus = sum(pieces for _, pieces in case.parts(Pdu, shared=True))
    racks = max(have, need)
    if pdus < 2 * racks:
        each = -(-case.build.nodes // racks) * case.wall_w
        text = message("two per rack, each able to carry {kw} kW alone", kw=f"{each / 1000:,.1f}")
        if case.power_unknown:
            text = "two per rack, each able to carry the rack alone"
        yield Missing(what="power distribution unit", qty=2 * racks - pdus, text=text, rule=RackRule.id)
    psus = case.psus
    if psus is not None and psus.inlet is not None:
        end = CORD_ENDS[psus.inlet]
        cords = sum(pieces for part, pieces in case.parts(Link) if isinstance(part, Link) and part.end_a == end)
        if cords < psus.fitted:
            qty = (psus.fitted - cords) * case.build.nodes
            text = message("{connector}, one for each of {n} supplies per node", connector=end, n=psus.fitted)
            yield Missing(what="power cord", qty=qty, text=text, rule=RackRule.id)


NOT_FOR_SALE = 10**12
"""Minor units that a piece without a price counts, so that a way to join nodes without such pieces comes first."""


@dataclass(frozen=True)
class _Wanted:
    """A network that the nodes need: ways to join them, links per node, and whether only its cards ask for it."""

    title: str
    ways: list[Network]
    per_node: int
    optional: bool = False


@dataclass(frozen=True)
class _Way:
    """What a way to join the nodes takes beyond the pieces quoted, in all (`need`) and by the catalog's prices."""

    cents: int
    lacking: list[tuple[str, int]]
    need: dict[str, int]


def _networks(case: Case, market: Market) -> Iterable[Missing]:
    """For each network of two and more nodes: what it takes beyond the pieces quoted, the cheapest way."""
    if case.build.nodes < 2:
        return
    # Pieces at hand: cards by node, the rest in all. What one network takes is not there for the next.
    have = dict(case.build.shared) | {f"node {card.id}": pieces for card, pieces in case.parts(Nic)}
    for wanted in _wanted_networks(case, market):
        found = [way for network in wanted.ways if (way := _way(case, market, wanted, network, have)) is not None]
        if not found:
            text = joined(
                [
                    message("no switch, cards and cables of the catalog join {n} such nodes", n=case.build.nodes),
                    *([] if wanted.optional else ["--have network where the site has it"]),
                ],
                "; ",
            )
            yield Missing(what=wanted.title, qty=None, text=text, rule=Interconnect.id, reminder=wanted.optional)
            continue
        cheapest = min(found, key=lambda way: (way.cents, way.lacking))
        for part, pieces in cheapest.need.items():
            have[part] = max(0, have.get(part, 0) - pieces)
        if cheapest.lacking:
            yield _incomplete(case, market, wanted, cheapest)


def _wanted_networks(case: Case, market: Market) -> list[_Wanted]:
    """The front-end and out-of-band networks unless the site has them, and a fabric where the plan or the cards ask
    for one; each with all ways to join the nodes, of what is quoted first."""
    nics = [card for card, _ in case.parts(Nic) if isinstance(card, Nic)]
    net = laid_net(case.plan, case.row, case.per_node)
    cards = market.refusals.admitted(case.platform, Nic, case.catalog.of(Kind.NIC))
    switches = _first(
        market.switches, [part for part, _ in case.parts(Switch, shared=True) if isinstance(part, Switch)]
    )
    links = _first(market.links, [part for part, _ in case.parts(Link, shared=True) if isinstance(part, Link)])
    wanted: list[_Wanted] = []
    if "network" not in case.request.have:
        least = front_end_asked_gbit_s(case)
        front = networks(_first(cards, nics), case.platform.onboard_lan, switches, links, "frontend", least)
        wanted.append(_Wanted("front-end network", front, 1))
        wanted.append(_Wanted("out-of-band network", networks([], [BMC], switches, links, "oob", 1), 1))
    cpus = [cpu for cpu, _ in case.parts(Cpu) if isinstance(cpu, Cpu)]
    rate = case.row.net_gbit_s if case.row and net == "rdma" else case.policy.whole("interconnect.ep_gbit_s")
    able = [card for card in nics if card.rdma and all(host_gbit_s(card, cpu) >= rate for cpu in cpus)]
    # Cards for a fabric that the plan doesn't need are a reminder: somebody meant to join them.
    enough = any(pieces >= case.per_node for card, pieces in case.parts(Nic) if card in able)
    if net == "rdma" or enough:
        speed = rate if net == "rdma" else max((card.gbit_s for card in able), default=rate)
        fabric = networks(able or cards, [], switches, links, "rdma", speed, direct=case.build.nodes == 2)
        wanted.append(_Wanted("RDMA fabric", fabric, case.per_node, optional=net != "rdma"))
    return wanted


def _way(case: Case, market: Market, wanted: _Wanted, network: Network, have: Mapping[str, int]) -> _Way | None:
    """What a way takes beyond `have`; None where it doesn't reach, or its cards find no free slot."""
    bill = network.bill_of(case.build.nodes, wanted.per_node)
    card = network.nic
    more_cards = 0 if card is None else max(0, wanted.per_node - have.get(f"node {card.id}", 0))
    free_slots = case.platform.nic_slots - sum(pieces for _, pieces in case.parts(Nic))
    if bill is None or more_cards > max(0, free_slots):
        return None
    need = {piece.id: pieces for piece, pieces in bill.items()}
    lacking = {part: pieces - have.get(part, 0) for part, pieces in need.items() if pieces > have.get(part, 0)}
    if card is not None and more_cards:
        lacking[card.id] = more_cards * case.build.nodes
    cents = sum(catalog_cents(market, part, pieces)[0] or NOT_FOR_SALE for part, pieces in lacking.items())
    return _Way(cents, sorted(lacking.items()), need)


def _incomplete(case: Case, market: Market, wanted: _Wanted, way: _Way) -> Missing:
    """What a network lacks, in words, with its pieces and their price."""
    ports = case.build.nodes * wanted.per_node
    said = joined(f"{pieces} x {case.catalog.parts[part].name}" for part, pieces in way.lacking)
    text = message(
        "joins {nodes} nodes by {ports} ports; with what is quoted it still takes {parts}",
        nodes=case.build.nodes,
        ports=ports,
        parts=said,
    )
    if wanted.optional:
        text = message("cards for it are quoted, but not all that joins them: {why}", why=text)
    return Missing(
        what=wanted.title,
        qty=sum(pieces for _, pieces in way.lacking),
        text=text,
        rule=Interconnect.id,
        reminder=wanted.optional,
        suggestion=[PartQty(part=part, qty=pieces) for part, pieces in way.lacking],
        cost=None if way.cents >= NOT_FOR_SALE else money(way.cents, market.request.currency),
    )


def _first(all_: Iterable[P], own: list[P]) -> list[P]:
    """What is quoted, whether the catalog prices it or not, before the rest."""
    return [*own, *(x for x in all_ if x not in own)]


def _short(case: Case, checks: list[Check]) -> Iterable[Missing]:
    """Sizes and pieces that failing rules state, one entry a rule."""
    short: dict[str, list[str]] = {}
    pieces: dict[str, int] = {}
    for check in checks:
        rule = BY_ID[check.rule]
        if (
            check.status != "fail"
            or not rule.shortfall
            or check.measured is None
            or check.limit is None
            or check.measured >= check.limit
        ):
            continue
        if check.unit == "modules" or (check.rule == HostMemory.id and not case.parts(Memory)):
            continue
        lack = math.ceil(check.limit - check.measured)
        whole, each = N_("{why}: {lack} {unit} too little"), N_("{why}: {lack} {unit} too little per node")
        key = each if rule.shortfall_each else whole
        short.setdefault(check.rule, []).append(message(key, why=check.text, lack=f"{lack:,}", unit=check.unit))
        pieces[check.rule] = pieces.get(check.rule, 0) + (lack if check.unit == "pieces" else 0)
    for of, texts in short.items():
        yield Missing(what=BY_ID[of].shortfall, qty=pieces[of] or None, text=joined(texts, "; "), rule=of)


REMINDERS = (
    ("rails", "rail kit", "no line names rails: ask whether they come with the chassis"),
    ("licence", "licences", "no line names any: management (BMC), operating system, GPU software where it is licensed"),
    ("carriage", "freight", "no line names it: ask whether the prices hold it"),
    ("support", "warranty and support", "no line names any: ask for years and response time"),
)


def _reminders(case: Case, quote: Quote) -> Iterable[Missing]:
    """Things that no rule demands and quotes often leave out."""
    said = [" ".join((line.text, line.name, line.section, line.warranty, line.note)) for line in quote.lines]
    for kind, what, text in REMINDERS:
        if any(has(kind, t) for t in said) or (kind == "support" and any(line.warranty for line in quote.lines)):
            continue
        if kind == "rails":
            if not case.platform.rack_mount:
                continue
            yield Missing(what=what, qty=case.build.nodes, text=text, rule="", reminder=True)
        else:
            yield Missing(what=what, qty=None, text=text, rule="", reminder=True)


def memory_facts(case: Case, checks: list[Check]) -> MemoryFacts | None:
    """Channels of a node; None where memory is part of the GPU or soldered."""
    platform = case.platform
    counts = dimm_counts(platform)
    modules = sum(pieces for _, pieces in case.parts(Memory))
    if not counts or case.gpu.form_factor == "integrated":
        return None
    mine = [check for check in checks if check.rule == HostMemory.id and check.unit == "modules"]
    status = mine[0].status if mine else "pass"
    channels = counts[0]
    if modules == 0:
        return MemoryFacts(modules=0, channels=channels, full=counts, status="fail", text="no modules quoted")
    ways = joined(map(str, counts), " or ")
    if modules in counts:
        text = message(
            "{n} modules fill all {channels} channels with {each} each",
            n=modules,
            channels=channels,
            each=modules // channels,
        )
    elif modules < channels:
        text = message(
            "{n} modules on {channels} channels: {empty} stay empty; {ways} fill them equally",
            n=modules,
            channels=channels,
            empty=channels - modules,
            ways=ways,
        )
    else:
        text = message(
            "{n} modules on {channels} channels are not equal; {ways} would be",
            n=modules,
            channels=channels,
            ways=ways,
        )
    return MemoryFacts(modules=modules, channels=channels, full=counts, status=status, text=text)


def supply_facts(case: Case, checks: list[Check]) -> SupplyFacts | None:
    """The bank of a node against its load; None where none is fitted, it is built in, or the load is unknown."""
    psus = case.psus
    if psus is None or case.power_unknown:
        return None
    each = watts_at(psus, case.line_volts)
    limit = node_limit_w(psus, case.line_volts, case.policy, case.region)
    mine = [check.status for check in checks if check.rule == Power.id]
    status: Status = "fail" if case.load_w > limit or "fail" in mine else "warn" if "warn" in mine else "pass"
    if each == 0:
        unfit = message("{n} fitted, not specified for {volts} V", n=psus.fitted, volts=case.line_volts)
        return SupplyFacts(
            load_w=case.load_w, limit_w=0, fitted=psus.fitted, needed=psus.needed, watts=0, status="fail", text=unfit
        )
    carries = message(
        N_("{n} x {watts} W, of which {needed} must carry the node: {load} W of {limit} W allowed, {apart} W too weak")
        if case.load_w > limit
        else N_(
            "{n} x {watts} W, of which {needed} must carry the node: {load} W of {limit} W allowed, {apart} W to spare"
        ),
        n=psus.fitted,
        watts=f"{each:,}",
        needed=psus.needed,
        load=f"{case.load_w:,}",
        limit=f"{limit:,}",
        apart=f"{abs(limit - case.load_w):,}",
    )
    text = joined([carries, *(["not redundant"] if psus.fitted == psus.needed else [])], "; ")
    return SupplyFacts(
        load_w=case.load_w, limit_w=limit, fitted=psus.fitted, needed=psus.needed, watts=each, status=status, text=text
    )  # fmt: skip

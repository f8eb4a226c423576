"""Rule interconnect: what the plan's groups need inside a node and between nodes, and the networks of a cluster.

Tensor parallel stays inside a node. Expert parallel across nodes takes one RDMA NIC per GPU and a non-blocking
fabric; so do prefill and decode apart, whose KV caches must not take more than a link has. Pipeline stages across
nodes take a front end of at least 25 Gbit/s, or that fabric; replicas only the front end. From two nodes on a front-end
and an out-of-band switch are bought unless the site has them; the front end is no slower than the port that the grade
asks of each node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from catalogs.llm import Llm
from catalogs.message import N_, joined, message
from catalogs.schema import Bridge, Cpu, Kind, Link, Nic, Part, Switch
from constraints.physics.contents import inside
from constraints.physics.demanded import wants_fabric
from constraints.physics.grades import grade_words, judged_by, port_gbit_s
from constraints.physics.layout import racks_reached, run_m
from constraints.physics.links import Network, fastest_port, lan_port, networks
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Grade
from constraints.rule import Check, Rule, counted, figure
from constraints.rules.rack import own_rack, racks_in

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

BMC = "1*1:RJ45"
CARDS_UNKNOWN = N_(
    "not judged: the network cards of the machine are not known; power and PCIe lanes are counted without them"
)
PCIE_GB_S = {3: 15.75, 4: 31.5, 5: 63.0, 6: 121.0, 7: 242.0}
"""One direction of an x16 link (PCI-SIG, 128b/130b coding; FLIT mode from generation 6)."""


def net_of(plan: Plan, per_node: int) -> str:
    """The network class that a plan needs: none, pp or rdma."""
    if plan.prefill is not None:
        return "rdma"  # KV caches go from node to node for every prompt
    if plan.gpus <= per_node and per_node % plan.gpus == 0:
        return "none"
    return "rdma" if plan.tp * plan.dp > per_node else "pp"


def laid_net(plan: Plan, row: RowKey | None, per_node: int) -> str:
    """The network class that a build lays for a plan: an RDMA fabric that its row counts on carries pipeline stages
    too."""
    needed = net_of(plan, per_node)
    return "rdma" if needed == "pp" and row is not None and row.net == "rdma" else needed


def least_gbit_s(plan: Plan, per_node: int, policy: Policy) -> int:
    """Network speed that a plan needs: per node for pipeline stages, per GPU for expert parallel and for KV caches."""
    if plan.prefill is not None:
        halves = (least_gbit_s(half, per_node, policy) for half in plan.halves)
        return max(policy.whole("interconnect.ep_gbit_s"), *halves)
    net = net_of(plan, per_node)
    if net == "rdma":
        return policy.whole("interconnect.ep_wide_gbit_s" if plan.ep > 8 else "interconnect.ep_gbit_s")
    return policy.whole("interconnect.pp_gbit_s") if net == "pp" else 0


def host_gbit_s(nic: Nic, cpu: Cpu) -> float:
    """What a card's slot carries: its lanes at the slower generation of the two."""
    return PCIE_GB_S.get(min(nic.pcie_gen, cpu.pcie_gen or 3), 15.75) * nic.lanes / 16 * 8


def kv_gbit_s(llm: Llm, plan: Plan, isl: int) -> Fraction:
    """Gbit/s that the KV caches of prompts take of a GPU's link where prefill and decode are apart, sending or
    receiving, whichever is more: each rank sends what it holds on a link of its own, a latent cache, which all ranks
    hold whole, goes once."""
    most = Fraction(0)
    for half in plan.halves if plan.prefill is not None else ():
        each = Fraction(llm.kv_rank_bytes(isl, half.kv_precision, half.tp), half.pp)
        most = max(most, each * 8 * plan.prompts_ks / (half.replicas * half.dp))
    return most / (1000 * 10**9)


def kv_fault(llm: Llm, plan: Plan, isl: int, key: RowKey) -> str:
    """Why the network is too slow for the KV caches that go from nodes that prefill to nodes that decode; empty when it
    is not."""
    need = kv_gbit_s(llm, plan, isl)
    if need <= key.net_gbit_s:
        return ""
    return message(
        "the KV caches of prompts take {a} Gbit/s of each GPU's link, the network gives only {b} Gbit/s",
        a=f"{float(need):,.1f}", b=f"{key.net_gbit_s:,}",
    )  # fmt: skip


def plan_fault(plan: Plan, key: RowKey, policy: Policy) -> str:
    """Why the plan can't run on the row's hardware; empty when it can."""
    if plan.all_gpus != key.total:
        return message("the plan takes {why}, the build has {n}", why=counted(plan.all_gpus, "GPU"), n=f"{key.total:,}")
    for half in plan.halves:
        if half.tp > key.per_node or key.per_node % half.tp:
            return message(
                "tensor parallel {n} does not stay inside a node of {why}", n=half.tp, why=counted(key.per_node, "GPU")
            )
        if plan.prefill is not None and half.gpus * half.replicas % key.per_node:
            return "nodes that prefill and nodes that decode are whole ones"
    if plan.prefill is not None and key.net != "rdma":
        return "prefill and decode apart need an RDMA fabric between nodes"
    needed = net_of(plan, key.per_node)
    if needed == "rdma" and key.net != "rdma":
        return "the plan's expert parallelism needs an RDMA fabric between nodes"
    if needed == "pp" and key.net == "none":
        return "the plan's pipeline stages need a network of their own speed between nodes"
    least = least_gbit_s(plan, key.per_node, policy)
    if key.net_gbit_s < least:
        return message(
            "the plan needs {a} Gbit/s between nodes, the network gives only {b} Gbit/s",
            a=f"{least:,}",
            b=f"{key.net_gbit_s:,}",
        )
    return ""


@dataclass(frozen=True)
class _Gear:
    """What networks are made of: cards bought or inside, switches and links on sale."""

    cards: list[Nic]
    switches: list[Switch]
    links: list[Link]


class Interconnect(Rule):
    id = "interconnect"
    refuses = frozenset({"row"})
    title = N_("Interconnect")
    phase = "shared"
    reads = frozenset({"plan", "row"})
    cured_by = frozenset({"nic", "switch", "cable", "optic", "bridge"})
    settles = cured_by

    def may(self, facts: Facts) -> str:
        """A row whose plan does not run on the row's own network."""
        row = facts.row
        if row is None:
            return ""
        return plan_fault(row.plan, row.key, facts.policy) or kv_fault(facts.llm, row.plan, facts.request.isl, row.key)

    def encode(self, model: FamilyModel) -> None:
        cpus = [(cpu, literal) for (cpu, _), literal in model.cpu.items()]
        cpus += [
            (cpu, literal)
            for platform, literal in model.platform.items()
            for cpu, _ in inside(platform, model.catalog, Cpu)
            if isinstance(cpu, Cpu)
        ]
        self._plans(model, cpus)
        self._bridges(model)
        self._ports(model)
        if max(model.node_counts) > 1:
            self._networks(model, cpus)

    def _ports(self, model: FamilyModel) -> None:
        """A node has a port, as fast as its grade asks: its own, or that of a card."""
        for platform, literal in model.platform.items():
            least = port_gbit_s(platform, model.policy, model.request.grade)
            if fastest_port(platform, (card for card, _ in inside(platform, model.catalog, Nic))) < least:
                fast = [pieces for card, pieces in model.nic.items() if card.gbit_s >= least]
                model.cp.add(sum(fast) >= 1).only_enforce_if(literal)

    def _plans(self, model: FamilyModel, cpus: list[tuple[Cpu, Any]]) -> None:
        """Rows run their plan on their own network, and CPUs give the host links that a row's speed was judged at."""
        for row, chosen in model.rows.items():
            too_slow = kv_fault(model.llm, row.plan, model.request.isl, row.key)
            if plan_fault(row.plan, row.key, model.policy) or too_slow:
                model.cp.add(chosen == 0)
            for cpu, literal in cpus:
                if (cpu.pcie_gen or 0) < row.key.pcie_gen:
                    model.cp.add_implication(chosen, ~literal)

    def _networks(self, model: FamilyModel, cpus: list[tuple[Cpu, Any]]) -> None:
        """Front end, out-of-band and RDMA networks of several nodes, and the cards that all of them take."""
        held: dict[Nic, list[Any]] = {}
        for platform, literal in model.platform.items():
            for nic, qty in inside(platform, model.catalog, Nic):
                held.setdefault(nic, []).append(qty * literal)
        gear = _Gear(
            [*model.nic, *(nic for nic in held if nic not in model.nic)],
            [part for part in _sold(model, Kind.SWITCH) if isinstance(part, Switch)],
            [part for part in _sold(model, Kind.CABLE, Kind.OPTIC) if isinstance(part, Link)],
        )
        many = {nodes: literal for nodes, literal in model.node_counts.items() if nodes > 1}
        if "network" in model.request.have:
            self._ports_for_stages(model, held)
        else:
            self._front_end(model, gear, many)
        for rate in sorted({row.key.net_gbit_s for row in model.rows if row.key.net == "rdma"}):
            at_rate = [
                chosen for row, chosen in model.rows.items() if row.key.net == "rdma" and row.key.net_gbit_s == rate
            ]
            self._fabric(model, gear, cpus, many, rate, at_rate)
        others = [literal for row, literal in model.rows.items() if row.key.net != "rdma" and row.key.nodes > 1]
        if others and wants_fabric(model.request, model.catalog):
            self._fabric(model, gear, cpus, many, model.policy.whole("interconnect.ep_gbit_s"), others)
        for nic, needs in model.nic_needs.items():
            model.cp.add(model.nic.get(nic, 0) + sum(held.get(nic, [])) >= sum(needs))

    def _front_end(self, model: FamilyModel, gear: _Gear, many: dict[int, Any]) -> None:
        """The front-end and the out-of-band network, which every cluster has."""
        lans = {lan for platform in model.platform for lan in platform.onboard_lan}
        kinds = networks(gear.cards, lans, gear.switches, gear.links, "frontend", 1, most=max(many))
        self._one_of(model, kinds, many, 1, list(many.values()))
        self._need_speed(model)
        kinds = networks([], [BMC], gear.switches, gear.links, "oob", 1, most=max(many))
        self._one_of(model, kinds, many, 1, list(many.values()))

    def _ports_for_stages(self, model: FamilyModel, held: dict[Nic, list[Any]]) -> None:
        """On the site's network pipeline stages still take a port of their speed in each node."""
        least = model.policy.whole("interconnect.pp_gbit_s")
        fast = [pieces for card, pieces in model.nic.items() if card.gbit_s >= least]
        fast += [pieces for card, terms in held.items() if card.gbit_s >= least for pieces in terms]
        fast += [
            literal
            for platform, literal in model.platform.items()
            if any(lan_port(lan)[0] >= least for lan in platform.onboard_lan)
        ]
        for row, chosen in model.rows.items():
            if row.key.net == "pp":
                model.cp.add(sum(fast) >= 1).only_enforce_if(chosen)

    def _fabric(
        self,
        model: FamilyModel,
        gear: _Gear,
        cpus: list[tuple[Cpu, Any]],
        many: dict[int, Any],
        rate: int,
        rows: list[Any],
    ) -> None:
        """An RDMA fabric of this rate with a card for each GPU, where one of the rows is chosen."""
        most = max(many) * model.per_node
        kinds = networks(gear.cards, [], gear.switches, gear.links, "rdma", rate, direct=True, most=most)
        self._one_of(model, kinds, many, model.per_node, rows)
        self._host_carries(model, cpus, rate)

    def _host_carries(self, model: FamilyModel, cpus: list[tuple[Cpu, Any]], rate: int) -> None:
        """The CPUs' slots carry the cards of the RDMA networks added last."""
        laid, _ = model.nets[-1]
        for network, literal in laid.items():
            for cpu, chosen in cpus if network.nic else ():
                if host_gbit_s(network.nic, cpu) < rate:
                    model.cp.add_bool_or([~literal, ~chosen])

    def _bridges(self, model: FamilyModel) -> None:
        """Bridged rows take exactly the bridges of all groups; others none."""
        bridged = model.gpu.fabric == "nvlink-bridge"
        used = {bridge: model.cp.new_bool_var("") for bridge in model.bridge}
        for bridge, qty in model.bridge.items():
            groups = model.per_node // bridge.group_gpus
            model.cp.add(qty == groups * bridge.per_group * used[bridge])
        for row, chosen in model.rows.items():
            want = 1 if bridged and row.key.domain > 1 else 0
            fits = [literal for bridge, literal in used.items() if bridge.group_gpus == row.key.domain]
            model.cp.add(sum(fits) == want).only_enforce_if(chosen)
            # And no others: the row's speed was judged at groups of this size.
            model.cp.add(sum(used.values()) == want).only_enforce_if(chosen)

    def _one_of(
        self, model: FamilyModel, kinds: list[Network], many: dict[int, Any], per_node: int, when: list[Any]
    ) -> None:
        """One network of `kinds` is bought, with cards in every node, where a literal of `when` holds; of these one
        holds at most. Elsewhere none is."""
        cp = model.cp
        literals = {network: cp.new_bool_var("") for network in kinds}
        model.nets.append((literals, per_node))
        for chosen in when:
            cp.add(sum(literals.values()) == 1).only_enforce_if(chosen)
        # The other half: no network where none is asked for. Its pieces would be surplus (docs/proof.md, Both halves).
        cp.add(sum(literals.values()) <= sum(when))
        for network, laid in literals.items():
            if network.nic is not None:
                model.nic_needs.setdefault(network.nic, []).append(per_node * laid)
            elif network.lan != BMC:
                # Onboard ports come with the platform; the management port is on every one.
                having = [
                    literal for platform, literal in model.platform.items() if network.lan in platform.onboard_lan
                ]
                cp.add(sum(having) >= 1).only_enforce_if(laid)
            self._bill(model, network, laid, many, per_node)
            self._within_reach(model, network, laid, many)

    def _within_reach(self, model: FamilyModel, network: Network, laid: Any, many: dict[int, Any]) -> None:
        """No more racks than its cables reach; machines that bring their own racks are a rack each."""
        reached = racks_reached(network.shortest_m, max(many), model.policy)
        if reached == max(many):
            return
        model.cp.add(model.racks_needed <= reached).only_enforce_if(laid)
        for platform, literal in model.platform.items():
            for nodes, is_n in many.items() if own_rack(platform) else ():
                if nodes > reached:
                    model.cp.add_bool_or([~laid, ~is_n, ~literal])

    def _bill(self, model: FamilyModel, network: Network, laid: Any, many: dict[int, Any], per_node: int) -> None:
        """The shared pieces of a network that is laid, by the number of nodes."""
        # A literal for each number of nodes: a bill is no linear function of it, but a list of numbers under each.
        joins = []
        for nodes, is_n in many.items():
            bill = network.bill_of(nodes, per_node)
            if bill is None:
                continue  # it does not reach that far: laid, it leaves only the other numbers
            joins.append(model.cp.new_bool_var(""))
            model.cp.add_implication(joins[-1], is_n)
            for part, qty in bill.items():
                model.add_shared(part, qty, joins[-1])
        model.cp.add(sum(joins) == laid)

    def _need_speed(self, model: FamilyModel) -> None:
        """Pipeline stages take a front end of their speed, and nodes one that is no slower than the port that the grade
        asks of each; it is the network added last."""
        front_end, _ = model.nets[-1]
        stages = model.policy.whole("interconnect.pp_gbit_s")
        least = [(stages, chosen) for row, chosen in model.rows.items() if row.key.net == "pp"]
        for platform, literal in model.platform.items():
            least.append((port_gbit_s(platform, model.policy, model.request.grade), literal))
        for gbit_s, chosen in least:
            for network, laid in front_end.items():
                if network.gbit_s < gbit_s:
                    model.cp.add_bool_or([~chosen, ~laid])

    def check(self, case: Case) -> list[Check]:
        found: list[Check] = []
        if case.row is not None:
            fault = plan_fault(case.plan, case.row, case.policy)
            if fault:
                found.append(Check.of(self.id, False, fault))
            if case.plan.prefill is not None:
                found.append(self._handing_over(case, case.row))
            if case.row.pcie_gen:
                found.append(self._host_link(case, case.row.pcie_gen))
            found += self._domain(case, case.row)
        nics = [(part, pieces) for part, pieces in case.parts(Nic) if isinstance(part, Nic)]
        if "nic" in case.build.unknown:
            return [*found, Check.warn(self.id, CARDS_UNKNOWN)]
        found += self._port(case, nics)
        if case.build.nodes > 1:
            found += self._cluster(case, nics)
        return found or [Check.of(self.id, True, "one node: no fabric needed")]

    def _port(self, case: Case, nics: list[tuple[Nic, int]]) -> list[Check]:
        """Whether a node has a port, and one as fast as its grade asks; at the floor a warning of what is not sold."""
        if not nics and not case.platform.onboard_lan:
            return [Check.of(self.id, False, "a node has no network port: it needs a NIC")]
        grade, asked, least = _port_asked(case)
        have = fastest_port(case.platform, (card for card, _ in nics))
        if not least:
            return []
        said = {"a": f"{have:,}", "b": f"{least:,}", "grade": grade_words(asked)}
        if have >= least:
            text = message("the fastest port of a node has {a} Gbit/s, grade {grade} asks for {b}", **said)
            return [] if grade == "floor" else [Check(self.id, "pass", have, least, "Gbit/s", text, "at_least")]
        if grade == "floor":
            text = message("the fastest port of a node has {a} Gbit/s; {b} are advised (grade {grade})", **said)
            return [Check.warn(self.id, text, have, least, "Gbit/s", "at_least")]
        text = message("the fastest port of a node has {a} Gbit/s, below the {b} of grade {grade}", **said)
        return [Check(self.id, "fail", have, least, "Gbit/s", text, "at_least")]

    def _speed(self, case: Case, have: dict[str, int]) -> list[Check]:
        """Whether the front end is as fast as the port that the grade asks of each node; at the floor a warning of what
        is not sold. Nothing where none can be laid, or the site has one: what that gives is not known."""
        grade, asked, least = _port_asked(case)
        laid = 0 if "network" in case.request.have or not least else _front_end_laid_gbit_s(case, have)
        if not laid:
            return []
        said = {"n": case.build.nodes, "a": f"{laid:,}", "b": f"{least:,}", "grade": grade_words(asked)}
        if laid >= least:
            text = message("the network of {n} nodes has {a} Gbit/s, grade {grade} asks for {b} at each node", **said)
            return [] if grade == "floor" else [Check(self.id, "pass", laid, least, "Gbit/s", text, "at_least")]
        if grade == "floor":
            text = message("the network of {n} nodes has {a} Gbit/s; {b} are advised (grade {grade})", **said)
            return [Check.warn(self.id, text, laid, least, "Gbit/s", "at_least")]
        text = message(
            "the network of {n} nodes has {a} Gbit/s, below the {b} that grade {grade} asks for at each node", **said
        )
        return [Check(self.id, "fail", laid, least, "Gbit/s", text, "at_least")]

    def _handing_over(self, case: Case, row: RowKey) -> Check:
        """What the KV caches take of each GPU's link between nodes that prefill and nodes that decode."""
        need = round(float(kv_gbit_s(case.llm, case.plan, case.request.isl)), 1)
        fault = kv_fault(case.llm, case.plan, case.request.isl, row)
        text = fault or message(
            "the KV caches of prompts take {a} of the {b} Gbit/s of each GPU's link",
            a=f"{need:,.1f}", b=f"{row.net_gbit_s:,}",
        )  # fmt: skip
        return Check(self.id, "fail" if fault else "pass", need, row.net_gbit_s, "Gbit/s", text, "at_most")

    def _host_link(self, case: Case, wanted: int) -> Check:
        """PCIe generation of the CPUs against that of the row."""
        cpus = [part for part, _ in case.parts(Cpu) if isinstance(part, Cpu)]
        dark = [cpu.name for cpu in cpus if cpu.pcie_gen is None]
        if not cpus or dark:
            text = (
                message(
                    "the plan counts on host links of PCIe {gen}; that of {cpu} is not published",
                    gen=wanted, cpu=joined(dark),
                )
                if dark
                else message("the plan counts on host links of PCIe {gen}; no CPU is there", gen=wanted)
            )  # fmt: skip
            return Check(self.id, "fail", None, wanted, "gen", text, "at_least")
        slowest = min(cpu.pcie_gen or 0 for cpu in cpus)
        return Check.at_least(
            self.id,
            slowest,
            wanted,
            "gen",
            message("the CPUs give host links of PCIe {a}, the plan counts on PCIe {b}", a=slowest, b=wanted),
            message("the CPUs give host links of PCIe {a} only, the plan counts on PCIe {b}", a=slowest, b=wanted),
        )

    def _domain(self, case: Case, row: RowKey) -> list[Check]:
        if row.domain <= 1 or case.gpu.fabric != "nvlink-bridge":
            return []
        groups = [part.group_gpus for part, _ in case.parts(Bridge) if isinstance(part, Bridge)]
        if row.domain in groups:
            return [Check.of(self.id, True, message("NVLink bridges join groups of {n} GPUs", n=row.domain))]
        text = message("the plan counts on NVLink bridges over groups of {n} GPUs, which are not fitted", n=row.domain)
        return [Check.of(self.id, False, text)]

    def _cluster(self, case: Case, nics: list[tuple[Nic, int]]) -> list[Check]:
        nodes = case.build.nodes
        net = laid_net(case.plan, case.row, case.per_node)
        if "network" in case.request.have and net == "pp":
            least = case.policy.whole("interconnect.pp_gbit_s")
            speeds = [x.gbit_s for x, _ in nics] + [lan_port(x)[0] for x in case.platform.onboard_lan]
            fastest = max(speeds, default=0)
            return [
                Check.at_least(
                    self.id,
                    fastest,
                    least,
                    "Gbit/s",
                    message(
                        "a node's network port has {a} Gbit/s, pipeline stages need {b} Gbit/s",
                        a=f"{fastest:,}",
                        b=f"{least:,}",
                    ),
                    message(
                        "a node's network port has only {a} Gbit/s, pipeline stages need {b} Gbit/s",
                        a=f"{fastest:,}",
                        b=f"{least:,}",
                    ),
                )
            ]
        have = dict(case.build.shared) | {f"node {x.id}": q for x, q in nics}
        if short := _short_cables(case, have):
            return [short]
        speed = self._speed(case, have)
        if any(finding.status == "fail" for finding in speed):
            return speed
        bills = bills_of(case)
        for title, options in bills.items():
            if not options:
                text = message(
                    "no {fabric} joins the {n} nodes: switches, cards and cables do not match", fabric=title, n=nodes
                )
                return [Check.of(self.id, False, text)]
        if not covers(list(bills.values()), have):
            return [
                Check.of(
                    self.id,
                    False,
                    message("there are too few cards, switches or cables for the networks of {n} nodes", n=nodes),
                )
            ]
        laid = (
            message("networks of {n} nodes: {networks}", n=nodes, networks=joined(bills))
            if bills
            else message("networks of {n} nodes: the site's", n=nodes)
        )
        found = [Check.of(self.id, True, laid), *speed]
        if net == "rdma" and all(
            part.role != "rdma" for part, _ in case.parts(Switch, shared=True) if isinstance(part, Switch)
        ):
            found.append(Check.warn(self.id, "the RDMA fabric is cabled directly: no third node can join it"))
        return found


def rows_of_racks(case: Case) -> int:
    """Racks that the nodes of a build stand in; 0 of machines that stand on their own."""
    return case.build.nodes if own_rack(case.platform) else racks_in(case)


def _port_asked(case: Case) -> tuple[Grade, Grade, int]:
    """The grade; the one whose port a node is held against: at the floor, which asks for none, what is sold; and that
    port's Gbit/s."""
    grade = case.request.grade
    asked = judged_by(grade)
    return grade, asked, port_gbit_s(case.platform, case.policy, asked)


def front_end_asked_gbit_s(case: Case) -> int:
    """Gbit/s that the front end of several nodes must have: of pipeline stages, and of the port that the grade asks of
    each node."""
    net = laid_net(case.plan, case.row, case.per_node)
    stages = case.policy.whole("interconnect.pp_gbit_s") if net == "pp" else 1
    return max(stages, port_gbit_s(case.platform, case.policy, case.request.grade))


def _front_end_laid_gbit_s(case: Case, have: dict[str, int]) -> int:
    """Gbit/s of the fastest front end that can be laid of what is there, beside the other networks; 0: none can."""
    switches = [part for part, _ in case.parts(Switch, shared=True) if isinstance(part, Switch)]
    rates = {int(speed.partition(":")[0]) for switch in switches for speed in switch.speeds}
    for rate in sorted(rates, reverse=True):
        if covers(list(bills_of(case, front_end=rate).values()), have):
            return rate
    return 0


def _short_cables(case: Case, have: dict[str, int]) -> Check | None:
    """The failing finding where the networks could be laid but for the length of their cables."""
    if covers(list(bills_of(case).values()), have):
        return None
    if not covers(list(bills_of(case, any_length=True).values()), have):
        return None
    racks = max(1, rows_of_racks(case))
    cables = [part for part, _ in case.parts(Link, shared=True) if isinstance(part, Link) and part.kind == Kind.CABLE]
    lengths = [cable.length_m for cable in cables if cable.length_m is not None]
    short = min(lengths, default=0.0)
    names = joined(cable.name or cable.id for cable in cables if cable.length_m == short)
    need = float(run_m(racks, case.policy))
    text = message(
        "{parts} of {a} m are too short: to rack {rack} of the rows a cable takes {b} m",
        parts=names, a=figure(short), rack=racks, b=figure(need),
    )  # fmt: skip
    return Check("interconnect", "fail", short, need, "m", text, "at_least")


def bills_of(case: Case, any_length: bool = False, front_end: int | None = None) -> dict[str, list[dict[str, int]]]:
    """For each network that a build of two and more nodes buys: what each way to lay it takes of the parts at hand, by
    cables that reach all racks, or of any length; with a front end of so many Gbit/s or of what it must have.

    Keys are part ids, of cards `node ID` with their number per node."""
    least_m = float("-inf") if any_length or not rows_of_racks(case) else run_m(rows_of_racks(case), case.policy)
    nodes, need = case.build.nodes, list[tuple[str, list[Network], int]]()
    nics = [part for part, _ in case.parts(Nic) if isinstance(part, Nic)]
    switches = [part for part, _ in case.parts(Switch, shared=True) if isinstance(part, Switch)]
    links = [part for part, _ in case.parts(Link, shared=True) if isinstance(part, Link)]
    net = laid_net(case.plan, case.row, case.per_node)
    if "network" not in case.request.have:
        least = front_end_asked_gbit_s(case) if front_end is None else front_end
        front = networks(nics, case.platform.onboard_lan, switches, links, "frontend", least)
        need.append(("front end", front, 1))
        need.append(("out-of-band network", networks([], [BMC], switches, links, "oob", 1), 1))
    if net == "rdma" or wants_fabric(case.request, case.catalog):
        rate = case.row.net_gbit_s if case.row and net == "rdma" else case.policy.whole("interconnect.ep_gbit_s")
        cpus = [part for part, _ in case.parts(Cpu) if isinstance(part, Cpu)]
        able = [x for x in nics if all(host_gbit_s(x, cpu) >= rate for cpu in cpus)]
        need.append(
            ("RDMA fabric", networks(able, [], switches, links, "rdma", rate, direct=nodes == 2), case.per_node)
        )
    return {
        title: [
            bill
            for network in kinds
            if (network.shortest_m is None or Decimal(str(network.shortest_m)) >= least_m)
            and (bill := _bill(network, nodes, per_node)) is not None
        ]
        for title, kinds, per_node in need
    }


def _bill(network: Network, nodes: int, per_node: int) -> dict[str, int] | None:
    bill = network.bill_of(nodes, per_node)
    cards = {f"node {network.nic.id}": per_node} if network.nic is not None else {}
    return None if bill is None else {piece.id: qty for piece, qty in bill.items()} | cards


def covers(
    bills: list[list[dict[str, int]]], have: dict[str, int], fine: Callable[[dict[str, int]], bool] | None = None
) -> bool:
    """Whether one option of each network can be laid with the pieces at hand, none counted twice, so that what is left
    is `fine`."""
    if not bills:
        return fine is None or fine(have)
    for option in bills[0]:
        if all(have.get(part, 0) >= qty for part, qty in option.items()):
            rest = {part: qty - option.get(part, 0) for part, qty in have.items()}
            if covers(bills[1:], rest, fine):
                return True
    return False


def _sold(model: FamilyModel, *kinds: Kind) -> list[Part]:
    """Priced parts of some kinds. Gear without a price is in no network; pruning takes prices away."""
    return [part for part in model.catalog.of(*kinds) if part.id in model.book.prices]

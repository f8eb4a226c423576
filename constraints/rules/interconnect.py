"""Rule interconnect: what the plan's groups need inside a node and between nodes, and the networks of a cluster.

Tensor parallel stays inside a node. Expert parallel across nodes takes one RDMA NIC per GPU and a non-blocking
fabric; pipeline stages across nodes take a front end of at least 25 Gbit/s; replicas only the front end. From two
nodes on a front-end and an out-of-band switch are bought unless the site has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, joined, message
from catalogs.schema import Bridge, Cpu, Kind, Link, Nic, Switch
from constraints.physics.contents import inside
from constraints.physics.demanded import wants_exact, wants_fabric
from constraints.physics.links import Network, lan_port, networks
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.rule import Check, Rule, counted

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

BMC = "1*1:RJ45"
PCIE_GB_S = {3: 15.75, 4: 31.5, 5: 63.0, 6: 121.0, 7: 242.0}
"""One direction of an x16 link (PCI-SIG, 128b/130b coding; FLIT mode from generation 6)."""


def net_of(plan: Plan, per_node: int) -> str:
    """The network class that a plan needs: none, pp or rdma."""
    if plan.gpus <= per_node and per_node % plan.gpus == 0:
        return "none"
    return "rdma" if plan.tp * plan.dp > per_node else "pp"


def least_gbit_s(plan: Plan, per_node: int, policy: Policy) -> int:
    """Network speed that a plan needs: per node for pipeline stages, per GPU for expert parallel."""
    net = net_of(plan, per_node)
    if net == "rdma":
        return policy.whole("interconnect.ep_wide_gbit_s" if plan.ep > 8 else "interconnect.ep_gbit_s")
    return policy.whole("interconnect.pp_gbit_s") if net == "pp" else 0


def host_gbit_s(nic: Nic, cpu: Cpu) -> float:
    """What a card's slot carries: its lanes at the slower generation of the two."""
    return PCIE_GB_S.get(min(nic.pcie_gen, cpu.pcie_gen or 3), 15.75) * nic.lanes / 16 * 8


def plan_fault(plan: Plan, key: RowKey, policy: Policy) -> str:
    """Why the plan can't run on the row's hardware; empty when it can."""
    if plan.gpus * plan.replicas != key.total:
        return message(
            "the plan takes {why}, the build has {n}", why=counted(plan.gpus * plan.replicas, "GPU"), n=f"{key.total:,}"
        )
    if plan.tp > key.per_node or key.per_node % plan.tp:
        return message(
            "tensor parallel {n} does not stay inside a node of {why}", n=plan.tp, why=counted(key.per_node, "GPU")
        )
    if net_of(plan, key.per_node) != "none" and key.net != net_of(plan, key.per_node):
        if net_of(plan, key.per_node) == "rdma":
            return "the plan's expert parallelism needs an RDMA fabric between nodes"
        return "the plan's pipeline stages need a network of their own speed between nodes"
    least = least_gbit_s(plan, key.per_node, policy)
    if key.net_gbit_s < least:
        return message(
            "the plan needs {a} Gbit/s between nodes, the network gives only {b} Gbit/s",
            a=f"{least:,}",
            b=f"{key.net_gbit_s:,}",
        )
    return ""


class Interconnect(Rule):
    id = "interconnect"
    title = N_("Interconnect")
    phase = "shared"
    reads = frozenset({"plan", "row"})
    cured_by = frozenset({"nic", "switch", "cable", "optic", "bridge"})
    settles = cured_by

    def may(self, facts: Facts) -> str:
        """A row whose plan does not run on the row's own network."""
        return plan_fault(facts.row.plan, facts.row.key, facts.policy) if facts.row is not None else ""

    def encode(self, m: FamilyModel) -> None:
        cp = m.cp
        cpus = [(x, v) for (x, _), v in m.cpu.items()]
        cpus += [(x, v) for p, v in m.platform.items() for x, _ in inside(p, m.catalog, Cpu)]
        for r, chosen in m.rows.items():
            if plan_fault(r.plan, r.key, m.policy):
                cp.add(chosen == 0)
            for x, v in cpus:
                if (x.pcie_gen or 0) < r.key.pcie_gen:
                    cp.add_implication(chosen, ~v)
        self._bridges(m)
        links = [x for x in m.catalog.of(Kind.CABLE, Kind.OPTIC) if isinstance(x, Link) and x.id in m.book.prices]
        switches = [x for x in m.catalog.of(Kind.SWITCH) if isinstance(x, Switch) and x.id in m.book.prices]
        ports = [v for p, v in m.platform.items() if p.onboard_lan or _holds_nic(p, m)]
        cp.add(sum(ports) + sum(m.nic.values()) >= 1)
        held: dict[Nic, list[Any]] = {}
        for p, v in m.platform.items():
            for nic, qty in inside(p, m.catalog, Nic):
                held.setdefault(nic, []).append(qty * v)
        cards = [*m.nic, *(n for n in held if n not in m.nic)]
        many = {n: v for n, v in m.node_counts.items() if n > 1}
        if not many:
            return
        pp = [v for r, v in m.rows.items() if r.key.net == "pp"]
        if "network" not in m.request.have:
            lans = {lan for p in m.platform for lan in p.onboard_lan}
            fe = networks(cards, lans, switches, links, "frontend", 1, most=max(many))
            self._one_of(m, fe, many, 1, list(many.values()))
            self._need_speed(m, fe, pp)
            oob = networks([], [BMC], switches, links, "oob", 1, most=max(many))
            self._one_of(m, oob, many, 1, list(many.values()))
        elif pp:
            least = m.policy.whole("interconnect.pp_gbit_s")
            fast = [q for n, q in m.nic.items() if n.gbit_s >= least]
            fast += [q for n, inside_ in held.items() if n.gbit_s >= least for q in inside_]
            lan = [v for p, v in m.platform.items() if any(lan_port(x)[0] >= least for x in p.onboard_lan)]
            for chosen in pp:
                cp.add(sum(fast) + sum(lan) >= 1).only_enforce_if(chosen)
        for rate in sorted({r.key.net_gbit_s for r in m.rows if r.key.net == "rdma"}):
            rows = [v for r, v in m.rows.items() if r.key.net == "rdma" and r.key.net_gbit_s == rate]
            most = max(many) * m.per_node
            kinds = networks(cards, [], switches, links, "rdma", rate, direct=True, most=most)
            self._one_of(m, kinds, many, m.per_node, rows)
            self._host_carries(m, cpus, rate)
        others = [v for r, v in m.rows.items() if r.key.net != "rdma" and r.key.nodes > 1]
        if others and wants_fabric(m.request, m.catalog):
            rate = m.policy.whole("interconnect.ep_gbit_s")
            most = max(many) * m.per_node
            kinds = networks(cards, [], switches, links, "rdma", rate, direct=True, most=most)
            self._one_of(m, kinds, many, m.per_node, others)
            self._host_carries(m, cpus, rate)
        for nic, needs in m.nic_needs.items():
            cp.add(m.nic.get(nic, 0) + sum(held.get(nic, [])) >= sum(needs))

    def _host_carries(self, m: FamilyModel, cpus: list[tuple[Cpu, Any]], rate: int) -> None:
        """The CPUs' slots carry the cards of the RDMA networks added last."""
        for k, v in m.nets[-1][0].items():
            for b in (b for x, b in cpus if k.nic and host_gbit_s(k.nic, x) < rate):
                m.cp.add_bool_or([~v, ~b])

    def _bridges(self, m: FamilyModel) -> None:
        """Bridged rows take exactly the bridges of all groups; others none."""
        bridged = m.gpu.fabric == "nvlink-bridge"
        used = {x: m.cp.new_bool_var("") for x in m.bridge}
        for x, qty in m.bridge.items():
            m.cp.add(qty == m.per_node // x.group_gpus * x.per_group * used[x])
        for r, chosen in m.rows.items():
            want = 1 if bridged and r.key.domain > 1 else 0
            fits = [v for x, v in used.items() if x.group_gpus == r.key.domain]
            m.cp.add(sum(fits) == want).only_enforce_if(chosen)
            m.cp.add(sum(used.values()) == want).only_enforce_if(chosen)

    def _one_of(
        self, m: FamilyModel, kinds: list[Network], many: dict[int, Any], per_node: int, when: list[Any]
    ) -> None:
        """Where a literal of `when` holds one network of `kinds` is bought, with cards in every node."""
        cp = m.cp
        literals = {k: cp.new_bool_var("") for k in kinds}
        m.nets.append((literals, per_node))
        for w in when:
            cp.add(sum(literals.values()) == 1).only_enforce_if(w)
        if m.request.no_surplus or wants_exact(m.request, m.catalog):
            cp.add(sum(literals.values()) <= sum(when))
        for k, v in literals.items():
            if k.nic is not None:
                m.nic_needs.setdefault(k.nic, []).append(per_node * v)
            elif k.lan != BMC:
                cp.add(sum(x for p, x in m.platform.items() if k.lan in p.onboard_lan) >= 1).only_enforce_if(v)
            for n, is_n in many.items():
                bill = k.bill_of(n, per_node)
                if bill is None:
                    cp.add_bool_or([~v, ~is_n])
                    continue
                z = m.both(v, is_n)
                for part, qty in bill.items():
                    m.add_shared(part, qty, z)

    def _need_speed(self, m: FamilyModel, fe: list[Network], pp: list[Any]) -> None:
        least = m.policy.whole("interconnect.pp_gbit_s")
        literals = m.nets[-1][0]
        for chosen in pp:
            for k, v in literals.items():
                if k.gbit_s < least:
                    m.cp.add_bool_or([~chosen, ~v])

    def check(self, c: Case) -> list[Check]:
        found: list[Check] = []
        if c.row is not None:
            fault = plan_fault(c.plan, c.row, c.policy)
            if fault:
                found.append(Check.of(self.id, False, fault))
            if c.row.pcie_gen:
                found.append(self._host_link(c, c.row.pcie_gen))
            found += self._domain(c, c.row)
        nics = [(x, q) for x, q in c.parts(Nic) if isinstance(x, Nic)]
        if not nics and not c.platform.onboard_lan:
            found.append(Check.of(self.id, False, "a node has no network port: it needs a NIC"))
        if c.build.nodes > 1:
            found += self._cluster(c, nics)
        return found or [Check.of(self.id, True, "one node: no fabric needed")]

    def _host_link(self, c: Case, wanted: int) -> Check:
        """PCIe generation of the CPUs against that of the row."""
        cpus = [x for x, _ in c.parts(Cpu) if isinstance(x, Cpu)]
        dark = [x.name for x in cpus if x.pcie_gen is None]
        if not cpus or dark:
            text = (
                message(
                    "the plan counts on host links of PCIe {gen}; that of {cpu} is not published",
                    gen=wanted, cpu=", ".join(dark),
                )
                if dark
                else message("the plan counts on host links of PCIe {gen}; no CPU is there", gen=wanted)
            )  # fmt: skip
            return Check(self.id, "fail", None, wanted, "gen", text, "at_least")
        slowest = min(x.pcie_gen or 0 for x in cpus)
        return Check.at_least(
            self.id,
            slowest,
            wanted,
            "gen",
            message("the CPUs give host links of PCIe {a}, the plan counts on PCIe {b}", a=slowest, b=wanted),
            message("the CPUs give host links of PCIe {a} only, the plan counts on PCIe {b}", a=slowest, b=wanted),
        )

    def _domain(self, c: Case, row: RowKey) -> list[Check]:
        if c.gpu.fabric != "nvlink-bridge" or row.domain <= 1:
            return []
        groups = [x.group_gpus for x, _ in c.parts(Bridge) if isinstance(x, Bridge)]
        if row.domain in groups:
            return [Check.of(self.id, True, message("NVLink bridges join groups of {n} GPUs", n=row.domain))]
        text = message("the plan counts on NVLink bridges over groups of {n} GPUs, which are not fitted", n=row.domain)
        return [Check.of(self.id, False, text)]

    def _cluster(self, c: Case, nics: list[tuple[Nic, int]]) -> list[Check]:
        n = c.build.nodes
        net = net_of(c.plan, c.per_node)
        if "network" in c.request.have and net == "pp":
            least = c.policy.whole("interconnect.pp_gbit_s")
            speeds = [x.gbit_s for x, _ in nics] + [lan_port(x)[0] for x in c.platform.onboard_lan]
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
        bills = bills_of(c)
        for title, options in bills.items():
            if not options:
                text = message(
                    "no {fabric} joins the {n} nodes: switches, cards and cables do not match", fabric=title, n=n
                )
                return [Check.of(self.id, False, text)]
        have = dict(c.build.shared) | {f"node {x.id}": q for x, q in nics}
        if not covers(list(bills.values()), have):
            return [
                Check.of(
                    self.id,
                    False,
                    message("there are too few cards, switches or cables for the networks of {n} nodes", n=n),
                )
            ]
        laid = (
            message("networks of {n} nodes: {networks}", n=n, networks=joined(bills))
            if bills
            else message("networks of {n} nodes: the site's", n=n)
        )
        found = [Check.of(self.id, True, laid)]
        if net == "rdma" and all(s.role != "rdma" for s, _ in c.parts(Switch, shared=True) if isinstance(s, Switch)):
            found.append(Check.warn(self.id, "the RDMA fabric is cabled directly: no third node can join it"))
        return found


def bills_of(c: Case) -> dict[str, list[dict[str, int]]]:
    """For each network that a build of two and more nodes buys: what each way to lay it takes of the parts at hand.

    Keys are part ids, of cards `node ID` with their number per node."""
    n, need = c.build.nodes, list[tuple[str, list[Network], int]]()
    nics = [x for x, _ in c.parts(Nic) if isinstance(x, Nic)]
    switches = [x for x, _ in c.parts(Switch, shared=True) if isinstance(x, Switch)]
    links = [x for x, _ in c.parts(Link, shared=True) if isinstance(x, Link)]
    net = net_of(c.plan, c.per_node)
    if "network" not in c.request.have:
        least = c.policy.whole("interconnect.pp_gbit_s") if net == "pp" else 1
        front = networks(nics, c.platform.onboard_lan, switches, links, "frontend", least)
        need.append(("front end", front, 1))
        need.append(("out-of-band network", networks([], [BMC], switches, links, "oob", 1), 1))
    if net == "rdma" or wants_fabric(c.request, c.catalog):
        rate = c.row.net_gbit_s if c.row and net == "rdma" else c.policy.whole("interconnect.ep_gbit_s")
        cpus = [x for x, _ in c.parts(Cpu) if isinstance(x, Cpu)]
        able = [x for x in nics if all(host_gbit_s(x, cpu) >= rate for cpu in cpus)]
        need.append(("RDMA fabric", networks(able, [], switches, links, "rdma", rate, direct=n == 2), c.per_node))
    return {title: [b for k in kinds if (b := _bill(k, n, per_node)) is not None] for title, kinds, per_node in need}


def _bill(k: Network, nodes: int, per_node: int) -> dict[str, int] | None:
    bill = k.bill_of(nodes, per_node)
    cards = {f"node {k.nic.id}": per_node} if k.nic is not None else {}
    return None if bill is None else {x.id: q for x, q in bill.items()} | cards


def covers(
    bills: list[list[dict[str, int]]], have: dict[str, int], fine: Callable[[dict[str, int]], bool] | None = None
) -> bool:
    """Whether one option of each network can be laid with the pieces at hand, none counted twice, so that what is left
    is `fine`."""
    if not bills:
        return fine is None or fine(have)
    for option in bills[0]:
        if all(have.get(p, 0) >= q for p, q in option.items()):
            rest = {p: q - option.get(p, 0) for p, q in have.items()}
            if covers(bills[1:], rest, fine):
                return True
    return False


def _holds_nic(p: Any, m: FamilyModel) -> bool:
    return any(isinstance(m.catalog.parts[x.part], Nic) for x in p.contents)

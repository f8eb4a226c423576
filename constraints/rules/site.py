"""Rule site: nodes, power and rack units that the buyer's site allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, message
from constraints.build import total_w, units
from constraints.rule import Check, Rule, counted
from constraints.rules.power import unknown_draw

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


class Site(Rule):
    id = "site"
    title = N_("Site")
    phase = "shared"
    reads = frozenset({"limits"})

    def encode(self, m: FamilyModel) -> None:
        for n, is_n in m.node_counts.items():
            if n > m.request.max_nodes:
                m.cp.add(is_n == 0)
        if m.request.max_power_w is not None:
            m.cp.add(m.total_w + sum(m.shared_w) <= m.request.max_power_w)
        if m.request.rack_units is not None:
            for n, is_n in m.node_counts.items():
                for p, v in m.platform.items():
                    used = n * (p.rack_units or 0) + sum(m.shared_units)
                    m.cp.add(used <= m.request.rack_units).only_enforce_if(is_n, v)

    def check(self, c: Case) -> list[Check]:
        nodes, most = counted(c.build.nodes, "node"), c.request.max_nodes
        found = [
            Check.at_most(
                self.id,
                c.build.nodes,
                most,
                "nodes",
                message("the build has {why}, at most {n} allowed", why=nodes, n=f"{most:,}"),
                message("the build has {why}, more than the {n} allowed", why=nodes, n=f"{most:,}"),
            )
        ]
        most_w = c.request.max_power_w
        if most_w is not None and c.power_unknown:
            found.append(Check.of(self.id, False, unknown_draw(c)))
        elif most_w is not None:
            watts = total_w(c)
            found.append(
                Check.at_most(
                    self.id,
                    watts,
                    most_w,
                    "W",
                    message("the whole build draws {a} W, within the site's {b} W", a=f"{watts:,}", b=f"{most_w:,}"),
                    message("the whole build draws {a} W, more than the site's {b} W", a=f"{watts:,}", b=f"{most_w:,}"),
                )
            )
        if (most_units := c.request.rack_units) is not None:
            taken = units(c)
            found.append(
                Check.at_most(
                    self.id,
                    taken,
                    most_units,
                    "units",
                    message("the whole build takes {a} U, within the site's {b} U", a=taken, b=f"{most_units:,}"),
                    message("the whole build takes {a} U, more than the site's {b} U", a=taken, b=f"{most_units:,}"),
                )
            )
        return found

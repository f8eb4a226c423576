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

    def encode(self, model: FamilyModel) -> None:
        for nodes, is_n in model.node_counts.items():
            if nodes > model.request.max_nodes:
                model.cp.add(is_n == 0)
        if model.request.max_power_w is not None:
            model.cp.add(model.total_w + sum(model.shared_w) <= model.request.max_power_w)
        if model.request.rack_units is not None:
            for nodes, is_n in model.node_counts.items():
                for platform, literal in model.platform.items():
                    used = nodes * (platform.rack_units or 0) + sum(model.shared_units)
                    model.cp.add(used <= model.request.rack_units).only_enforce_if(is_n, literal)

    def check(self, case: Case) -> list[Check]:
        nodes, most = counted(case.build.nodes, "node"), case.request.max_nodes
        found = [
            Check.at_most(
                self.id,
                case.build.nodes,
                most,
                "nodes",
                message("the build has {why}, at most {n} allowed", why=nodes, n=f"{most:,}"),
                message("the build has {why}, more than the {n} allowed", why=nodes, n=f"{most:,}"),
            )
        ]
        most_w = case.request.max_power_w
        if most_w is not None and case.power_unknown:
            found.append(Check.of(self.id, False, unknown_draw(case)))
        elif most_w is not None:
            watts = total_w(case)
            said = {"a": f"{watts:,}", "b": f"{most_w:,}"}
            found.append(
                Check.at_most(
                    self.id,
                    watts,
                    most_w,
                    "W",
                    message("the whole build draws {a} W at the wall, within the site's {b} W", **said),
                    message("the whole build draws {a} W at the wall, more than the site's {b} W", **said),
                )
            )
        if (most_units := case.request.rack_units) is not None:
            taken = units(case)
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

"""Both halves of every equivalence: with the parts of a node, the row and the chosen kinds of shared gear fixed, CP-SAT
is left no choice in any variable that a rule has added. A quantity that is only "at least" what the parts ask for could
take another value, and a limit of another rule might then be met by padding, or an axis pay for what is not there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalogs.schema import Kind, Link, Memory, Pdu, Platform, Psu, Rack, Switch
from constraints.cp_sat import cp_model
from constraints.model.family_model import Candidates, FamilyModel
from constraints.request import Owned, Spare, SupportRate
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.pruning.dominance import buyable
from optimizer.search.certificate import FamilyProof
from tests.support.scenes import SCENES, Scene, scene

AXES: tuple[dict[str, Any], ...] = ({}, {"cost_axis": "power"}, {"cost_axis": "rack-units"}, {"cost_axis": "lead-time"})


def family_of(s: Scene, market: Market) -> FamilyProof:
    """The model of a scene's family, with rows of one and two nodes and of the build, chassis that cool otherwise or
    stand on their own beside the build's, and of racks and PDUs those of the build alone where it has any."""
    build, parts = s.case.build, market.catalog.parts
    chassis = s.one(Platform)[0]
    others = [x for x in parts.values() if isinstance(x, Platform) and x.id != chassis.id][:2]
    bought = {type(parts[x]) for x in build.shared}

    def stays(part: Any) -> bool:
        return not isinstance(part, Platform) and (
            not isinstance(part, Rack | Pdu) or part.id in build.shared or type(part) not in bought
        )

    gpu: Any = parts[s.row.key.gpu]
    found = GpuRows.of_market(market).of(market, gpu, s.row.key.per_node, [chassis, *others], (1, 2))
    rows = [s.row, *(row for row in found if row.key != s.row.key)][:12]
    candidates = Candidates([chassis, *others, *filter(stays, buyable(market, prune=False))])
    # Of what rule surplus adds each literal names a reason why no piece less would do: several may hold at once.
    rules = [rule for rule in RULES if rule.id != "surplus"]
    return FamilyProof(market, gpu, s.row.key.per_node, rows, candidates, rules)


def fixed(family: FamilyProof, s: Scene) -> cp_model.CpModel:
    """The model with the row of a scene and every bought part of its node; cords and shared gear are left to it."""
    model, parts = family.model, family.model.catalog.parts
    model.cp.add(model.rows[s.row] == 1)
    for part, terms in model.quantities().items():
        if part not in model.shared_qty and not isinstance(parts[part], Link):
            model.cp.add(sum(terms) == s.case.build.node.get(part, 0))
    return model.cp


def answer(asked: cp_model.CpModel) -> list[int] | None:
    """The value of every variable of a solution; None where there is none."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = 1, 0
    status = solver.solve(asked)
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE)
    return None if status == cp_model.INFEASIBLE else list(solver.response_proto.solution)


def choices(model: FamilyModel) -> list[Any]:
    """Literals of what a build may choose beside the parts of its node: kinds of networks and nodes in a rack."""
    networks = [literal for literals, _ in model.nets for literal in literals.values()]
    return networks + [
        model.cp.get_bool_var_from_proto_index(at)
        for at, variable in enumerate(model.cp.proto.variables)
        if variable.name.startswith("per_rack")
    ]


def open_to_choice(family: FamilyProof) -> set[str]:
    """Names of variables that another solution with the same choices and the same orders gives another value."""
    model, cp = family.model, family.model.cp
    one = answer(cp)
    assert one is not None
    asked = cp.clone()
    for literal in choices(model):
        if one[literal.index]:
            asked.add(asked.get_bool_var_from_proto_index(literal.index) == 1)
    for order in model.ordered:
        if order.stepped:
            asked.add(asked.get_int_var_from_proto_index(order.pieces.index) == one[order.pieces.index])
    differs = []
    for at, value in enumerate(one):
        variable = asked.get_int_var_from_proto_index(at)
        differs.append(asked.new_bool_var(""))
        asked.add(variable != value).only_enforce_if(differs[-1])
    asked.add_bool_or(differs)
    other = answer(asked)
    names = [variable.name or f"nameless {at}" for at, variable in enumerate(cp.proto.variables)]
    return {name for name, a, b in zip(names, one, other, strict=False) if a != b} if other is not None else set()


def of_scene(name: str, **fields: Any) -> tuple[FamilyProof, Scene]:
    s = scene(name)
    market = Market.open(s.market.catalog, s.market.request.model_copy(update=fields), s.market.policy)
    family = family_of(s, market)
    fixed(family, s)
    return family, s


@pytest.mark.parametrize("name", SCENES)
def test_parts_and_kinds_settle_every_variable(name: str) -> None:
    for fields in AXES:
        family, _ = of_scene(name, **fields)
        assert open_to_choice(family) == set(), fields


@pytest.mark.parametrize("name", ("systems", "two racks", "wet GPUs", "tower"))
@pytest.mark.parametrize("fields", [{"max_sellers": 9}, {"max_estimated_percent": 100}, {"max_share_percent": 100}])
def test_so_do_they_under_limits_on_orders(name: str, fields: dict[str, Any]) -> None:
    family, _ = of_scene(name, **fields)
    assert open_to_choice(family) == set()


@pytest.mark.parametrize("name", ("circuit", "two racks", "towers"))
def test_orders_settle_spares_support_and_what_is_in_hand(name: str) -> None:
    """Prices by quantity leave the choice of orders; with these fixed too, nothing is open."""
    s = scene(name)
    fields: dict[str, Any] = {
        "own": (Owned(part=s.one(Memory)[0].id, qty=1), Owned(part=s.one(Psu)[0].id, qty=1)),
        "spares": (Spare(category=Kind.MEMORY, pieces=1, per=4), Spare(category=Kind.PSU, pieces=1, per=3)),
        "support": (SupportRate(category=Kind.CPU, percent=Decimal("3.3")),),
    }
    for more in ({}, {"max_sellers": 9}):
        family, _ = of_scene(name, **fields, **more)
        assert any(order.stepped for order in family.model.ordered)
        assert open_to_choice(family) == set()


@pytest.mark.parametrize("name", ("two racks", "liquid"))
def test_demanded_gear_has_the_uses_that_it_has(name: str) -> None:
    """Cables and switches that several networks may take."""
    s = scene(name)
    gear = [x for x in s.case.build.shared if isinstance(s.market.catalog.parts[x], Switch | Link)]
    assert gear
    family, _ = of_scene(name, include=tuple(sorted(gear)))
    assert open_to_choice(family) == set()

"""`dsopt verify`: a table of tamperings, each with the place that is named and what catches it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.api import Answer, embedded, solve
from optimizer.verify.complete import complete
from optimizer.verify.consistent import consistent
from optimizer.verify.wrong import Report
from tests.random_catalogs import scenario

Data = dict[str, Any]
SEED = 13
"""Five points, GPUs of two kinds, one to three per node, checks that warn."""
STALE = "cpu1"


def priced_long_ago(catalog: Catalog) -> Catalog:
    """The catalog with one used part whose prices are all stale."""
    old = tuple(o.model_copy(update={"date": o.date - timedelta(days=200)}) for o in catalog.offers[STALE])
    return replace(catalog, offers={**catalog.offers, STALE: old})


@pytest.fixture(scope="module")
def answer() -> Answer:
    catalog, request, _ = scenario(SEED)
    found = solve(priced_long_ago(catalog), request, Policy())
    found.data["catalog"]["embedded"] = embedded(found)
    return found


def written(data: Data) -> Data:
    """As read back from a file."""
    read: Data = json.loads(json.dumps(data))
    return read


def judged(data: Data, catalog: Catalog, *, proven: bool = False) -> Report:
    report, read = consistent(written(data), catalog)
    if proven:
        complete(read, report, "cp-sat")
    return report


def bom(p: Data, role: str) -> Data:
    """The line of a part whose id starts so."""
    line: Data = next(x for x in p["bom"] if x["part"].startswith(role))
    return line


def place(p: Data, role: str) -> int:
    return p["bom"].index(bom(p, role))


def cent(text: str) -> str:
    return f"{float(text) + 0.01:.2f}"


def remove(at: int) -> Callable[[Data], None]:
    def change(d: Data) -> None:
        del d["front"][at]

    return change


def edit(path: str, value: Any) -> Callable[[Data], None]:
    """Sets a value; `value` may be a function of the old one."""

    def change(d: Data) -> None:
        *way, last = path.replace("[", ".#").replace("]", "").split(".")
        at: Any = d
        for step in way:
            at = at[int(step[1:])] if step.startswith("#") else at[step]
        key: Any = int(last[1:]) if last.startswith("#") else last
        old = at[key] if isinstance(at, list) else at.get(key)
        at[key] = value(old) if callable(value) else value

    return change


def dominated(d: Data) -> None:
    d["front"].insert(2, copy.deepcopy(d["front"][1]))


def dropped(d: Data) -> None:
    p = d["front"][0]
    p["bom"].remove(bom(p, "drive"))
    p["nodes"][0]["parts"] = [x for x in p["nodes"][0]["parts"] if not x["part"].startswith("drive")]


def swapped(d: Data) -> None:
    node = d["front"][0]["nodes"][0]["parts"]
    box = next(x for x in node if x["part"].startswith("box"))
    box["part"] = {"box0": "box1", "box1": "box0"}[box["part"]]


def one_more(d: Data) -> None:
    node = d["front"][0]["nodes"][0]["parts"]
    next(x for x in node if x["part"].startswith("dimm"))["qty"] += 1


def warned(d: Data) -> None:
    next(c for p in d["front"] for c in p["checks"] if c["status"] == "warn")["status"] = "pass"


def hidden(d: Data) -> None:
    """A point goes, and the staircase with it; the families' bounds stay."""
    del d["front"][1], d["proof"]["staircase"][1]
    for i, p in enumerate(d["front"]):
        p["id"] = f"p{i + 1}"


def family_gone(d: Data) -> None:
    last = d["front"][-1]["gpus"]
    d["front"] = [p for p in d["front"] if p["gpus"] != last]
    each = d["proof"]["families"]["each"]
    each[:] = [f for f in each if (f["gpu"], f["per_node"]) != (last["part"], last["per_node"])]


def unfit(d: Data) -> None:
    family = next(f for f in d["proof"]["families"]["each"] if f["closed_by"] == "cp_sat")
    family["closed_by"] = "bound"


@dataclass(frozen=True)
class Tampering:
    """What is changed and the places that verify names among others."""

    name: str
    change: Callable[[Data], None]
    places: tuple[str, ...]


def table() -> list[Tampering]:
    """Tamperings of the result of `SEED` that `verify` alone catches."""
    found = solve(priced_long_ago(scenario(SEED)[0]), scenario(SEED)[1], Policy()).data
    p, last = found["front"][1], len(found["front"]) - 1
    gpu, stale = place(p, "gpu"), place(p, STALE)
    warn = next(
        (i, j) for i, x in enumerate(found["front"]) for j, c in enumerate(x["checks"]) if c["status"] == "warn"
    )
    proven = next(i for i, f in enumerate(found["proof"]["families"]["each"]) if f["closed_by"] == "cp_sat")
    cpu = place(found["front"][0], "cpu")
    t = Tampering
    return [
        t("one cent in a unit price", edit(f"front[1].bom[{gpu}].unit_price", cent),
          (f"front[1].bom[{gpu}].unit_price", f"front[1].bom[{gpu}].line_total")),
        t("one cent in a line", edit(f"front[1].bom[{gpu}].line_total", cent),
          (f"front[1].bom[{gpu}].line_total", "front[1].cost.parts")),
        t("one cent in the sum of lines", edit("front[1].cost.parts", cent), ("front[1].cost.parts",)),
        t("one cent in a total", edit("front[1].cost.total", cent), ("front[1].cost.total",)),
        t("one cent of tax", edit("front[1].cost.tax", cent), ("front[1].cost.tax", "front[1].cost.total")),
        t("a smaller share of estimates", edit("front[1].cost.estimated_share", lambda x: x + 0.1),
          ("front[1].cost.estimated_share",)),
        t("0.1 tok/s faster", edit("front[1].throughput.output_tok_s", lambda x: round(x + 0.1, 1)),
          ("front[1].throughput.output_tok_s", "proof.staircase[2].faster_than_tok_s")),
        t("one token more for each user", edit("front[1].throughput.per_user_tok_s", lambda x: x + 1),
          ("front[1].throughput.per_user_tok_s",)),
        t("interval made wider", edit("front[1].throughput.high", lambda x: x * 2), ("front[1].throughput.high",)),
        t("a point removed from the middle", remove(1), ("proof.staircase[1]", "front[1].id")),
        t("the cheapest point removed", remove(0), ("proof.staircase[0]", "front[0].id")),
        t("the fastest point removed", remove(last), (f"proof.staircase[{last}]", "named.fastest", "recommended")),
        t("a dominated point added", dominated,
          ("front[2].cost.parts", "front[2].throughput.output_tok_s", "proof.staircase")),
        t("a part dropped", dropped, ("front[0].checks[7]", "front[0].cost.parts", "front[0].cost.total")),
        t("a part swapped for another", swapped, ("front[0].checks[4]", "front[0].bom[1].part")),
        t("one module more in the node", one_more, ("front[0].checks[4]", "front[0].bom[3].qty")),
        t("one more in the bill alone", edit(f"front[0].bom[{cpu}].qty", lambda x: x + 1),
          (f"front[0].bom[{cpu}].qty", f"front[0].bom[{cpu}].line_total")),
        t("a check turned from warn to pass", warned, (f"front[{warn[0]}].checks[{warn[1]}].status",)),
        t("a limit eased in a check", edit("front[0].checks[0].limit", lambda x: 2 * x), ("front[0].checks[0].limit",)),
        t("a stale price made fresh", edit(f"front[1].bom[{stale}].stale", False), (f"front[1].bom[{stale}].stale",)),
        t("a newer price date", edit(f"front[1].bom[{stale}].price_date", "2026-10-31"),
          (f"front[1].bom[{stale}].price_date",)),
        t("an estimate called a list price", edit(f"front[1].bom[{gpu}].price_confidence", "street"),
          (f"front[1].bom[{gpu}].price_confidence",)),
        t("another offer", edit(f"front[1].bom[{gpu}].offer_id", "gpu9-0"), (f"front[1].bom[{gpu}].offer_id",)),
        t("another catalog's hash", edit("catalog.sha256", "f" * 64), ("proof.scope",)),
        t("an embedded price changed", edit("catalog.embedded.offers[0].price", "1.00"),
          ("catalog.embedded.offers[0].price",)),
        t("a family removed together with its points", family_gone, ("proof.families.each", "proof.staircase[4]")),
        t("a staircase changed to hide a removed point", hidden, ("proof.staircase[1].faster_than_tok_s", "named.value")),
        t("a staircase lowered", edit("proof.staircase[1].below", "1.00"), ("proof.staircase[1].below",)),
        t("a family said to be closed by its bound", unfit, (f"proof.families.each[{proven}].closed_by",)),
        t("a count of families", edit("proof.families.closed_by_cp_sat", 99), ("proof.families.closed_by_cp_sat",)),
        t("policy loosened", edit("policy", {"cores.per_gpu_min": "1"}), ("front[0].checks[6].limit",)),
        t("as_of moved back", edit("request.as_of", "2026-04-20"), ("front[0].nodes[0].parts[0].part",)),
        t("as_of moved on", edit("request.as_of", "2027-04-20"), (f"front[1].bom[{gpu}].stale", "proof.scope")),
        t("budget raised", edit("request.budget_cents", lambda x: x + 1),
          (f"proof.staircase[{last + 1}].below", "front[0].checks[15].limit")),
        t("fewer output tokens asked for", edit("request.osl", 1000), ("front[0].throughput.output_tok_s",)),
        t("currency changed", edit("request.currency", "EUR"), ("front[1].cost.currency",)),
        t("an exchange rate changed", edit("fx.USD", "0.9"), ("fx.USD",)),
        t("a named point moved", edit("named.fastest", "p1"), ("named.fastest",)),
        t("a named point renamed", edit("named.best", "p1"), ("named.best",)),
        t("a point renamed", edit("front[1].id", "p9"), ("front[1].id",)),
        t("recommended moved", edit("recommended", "p1"), ("recommended",)),
        t("plan precision changed", edit("front[0].plan.precision", "int4"), ("front[0].plan.precision",)),
        t("GPUs said to be joined by a fabric", edit("front[1].row.domain", 2), ("front[1].row",)),
        t("no PCIe between the GPUs", edit(f"front[{last}].row.lanes", 0), (f"front[{last}].row",)),
        t("a higher power cap", edit("front[1].row.cap_w", lambda x: x + 1), ("front[1].row",)),
        t("less power", edit("front[0].power.total_w", lambda x: x - 1), ("front[0].power.total_w",)),
        t("another model", edit("request.model", "r1-distill-llama-70b"), ("front[0].row",)),
        t("a message dropped", edit("messages", lambda x: x[1:]), ("messages",)),
        t("a field that is not of the contract", edit("front[0].discount", "5%"), ("front[0].discount",)),
        t("text where a number belongs", edit("front[0].bom[0].qty", "many"), ("front[0].bom[0].qty",)),
        t("money that is none", edit("front[0].cost.total", "a lot"), ("front",)),
    ]  # fmt: skip


TABLE = table()


def test_untouched(answer: Answer) -> None:
    report = judged(answer.data, answer.market.catalog, proven=True)
    assert (report.wrong, report.unchecked) == ([], [])


@pytest.mark.parametrize("tampering", TABLE, ids=lambda t: t.name)
def test_tampering(tampering: Tampering, answer: Answer) -> None:
    data = written(answer.data)
    tampering.change(data)
    places = [w.where for w in judged(data, answer.market.catalog).wrong]
    print(places)
    assert set(tampering.places) <= set(places)

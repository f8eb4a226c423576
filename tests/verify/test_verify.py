"""`dsopt verify`: a table of tamperings, each with the place that is named and what catches it."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs.load import Catalog
from constraints.model.family_model import FamilyModel
from constraints.policy import Policy
from constraints.rules.cores import Cores
from constraints.rules.storage import Storage
from optimizer.cli.app import app
from optimizer.library import verify_result
from optimizer.market.market import Market
from optimizer.result.answer import Answer, embedded, solve
from optimizer.result.contract import result
from optimizer.result.schema import Result
from optimizer.search.certificate import FamilyProof
from optimizer.search.front import Found, Front, Point
from optimizer.search.parameters import staircase_steps
from optimizer.search.solver import Disagreement, Solver
from optimizer.text.languages import Words
from optimizer.verify.complete import complete, prove
from optimizer.verify.consistent import consistent
from optimizer.verify.families import MadeAnew
from optimizer.verify.highs import HighsFamily
from optimizer.verify.verdict import Verdict
from optimizer.verify.wrong import Report
from tests.conftest import AS_OF
from tests.support.long import one_in, sampled
from tests.support.random_catalogs import offload_scenario, scenario

Data = dict[str, Any]
SEED = 1567
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


def another_point(id_: str) -> str:
    """The id of a point that isn't the one named."""
    return "p2" if id_ == "p1" else "p1"


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
    budget = next(i for i, check in enumerate(found["front"][0]["checks"]) if check["rule"] == "budget")
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
        t("the fastest point removed", remove(last), (f"proof.staircase[{last}]", "named.fastest")),
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
        t("a staircase changed to hide a removed point", hidden,
          ("proof.staircase[1].faster_than_tok_s", "named.value")),
        t("a staircase lowered", edit("proof.staircase[1].below", "1.00"), ("proof.staircase[1].below",)),
        t("a family said to be closed by its bound", unfit, (f"proof.families.each[{proven}].closed_by",)),
        t("a count of families", edit("proof.families.closed_by_cp_sat", 99), ("proof.families.closed_by_cp_sat",)),
        t("policy loosened", edit("policy", {"cores.per_gpu_min": "1"}), ("front[0].checks[6].limit",)),
        t("as_of moved back", edit("request.as_of", "2026-04-20"), ("front[0].nodes[0].parts[0].part",)),
        t("as_of moved on", edit("request.as_of", "2027-04-20"), (f"front[1].bom[{gpu}].stale", "proof.scope")),
        t("budget raised", edit("request.budget_cents", lambda x: x + 1),
          (f"proof.staircase[{last + 1}].below", f"front[0].checks[{budget}].limit")),
        t("fewer output tokens asked for", edit("request.osl", 1000), ("front[0].throughput.output_tok_s",)),
        t("currency changed", edit("request.currency", "EUR"), ("front[1].cost.currency",)),
        t("an exchange rate changed", edit("fx[1].usd_per_unit", "0.9"), ("fx[1].usd_per_unit",)),
        t("a named point moved", edit("named.fastest", "p1"), ("named.fastest",)),
        t("a named point renamed", edit("named.best", "p1"), ("named.best",)),
        t("a point renamed", edit("front[1].id", "p9"), ("front[1].id",)),
        t("recommended moved", edit("recommended", another_point), ("recommended",)),
        t("plan precision changed", edit("front[0].plan.precision", "int4"), ("front[0].plan.precision",)),
        t("GPUs said to be joined otherwise", edit("front[1].row.domain", lambda x: 3 - x), ("front[1].row",)),
        t("no PCIe between the GPUs", edit(f"front[{last}].row.lanes", 0), (f"front[{last}].row",)),
        t("a higher power cap", edit("front[1].row.cap_w", lambda x: x + 1), ("front[1].row",)),
        t("less power", edit("front[0].power.total_w", lambda x: x - 1), ("front[0].power.total_w",)),
        t("another model", edit("request.model", "r1-distill-llama-70b"), ("front[0].row",)),
        t("a message dropped", edit("messages", lambda x: x[1:]), ("messages",)),
        t("a field that is not of the contract", edit("front[0].discount", "5%"), ("front[0].discount",)),
        t("text where a number belongs", edit("front[0].bom[0].qty", "many"), ("front[0].bom[0].qty",)),
        t("money that is none", edit("front[0].cost.total", "a lot"), ("front[0].cost.total",)),
    ]  # fmt: skip


TABLE = table()


def test_untouched(answer: Answer) -> None:
    report = judged(answer.data, answer.market.catalog, proven=True)
    assert (report.wrong, report.unchecked) == ([], [])


@pytest.mark.parametrize("tampering", one_in(2, TABLE), ids=lambda t: t.name)
def test_tampering(tampering: Tampering, answer: Answer) -> None:
    data = written(answer.data)
    tampering.change(data)
    places = [w.where for w in judged(data, answer.market.catalog).wrong]
    print(places)
    assert set(tampering.places) <= set(places)


@pytest.mark.parametrize("users", [9, None])
def test_any_other_point_recommended_is_named(answer: Answer, users: int | None) -> None:
    """With a load the cheapest that serves it, with a budget alone the fastest: no other passes."""
    request = answer.market.request.model_copy(update={"users": users})
    data = written(solve(answer.market.catalog, request, Policy()).data)
    ids = [p["id"] for p in data["front"]]
    assert len(ids) > 2 and "recommended" not in [w.where for w in judged(data, answer.market.catalog).wrong]
    for other_id in ids:
        if other_id != data["recommended"]:
            changed = {**data, "recommended": other_id}
            assert "recommended" in [w.where for w in judged(changed, answer.market.catalog).wrong], other_id


def test_the_fastest_removed_is_missed_where_it_was_recommended(answer: Answer) -> None:
    request = answer.market.request.model_copy(update={"users": None})
    data = written(solve(answer.market.catalog, request, Policy()).data)
    assert data["recommended"] == data["front"][-1]["id"]
    remove(-1)(data)
    assert "recommended" in [w.where for w in judged(data, answer.market.catalog).wrong]


UNNOTICED = {
    "proof.seconds", "proof.version", "proof.parameters",
    "request.users", "request.min_tok_s_user", "request.min_precision_bits", "request.allow_experimental",
    "request.any_precision",
    "request.site_water", "request.exclude",
}  # fmt: skip
"""What describes the run that wrote the file, and another question whose answer may be the same."""


def leaves(x: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a document with its path."""
    items = x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ()
    for key, value in items:
        yield from leaves(value, (*way, key))
    if not isinstance(x, dict | list):
        yield way, x


def other(value: Any) -> Any:
    """A value of the same type that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return round(value + (1 if isinstance(value, int) else 0.1), 4)
    if value is None:
        return "x"
    return cent(value) if re.fullmatch(r"\d+\.\d\d", value) else value + "x"


def test_every_value_is_judged(answer: Answer) -> None:
    """Each kind of value changed once (the first of its place in a list): noticed, or listed as what can't be."""
    data, missed = written(answer.data), set()
    seen: dict[str, tuple[tuple[Any, ...], Any]] = {}
    for way, value in leaves(data):
        seen.setdefault(".".join(k for k in way if isinstance(k, str)), (way, value))
    for name, (way, value) in sampled(29, seen.items()):
        changed = written(data)
        at: Any = changed
        for key in way[:-1]:
            at = at[key]
        at[way[-1]] = other(value)
        report = judged(changed, answer.market.catalog)
        if not report.wrong and not report.unchecked:
            missed.add(name)
    assert len(seen) > 100
    assert {m for m in missed if not m.startswith(tuple(UNNOTICED))} == set()


def forged(answer: Answer, points: list[Point]) -> Data:
    """A result of other points with its whole record written to match, bounds and labels too."""
    market = answer.market
    known = [(p.case.gpu.id, p.case.per_node, p.found.row.perf.tenths, p.found.parts_cents) for p in points]
    steps = staircase_steps([p[2:] for p in known], market.request, market.policy)
    anew = MadeAnew(market, known, steps)
    record = anew.record({(u.gpu.id, u.per_node) for u in anew.families.families if anew.is_open(u, known)})
    counts = (sum(c.by == by for c in record) for by in ("bound", "cp_sat"))
    parts = anew.families.refused_parts()
    return result(market, Front(points, True, *counts, stairs=steps, record=record, refused_parts=parts), {})


def proven(data: Data, catalog: Catalog) -> list[str]:
    """What --prove reports of a result in which verify alone finds nothing."""
    report, read = consistent(written(data), catalog)
    assert report.wrong == []
    assert complete(read, report, "cp-sat") is not None
    return [str(w) for w in report.wrong]


@pytest.mark.parametrize("at", range(5))
def test_a_point_removed_with_its_record_is_proven_missing(answer: Answer, at: int) -> None:
    points = [p for i, p in enumerate(answer.front.points) if i != at]
    cents = answer.data["front"][at]["cost"]["parts"]
    where = f"before front[{at}]" if at < 4 else "after front[3]"
    [said] = proven(forged(answer, points), answer.market.catalog)
    assert said.startswith(f"front: lacks a point {where}") and f"for {cents} USD" in said


def test_a_family_said_to_have_no_build_is_named(answer: Answer) -> None:
    last = answer.front.points[-1].found.row.key
    data = forged(answer, [p for p in answer.front.points if p.case.gpu.id != last.gpu])
    families = data["proof"]["families"]
    gone = [f for f in families["each"] if f["gpu"] == last.gpu]
    for f in gone:
        families[f"closed_by_{f['closed_by']}"] -= 1
        f |= {"closed_by": "no_build", "least": []}
    places = {w.where for w in judged(data, answer.market.catalog).wrong}
    assert {f"proof.families.each[{families['each'].index(f)}].closed_by" for f in gone} == places


def test_no_points_at_all_are_proven_missing(answer: Answer) -> None:
    said = proven(forged(answer, []), answer.market.catalog)
    assert len(said) == 5 and all("lacks a point in an empty front" in x for x in said)


def test_dearer_builds_are_proven_beaten(answer: Answer) -> None:
    """Points of a request that bars a part, shown as those of the request that does not."""
    market = answer.market
    used = sorted(x for x in answer.front.points[0].case.build.node if x.startswith(("dimm", "psu", "drive")))
    for part in used:
        other = solve(market.catalog, market.request.model_copy(update={"exclude": frozenset({part})}), Policy())
        if other.front.points:
            break
    again = Solver(market)
    said = proven(forged(answer, [again.point(p.found) for p in other.front.points]), market.catalog)
    assert said and all("is beaten by" in x or "lacks a point" in x for x in said)
    assert said[0].startswith("front[0]: is beaten by")


def test_embedded_rows_stand_in_for_the_catalog(answer: Answer) -> None:
    """Everything but the rest of the catalog is checked by them, and a changed price is found against its offer."""
    other = replace(answer.market.catalog, parts={}, offers={}, sha256="f" * 64)
    report, read = consistent(written(answer.data), other)
    assert report.wrong == [] and len(report.unchecked) == 1
    assert complete(read, report, "cp-sat") is None and report.wrong
    data = written(answer.data)
    edit("front[1].bom[0].unit_price", cent)(data)
    assert "front[1].bom[0].unit_price" in [w.where for w in judged(data, other).wrong]


def test_without_the_catalog_sums_and_order_are_checked(answer: Answer) -> None:
    other = replace(answer.market.catalog, sha256="f" * 64)
    data = written(answer.data)
    data["catalog"]["embedded"] = None
    report = judged(data, other)
    assert [w.where for w in report.wrong] == ["catalog.sha256"] and len(report.unchecked) == 1
    edit("front[1].bom[0].line_total", cent)(data)
    assert "front[1].bom[0].line_total" in [w.where for w in judged(data, other).wrong]


@pytest.mark.parametrize("engine", [FamilyProof, HighsFamily])
@pytest.mark.parametrize("seed", one_in(2, [4, 13, 49, 91]))
def test_each_point_deleted_is_found_again(seed: int, engine: type[FamilyProof]) -> None:
    """Sabotage: without a point the proof finds a build as good, by CP-SAT and by HiGHS."""
    catalog, request, _ = scenario(seed)
    market = Market.open(catalog, request, Policy())
    known = [p.found for p in Solver(market).front().points]

    def values(found: list[Found]) -> list[tuple[int, int]]:
        return [(f.parts_cents, f.row.perf.tenths) for f in found]

    assert prove(Solver(market, engine=engine), known, Front()) == known
    for i in range(len(known)):
        some = known[:i] + known[i + 1 :]
        assert values(prove(Solver(market, engine=engine), some, Front())) == values(known)


def test_an_encode_too_loose_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog, request, _ = scenario(1)
    monkeypatch.setattr(Storage, "encode", lambda self, m: None)
    with pytest.raises(Disagreement, match="storage"):
        Solver(Market.open(catalog, request, Policy()), clever=False).front()


def test_an_encode_too_tight_is_noticed(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that forbids what its check admits would prove too much; the points themselves give it away."""
    true = Cores.encode

    def tight(self: Cores, m: FamilyModel) -> None:
        true(self, m)
        m.cp.add(sum(m.drive.values()) == 0)

    monkeypatch.setattr(Cores, "encode", tight)
    report = judged(answer.data, answer.market.catalog, proven=True)
    assert [w.where for w in report.wrong] == [f"front[{i}]" for i in range(5)]
    assert all("the solver's model excludes this build" in w.text for w in report.wrong)


@pytest.mark.parametrize("seed", [0, 1, 3, 5])
def test_experts_in_host_memory(seed: int) -> None:
    catalog, request, _ = offload_scenario(seed)
    found = solve(catalog, request, Policy())
    assert judged(found.data, catalog, proven=True).wrong == []
    assert any(p["plan"]["experts"] == "host" for p in found.data["front"]) or seed != 0


@pytest.mark.parametrize("seed", [0, 4, 13])
def test_thorough(seed: int) -> None:
    """Nothing bounded, nothing pruned: every family that has a row goes to CP-SAT."""
    catalog, request, _ = scenario(seed)
    found = solve(catalog, request, Policy())
    report, read = consistent(written(found.data), catalog)
    said = complete(read, report, "cp-sat", thorough=True)
    assert report.wrong == [] and said is not None
    assert said["closed_by_solver"] >= sum(bool(c.least) for c in found.front.record)


def test_a_caveat_stands_in_the_verdict(answer: Answer) -> None:
    """What could not be checked is part of it: in words, in both languages, and whether something is wrong or not."""
    other = replace(answer.market.catalog, parts={}, offers={}, sha256="f" * 64)
    stored = Result.model_validate(written(answer.data))
    found = verify_result(stored, catalog=other)
    assert found.ok and found.unchecked and found.unchecked[0] in found.verdict
    assert found.verdict.startswith("Consistent as far as it could be checked: 5 points. Not checked: ")
    chinese = Verdict(0, 5, found.unchecked, None).said(Words("zh"))
    assert "未核对" in chinese and "is not at hand" not in chinese
    bare = stored.model_copy(update={"catalog": stored.catalog.model_copy(update={"embedded": None})})
    found = verify_result(bare, catalog=other)
    assert not found.ok and found.verdict.startswith("1 thing wrong. Not checked: the catalog is not at hand")
    whole = verify_result(stored, catalog=answer.market.catalog)
    assert whole.ok and "Not checked" not in whole.verdict


def test_no_solver_is_imported() -> None:
    code = "import sys, optimizer.verify.consistent as c; print(any(m.startswith('ortools') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_main_job(shipped: Catalog, tmp_path: Path) -> None:
    """The shipped catalog by the command line: written, verified, proven, and found out when a price is changed."""
    run, file = CliRunner(), tmp_path / "result.json"
    job = ["solve", "--budget", "300000", "--model", "v2-670b", "--as-of", str(AS_OF), "-o", str(file)]
    assert run.invoke(app, [*job, "--embed-catalog"]).exit_code == 0
    done = run.invoke(app, ["verify", str(file), "--prove", "--json"])
    said = json.loads(done.stdout)
    assert (done.exit_code, said["ok"], said["wrong"]) == (0, True, [])
    assert said["proof"]["closed_by_bound"] + said["proof"]["closed_by_solver"] > 100
    data = json.loads(file.read_text(encoding="utf-8"))
    Result.model_validate(data)
    data["front"][0]["bom"][2]["unit_price"] = "1.00"
    file.write_text(json.dumps(data), encoding="utf-8")
    done = run.invoke(app, ["verify", str(file)])
    assert done.exit_code == 5
    assert "front[0].bom[2].unit_price: stored 1.00, offer says" in done.stdout


@pytest.mark.parametrize(("text", "code"), [("{", 3), ("[]", 5), ("{}", 5), ('{"front": 3}', 5), ("null", 5)])
def test_what_is_no_result(tmp_path: Path, text: str, code: int) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["verify", str(file), "--prove"])
    assert (getattr(done.exception, "exit_code", None) or done.exit_code) == code

"""Two results of dsopt: what changed between them, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalogs.errors import CheckFailed, Fault, InputError
from catalogs.load import Catalog
from constraints.build import Build
from constraints.rules.registry import that_read
from optimizer.market.market import Market
from optimizer.procurement.bids.changes_schema import Head, PartChange, PointChange, Reason, ResultsCompared
from optimizer.procurement.bids.technical import catalog_cents
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.search.judging import check
from optimizer.text.minor_units import money
from optimizer.throughput.calibration import Calibration
from optimizer.verify.consistent import consistent


@dataclass(frozen=True)
class Opened:
    """A result read and judged; `market` is None where its catalog is not at hand."""

    source: str
    result: Result
    market: Market | None
    unchecked: tuple[str, ...] = ()


def opened(data: Any, source: str, catalog: Catalog, by: Calibration | None = None) -> Opened:
    """A result's document. Raises InputError for what is none, CheckFailed for one that its catalog does not bear out;
    one of another catalog is taken as it says."""
    report, read = consistent(data, catalog, by)
    wrong = [w for w in report.wrong if w.where != "catalog.sha256"]
    if read is None or wrong:
        remedy = "`dsopt verify` says all that is wrong."
        faults = [Fault("inconsistent", w.text, source, column=w.where, remedy=remedy) for w in wrong[:3]]
        if read is None:
            raise InputError(faults or [Fault("bad-result", "is no dsopt result", source, remedy=remedy)])
        raise CheckFailed(faults)
    return Opened(source, read.result, read.market, tuple(report.unchecked))


def changes(before: Opened, after: Opened) -> ResultsCompared:
    """What changed from one result to another, and why: the request, the policy, prices, parts, rules."""
    old, new = _chosen(before.result), _chosen(after.result)
    same_money = before.result.request.currency == after.result.request.currency
    parts = _parts(old, new) if same_money else []
    reasons = list(_reasons(before, after, old, new, same_money))
    total = sum((Decimal(part.by_price) + Decimal(part.by_quantity) for part in parts), Decimal(0))
    return ResultsCompared(
        before=_head(before, old),
        after=_head(after, new),
        reasons=reasons or [Reason(code="nothing")],
        parts=parts,
        parts_difference=str(total) if same_money and old and new else None,
        front=_front(before.result, after.result),
        unchecked=[*before.unchecked, *after.unchecked],
    )


def _chosen(result: Result) -> FrontPoint | None:
    return next((point for point in result.front if point.id == result.recommended), None)


def _head(x: Opened, point: FrontPoint | None) -> Head:
    result = x.result
    return Head(
        source=x.source,
        as_of=result.request.as_of.isoformat(),
        currency=result.request.currency,
        catalog_sha256=result.catalog.sha256,
        recommended=result.recommended,
        build=_build_words(point) if point else "",
        total=point.cost.total if point else None,
        tok_s=point.throughput.output_tok_s if point else None,
        status=result.proof.status,
    )


def _build_words(point: FrontPoint) -> str:
    return f"{point.nodes[0].count} x {point.gpus.per_node} {point.gpus.name}"


def _bought(point: FrontPoint | None) -> dict[str, tuple[int, Decimal, str, str]]:
    """Part -> (pieces, sum of its lines, name, category)."""
    out: dict[str, tuple[int, Decimal, str, str]] = {}
    for x in point.bom if point else ():
        if x.role != "included":
            qty, total, *_ = out.get(x.part, (0, Decimal(0), "", ""))
            out[x.part] = qty + x.qty, total + Decimal(x.line_total), x.name, x.category
    return out


def _parts(old: FrontPoint | None, new: FrontPoint | None) -> list[PartChange]:
    """Parts of both builds; those that stayed as they are too."""
    a, b = _bought(old), _bought(new)
    digits = Decimal((old or new).cost.total).as_tuple().exponent if (old or new) else 0  # type: ignore[union-attr]
    out = []
    for part in [*a, *(x for x in b if x not in a)]:
        q1, t1, name, category = a.get(part, (0, Decimal(0), "", ""))
        q2, t2, *said = b.get(part, (0, Decimal(0), name, category))
        u1, u2 = t1 / q1 if q1 else None, t2 / q2 if q2 else None
        by_price = ((u2 - u1) * q2 if u1 is not None and u2 is not None else Decimal(0)).quantize(
            Decimal(1).scaleb(int(digits))
        )
        out.append(
            PartChange(
                part=part,
                name=name or said[0],
                category=category or said[1],
                from_qty=q1,
                to_qty=q2,
                from_unit=_unit(u1),
                to_unit=_unit(u2),
                by_price=str(by_price),
                by_quantity=str(t2 - t1 - by_price),
            )
        )
    return out


def _unit(x: Decimal | None) -> str | None:
    return None if x is None else str(x.quantize(Decimal("0.01")))


def _key(point: FrontPoint) -> tuple[Any, ...]:
    node = tuple((n.count, tuple(sorted((part.part, part.qty) for part in n.parts))) for n in point.nodes)
    return node, tuple(sorted((x.part, x.qty) for x in point.shared))


def _front(before: Result, after: Result) -> list[PointChange]:
    old, new = {_key(point): point for point in before.front}, {_key(point): point for point in after.front}
    out = []
    for key in [*old, *(k for k in new if k not in old)]:
        a, b = old.get(key), new.get(key)
        one = a or b
        assert one is not None
        out.append(
            PointChange(
                status="kept" if a and b else "gone" if a else "new",
                build=_build_words(one),
                from_id=a.id if a else None,
                to_id=b.id if b else None,
                from_total=a.cost.total if a else None,
                to_total=b.cost.total if b else None,
                from_tok_s=a.throughput.output_tok_s if a else None,
                to_tok_s=b.throughput.output_tok_s if b else None,
            )
        )
    return out


def _reasons(
    before: Opened, after: Opened, old: FrontPoint | None, new: FrontPoint | None, same_money: bool
) -> Iterator[Reason]:
    result, b = before.result, after.result
    yield from _fields("request-changed", result.request.model_dump(mode="json"), b.request.model_dump(mode="json"))
    yield from _fields("policy-changed", result.policy, b.policy)
    if result.catalog.sha256 != b.catalog.sha256:
        yield _reason("catalog-changed", before=result.catalog.sha256[:12], after=b.catalog.sha256[:12])
    if result.throughput_model != b.throughput_model:
        yield _reason(
            "throughput-model-changed",
            before=f"{result.throughput_model.calibration} {result.throughput_model.sha256[:8]}",
            after=f"{b.throughput_model.calibration} {b.throughput_model.sha256[:8]}",
        )
    if same_money:
        yield from _moved(result, b)
    if old and new and _key(old) == _key(new):
        yield _reason("same-build")
    elif old and after.market:
        yield from _old_build_now(after.market, old, new)


def _reason(code: str, **values: str) -> Reason:
    return Reason(code=code, values=values)


def _fields(code: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Reason]:
    for k in sorted(a.keys() | b.keys()):
        if a.get(k) != b.get(k):
            name = {"budget_cents": "budget", "throughput_tenths": "throughput, tok/s"}.get(k, k)
            yield _reason(code, field=name, before=_said(k, a), after=_said(k, b))


def _said(key: str, fields: Mapping[str, Any]) -> str:
    x = fields.get(key)
    if x in (None, [], ""):
        return "-"
    if key == "budget_cents":
        return f"{money(x, fields['currency'])} {fields['currency']}"
    return str(x / 10) if key == "throughput_tenths" else str(x)


def _prices(result: Result) -> dict[str, tuple[Decimal, str]]:
    """Part -> (least unit price on the front, name)."""
    out: dict[str, tuple[Decimal, str]] = {}
    for point in result.front:
        for line in point.bom:
            price = Decimal(line.unit_price)
            if line.role != "included" and price and (line.part not in out or price < out[line.part][0]):
                out[line.part] = price, line.name
    return out


def _moved(result: Result, b: Result) -> Iterator[Reason]:
    """Prices of parts that stand on both fronts, those that moved most in percent first."""
    old, new = _prices(result), _prices(b)
    moved = [(new[p][0] / old[p][0] - 1, p) for p in old if p in new and new[p][0] != old[p][0]]
    for change, p in sorted(moved, key=lambda x: (-abs(x[0]), x[1])):
        percent = f"{(change * 100).quantize(Decimal('0.1')):+}"
        yield _reason("price-moved", part=old[p][1], before=str(old[p][0]), after=str(new[p][0]), percent=percent)


def _old_build_now(market: Market, old: FrontPoint, new: FrontPoint | None) -> Iterator[Reason]:
    """What stands against the build chosen before, under the request, rules and prices of now."""
    node = old.nodes[0]
    build = Build(node.count, {part.part: part.qty for part in node.parts}, {x.part: x.qty for x in old.shared})
    parts, gone = market.catalog.parts, [p for p in build.total() if p not in market.book.prices]
    for p in gone:
        yield _reason("part-gone", part=parts[p].name if p in parts else p)
    if any(p not in parts for p in build.total()):
        return
    for x in check(market, build)[1]:
        if x.status == "fail" and not (gone and x.rule in that_read("offers")):
            yield _reason("rule-fails", what=x.text)
    cents, currency = catalog_cents(market, build), market.request.currency
    if cents is not None and new is not None:
        chosen = sum((Decimal(item.line_total) for item in new.bom), Decimal(0))
        yield _reason("old-build-now", cost=f"{money(cents, currency)} {currency}", chosen=f"{chosen} {currency}")

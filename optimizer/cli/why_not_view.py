"""Why not, and the nearest mended build, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.cli.front_view import coded
from optimizer.cli.money_view import apart, grouped
from optimizer.cli.output import say, table
from optimizer.explanation.why_not.schema import WhyNot
from optimizer.procurement.labels import rule_titles
from optimizer.report.why_not_said import why_not_lines
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.mend.mended import Mended


def show_why_not(found: WhyNot) -> None:
    """In sentences, one a line."""
    for line in why_not_lines(found, language()):
        say(line)


def show_mended(mended: Mended | None) -> None:
    """What fails, what changes, what it costs, and every rule after."""
    _ = language()
    if mended is None:
        say(_("No build passes every rule within these conditions, however much is changed."))
        return
    if not mended.changes:
        say(
            _(
                "Nothing to mend: every rule passes, {total} {currency}.",
                total=grouped(mended.total),
                currency=mended.currency,
            )
        )
        return
    table([_("rule broken"), _("finding")], [[coded(rule_titles(), x.rule), _.sentence(x.text)] for x in mended.broken])
    table(
        [_("part"), _("from"), _("to"), _("price, {currency}", currency=mended.currency)],
        [
            [
                change.name,
                str(change.from_qty),
                str(change.to_qty),
                grouped(change.price) if change.price else _("no price"),
            ]
            for change in mended.changes
        ],
        {1, 2, 3},
    )
    nodes = _(", {before} nodes become {after}", before=mended.nodes_before, after=mended.nodes)
    said = _(
        "Mended with {n} changes{nodes}: {before} -> {total} {currency}",
        n=mended.changed,
        nodes=nodes if mended.nodes != mended.nodes_before else "",
        before=grouped(mended.total_before) if mended.total_before else _("unknown"),
        total=grouped(mended.total),
        currency=mended.currency,
    )
    throughput = mended.throughput
    say(said + (_.bracketed(apart(mended.added, mended.currency)) if mended.added else ""))
    say(
        _(
            "Throughput: {speed} {unit} at {precision}, 80 % interval {interval}",
            speed=f"{throughput.output_tok_s:,.1f}",
            unit=throughput.unit,
            precision=mended.precision,
            interval=f"{throughput.low:,.0f}-{throughput.high:,.0f}",
        )
    )
    warned = [check.text for check in mended.checks if check.status == "warn"]
    say(
        _("Every rule passes, with warnings: {what}.", what=_.list(warned, "; ")) if warned else _("Every rule passes.")
    )
    proof = mended.proof
    found = (
        _("no build that passes is nearer, nor as near for less") if proof.status == "optimal" else _("stopped early")
    )
    say(
        _(
            "Proof: {status}, {found} ({families} hardware families: {bound} ruled out by a bound, {solver} by "
            "CP-SAT).",
            status=proof.status,
            found=found,
            families=proof.families,
            bound=proof.closed_by_bound,
            solver=proof.closed_by_cp_sat,
        )
    )

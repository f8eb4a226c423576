"""Lines that no part of the catalog matches may be what a build seems to lack: what they leave open is not judged.

A rule that fails for want of a part fails only where no such line may be that part; one that passes is left open where
a line that is surely of a category that counts against it (memory draws power) was not counted. Which categories a line
may be of is told by its words (reading/data/row_words.csv, kinds `of_*`); one without such words may be anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from catalogs.load import Catalog
from catalogs.message import joined, message
from constraints.rule import Check
from constraints.rules.registry import BY_ID
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.line.whole_servers import OTHER_CHASSIS, WHOLE_SERVER
from optimizer.text.languages import N_

UNREAD = N_("a sheet that was not read")
ALSO_UNREAD = N_("{where} or a sheet that was not read")
ROLES = (
    "platform", "gpu", "cpu", "memory", "drive", "nic", "switch", "cable", "optic", "bridge", "psu", "pdu",
    "rack", "cooling",
)  # fmt: skip
ROLE_OF = {"system": "platform", "gpu_board": "gpu"}
OF_THE_CHASSIS = ("fit", "lanes", "interconnect", "cooling", "rack", "power")
"""Rules that a chassis decides: how it is wired, what it draws and weighs, which ports it has."""
SERVICES = ("warranty", "installation", "training", "licence", "freight", "service")


@dataclass(frozen=True)
class OpenLine:
    """A line that was not counted: its row (None: of a sheet that was not read), the roles that it may be of (None:
    any)."""

    row: int | None
    roles: frozenset[str] | None


@dataclass(frozen=True)
class Open:
    """What a quote leaves open."""

    lines: tuple[OpenLine, ...] = ()
    chassis: tuple[OpenLine, ...] = ()
    """Servers of which no chassis is named."""

    def may_be(self, roles: Collection[str], *, surely: bool = False) -> tuple[OpenLine, ...]:
        """Lines that may be of one of the roles; `surely`: those alone whose words say so."""
        return tuple(line for line in self.lines if (not surely if line.roles is None else line.roles & set(roles)))


@dataclass(frozen=True)
class NotJudged:
    """A rule that is left open, what it says of the matched lines alone, and the lines that may change it."""

    rule: str
    text: str
    lines: tuple[OpenLine, ...]


@dataclass(frozen=True)
class Judgement:
    """Checks that stand whatever the open lines are, and rules that are not judged."""

    checks: list[Check] = field(default_factory=list)
    open: list[NotJudged] = field(default_factory=list)


def open_of(quote: Quote, catalog: Catalog) -> Open:
    """Lines of parts that were matched with nothing, or whose quantity is not known; sheets that were not read."""
    held = {row for line in quote.lines for row in line.holds if line.matched.part}
    found = []
    for line in quote.lines:
        if line.role != "part" or line.optional or line.holds or line.matched.how == "bundle":
            continue
        roles: frozenset[str] | None
        if line.matched.reason in (WHOLE_SERVER, OTHER_CHASSIS):
            roles = frozenset({"platform"})
        elif line.matched.part is None:
            roles = roles_of(line, catalog)
        elif not line.pieces:
            roles = frozenset({role(catalog, line.matched.part)})
        else:
            continue
        if roles is None and line.row in held and not line.amount:
            roles = frozenset()  # a detail of a configured server, in no words of a part
        if roles is None or roles:
            found.append(OpenLine(line.row, roles))
    if any(issue.code == "sheets-unread" for issue in quote.issues):
        found.append(OpenLine(None, None))
    unnamed = {line.row for line in quote.lines if line.matched.reason == WHOLE_SERVER}
    return Open(
        tuple(found), tuple(line for line in found if line.row in unnamed and line.roles == frozenset({"platform"}))
    )


def role(catalog: Catalog, part: str) -> str:
    """The category that a part counts as: a system stands where others have a platform, a board where GPUs stand."""
    kind = catalog.parts[part].kind.value
    return ROLE_OF.get(kind, kind)


def roles_of(line: Line, catalog: Catalog) -> frozenset[str] | None:
    """Roles that an unmatched line may be of, by its words; None for any: no word tells, or a whole server."""
    text = " ".join(t for t in (line.part_number, line.name, line.text, line.brand) if t)
    if row_words.has("machine", text) and not row_words.has("for_machine", text):
        return None
    said = frozenset(r for r in ROLES if row_words.has(f"of_{r}", text))
    if said and not (said == {"platform"} and row_words.has("undemanded", text)):
        return said
    return frozenset() if row_words.has("undemanded", text) else None


def settled(checks: Sequence[Check], left: Open) -> Judgement:
    """Checks on the matched lines, without those that an open line may change."""
    out = Judgement()
    open_rules: dict[str, NotJudged] = {}
    for x in checks:
        if x.status == "fail":
            cures = BY_ID[x.rule].cures(x)
            lines = left.may_be(cures) if cures else ()
        else:
            lines = left.may_be(BY_ID[x.rule].loaded_by, surely=True)
        if not lines and x.rule in OF_THE_CHASSIS:
            lines = left.chassis
        if lines:
            before = open_rules.get(x.rule)
            text = joined([before.text, x.text], "; ") if before else x.text
            both = (*before.lines, *(line for line in lines if line not in before.lines)) if before else lines
            open_rules[x.rule] = NotJudged(x.rule, text, both)
        else:
            out.checks.append(x)
    failed = {check.rule for check in out.checks if check.status == "fail"}
    out.open.extend(x for rule, x in open_rules.items() if rule not in failed)
    # A rule that fails surely in one respect has failed; what else it says stays open and is not printed as a pass.
    out.checks[:] = [check for check in out.checks if check.rule not in open_rules or check.rule in failed]
    return out


def where(lines: Iterable[OpenLine]) -> str:
    """`row 15`, `rows 8, 9-12`, `a sheet that was not read`."""
    rows = sorted({line.row for line in lines if line.row is not None})
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    said = joined(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
    if not rows:
        return UNREAD
    text = message("rows {rows}", rows=said) if len(rows) > 1 else message("row {rows}", rows=said)
    return message(ALSO_UNREAD, where=text) if any(line.row is None for line in lines) else text

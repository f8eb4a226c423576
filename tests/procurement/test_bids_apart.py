"""A comparison that harms nobody: what is no purchase, what is not judged, and what can't be awarded."""

from __future__ import annotations

import io
import json
import random
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result as Done
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from constraints.request import Request
from constraints.rule import Check
from optimizer.cli.app import app
from optimizer.library import compare, read_bids, xray
from optimizer.procurement.bids.offered import Offered
from optimizer.procurement.bids.schema import Bid, Comparison
from optimizer.procurement.bids.workbook import workbook
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read
from optimizer.procurement.xray.open_lines import Open, OpenLine, settled
from optimizer.text.languages import Words
from tests.support.long import one_in, sampled, wanted

ALDER = Path("examples/procurement/tender/alder.xlsx")
ASKED = Request(grade="floor",
    model="v3-671b", users=32, as_of="2026-11-24", currency="USD", have=frozenset({"racks", "network"})
)  # fmt: skip
HEAD = "Part number,Description,Qty,Unit price,Currency\n"
NODE = (
    ("SYS-821GE-TNHR", "server", 1, 24800),
    ("HGX H200 8-GPU baseboard", "NVIDIA", 1, 231000),
    ("Xeon Platinum 8592+", "CPU", 2, 7000),
    ("M321R8GA0PB0-CWMKJ", "64GB DDR5-5600 RDIMM", 32, 1250),
    ("PM9A3 3.84TB", "NVMe", 4, 760),
    ("MCX75310AAS-NEAT", "ConnectX-7 NDR", 8, 1500),
)
OWN_NUMBERS = {
    "M321R8GA0PB0-CWMKJ": ("370-BBRY", "64GB memory module"),
    "PM9A3 3.84TB": ("400-BPFQ", "Data Center NVMe drive with carrier"),
    "MCX75310AAS-NEAT": ("540-BFWE", "Network adapter, No Crypto"),
}
"""The same parts by a maker's own numbers, which no catalog of parts holds, in words that say too little of them."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


Rows = tuple[tuple[str, str, int, int], ...]


def offer(
    path: Path, rows: tuple[tuple[str, str, int, int], ...] = NODE, above: str = "", unknown: bool = False
) -> Path:
    """A file of the node, with the maker's own numbers where `unknown`."""
    lines = []
    for number, text, qty, price in rows:
        name, said = OWN_NUMBERS.get(number, (number, text)) if unknown else (number, text)
        lines.append(f'{name},"{said}",{qty},{price},USD\n')
    path.write_text(f"{above}Valid until: 2026-12-31\n{HEAD}{''.join(lines)}", encoding="utf-8")
    return path


def total(rows: Rows = NODE) -> Decimal:
    return Decimal(sum(qty * price for _number, _text, qty, price in rows))


def quick(offered: list[Quote], catalog: Catalog, **more: Any) -> Comparison:
    return compare(offered, ASKED, catalog=catalog, time_limit_s=0.001, **more)


def codes(b: Bid) -> set[str]:
    return {f.code for f in b.flags}


def call(*args: object) -> Done:
    return CliRunner().invoke(app, [str(a) for a in args])


def answer(done: Done) -> list[str]:
    """What is printed below the request as it was understood."""
    return [x for x in done.stdout.splitlines() if not x.startswith("Asked: ")]


def test_a_lease_wins_nothing(catalog: Catalog, tmp_path: Path) -> None:
    """9,190 a month beside purchases of 330,000: no rank, no points, no sums, and in nobody's median or fill."""
    cheap = tuple((n, t, q, p // 36) for n, t, q, p in NODE)
    extra = (*cheap, ("SVC-9", "Installation on site", 1, 90))
    lease = read(offer(tmp_path / "lease.csv", extra, above="Leasing offer\n"), catalog)
    alone = quick([read(ALDER, catalog), read(offer(tmp_path / "b.csv"), catalog)], catalog)
    found = quick([read(ALDER, catalog), read(offer(tmp_path / "b.csv"), catalog), lease], catalog)
    bid = found.bids[2]
    assert found.not_comparable[0].startswith("C: not comparable with a purchase")
    assert bid.apart == "time" and "time-money-unclear" in codes(bid) and not found.ok
    assert (bid.rank, bid.score, bid.points, bid.equal_net, bid.offered_net) == (None, None, (), None, None)
    assert found.recommended != bid.id
    for x, y in zip(found.bids, alone.bids, strict=False):
        for name in ("equal_net", "filled_net", "rank", "score", "points"):
            assert getattr(x, name) == getattr(y, name)
    assert [(i.title, i.median_unit, i.min_net) for i in found.items] == [
        (i.title, i.median_unit, i.min_net) for i in alone.items
    ]


def test_the_command_says_it_first(tmp_path: Path) -> None:
    lease = offer(tmp_path / "lease.csv", above="All prices are per month\nTerm: 36 months\n")
    options = ("--model", "v3-671b", "--users", 32, "--have", "racks,network", "--time-limit", 0.1)
    done = call("compare", lease, ALDER, *options)
    assert done.exit_code == 5, done.output
    assert answer(done)[0].startswith("A: not comparable with a purchase")
    assert "over its own term of 36 months" in done.stdout
    done = call("compare", lease, ALDER, *options, "--term", "A=36", "--json")
    bid = Comparison.model_validate(json.loads(done.stdout)).bids[0]
    assert done.exit_code == 0 and bid.offered_net == total() * 36 and bid.apart == "" and bid.rank is not None
    done = call("compare", lease, ALDER, *options, "--term", "once", "--json")
    assert Comparison.model_validate(json.loads(done.stdout)).bids[0].offered_net == total()
    done = call("--lang", "zh", "compare", lease, ALDER, *options)
    assert done.exit_code in (2, 5)
    for wrong in ("x", "0", "9999", "Z=36", "A=soon"):
        done = call("compare", lease, ALDER, *options, "--term", wrong)
        assert getattr(done.exception, "faults", [None])[0].code == "bad-term", wrong
    done = call("check", lease, "--model", "v3-671b", "--quick")
    assert done.exit_code == 5
    assert answer(done)[1].startswith("- not comparable with a purchase")  # below the file's name
    assert "above the catalog" not in done.stdout and "Counted net" not in done.stdout


def test_the_same_scope_in_other_words_costs_the_same(catalog: Catalog, tmp_path: Path) -> None:
    """Two bids of one scope: what no part was matched with in one is not missing in the other, nor the other way."""
    a, b = offer(tmp_path / "a.csv"), offer(tmp_path / "b.csv", unknown=True)
    found = quick([read(a, catalog), read(b, catalog)], catalog)
    assert [x.equal_net for x in found.bids] == [total(), total()]
    assert [x.filled_net for x in found.bids] == [0, 0]
    known, unknown = found.bids
    assert known.technical.runs and not known.technical.not_judged
    rows = {x.rule: x.rows for x in unknown.technical.not_judged}
    assert rows["host_memory"] == (6,) and rows["storage"] == (7,) and rows["interconnect"] == (8,)
    assert not unknown.technical.failed
    assert "not-judged" in codes(unknown) and "runs-nothing" not in codes(unknown)
    assert {"missing-line", "not-filled"}.isdisjoint(codes(known) | codes(unknown))
    assert (unknown.responsive, unknown.rank, unknown.points) == (False, None, ())


def test_what_is_surely_missing_is_added(catalog: Catalog, tmp_path: Path) -> None:
    """A line of network words leaves the memory of the others missing; one without any words may be all of it."""
    rest = tuple(x for x in NODE if x[0] not in ("M321R8GA0PB0-CWMKJ", "MCX75310AAS-NEAT"))
    a = offer(tmp_path / "a.csv")
    b = offer(tmp_path / "b.csv", (*rest, ("540-XX", "25GbE OCP 3.0 network adapter", 1, 900)))
    c = offer(tmp_path / "c.csv", (*rest, ("ZZ-1", "Kit as discussed", 1, 900)))
    files = [read(x, catalog) for x in (a, b, c)]
    bare = quick(files, catalog)
    assert [x.equal_net is None for x in bare.bids] == [False, True, True]  # B lacks it, of C nobody knows
    found = quick(files, catalog, fill="median")
    memory = next(x for x in found.items if x.role == "memory").cells
    assert memory[1].fill == "other" and memory[1].filled == 40000
    assert memory[2].state == "not_judged" and memory[2].filled is None and "row 7" in memory[2].text
    card = next(x for x in found.items if x.role == "nic").cells
    assert card[1].state == "not_judged" and card[2].state == "not_judged"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}XQ-1,Some gadget,1,5,USD\n",
        "Part Number,Description,Unit price\nM321R8GA0PB0-CWMKJ,memory,900\nMCX75310AAS-NEAT,card,800\n",
        f"Rental\n{HEAD}SYS-821GE-TNHR,server,1,99,USD\n",
        f"{HEAD}SYS-821GE-TNHR,server,1,24000,\nWhole configured GPU server,as discussed,3,500000,\n",
        f"Valid until: 2020-01-01\n{HEAD}HGX H200 8-GPU baseboard,board,5,1,USD\nXeon Platinum 8592+,CPU,9,1,USD\n",
    ],
    ids=["gadget", "list", "rental", "no currency", "boards"],
)
def test_an_odd_neighbour_changes_nobody(text: str, catalog: Catalog, tmp_path: Path) -> None:
    """Each bid is judged by itself: what stands beside it neither stops its build nor makes it dearer."""
    path = tmp_path / "odd.csv"
    path.write_text(text, encoding="utf-8")
    found = quick([read(path, catalog), read(ALDER, catalog)], catalog)
    odd, alder = found.bids
    assert alder.technical.runs and not alder.technical.failed
    assert (alder.responsive, alder.rank) == (True, 1)
    assert alder.equal_net == Decimal("332010.00") and alder.filled_net == 0
    assert (odd.responsive, odd.rank, odd.points) == (False, None, ())


def test_an_xray_names_the_row(catalog: Catalog, tmp_path: Path) -> None:
    found = xray(read(offer(tmp_path / "a.csv", unknown=True), catalog), ASKED, catalog=catalog, search=False)
    assert {(x.what, x.where) for x in found.not_judged if x.what} >= {("memory", "row 6"), ("network card", "row 8")}
    assert not [c for c in found.checks if c.status == "fail"] and not found.ok
    assert {"memory", "network card", "NVMe drives"}.isdisjoint(x.what for x in found.missing)
    assert found.throughput is None and found.mended is None
    assert any("row 8 may be it" in s for s in found.summary)
    assert not any("does not run" in s for s in found.summary)


def test_a_certain_failure_stays_one() -> None:
    """What stands in the wrong place, or draws too much, is not mended by lines that nothing was matched with."""
    left = Open((OpenLine(5, frozenset({"memory"})), OpenLine(6, None)))
    said = [
        Check.of("fit", False, "GeForce RTX 4090 D has open-fan cooling, the chassis takes passive/blower"),
        Check.of("fit", False, "needs 2 equal CPUs"), Check.of("precision", False, "no FP8"),
        Check.of("storage", False, "too little"), Check.of("power", True, "enough"), Check.of("site", True, "fits"),
    ]  # fmt: skip
    found = settled(said, left)
    assert [x.rule for x in found.checks if x.status == "fail"] == ["fit", "precision"]
    assert {x.rule: tuple(y.row for y in x.lines) for x in found.open} == {"storage": (6,), "power": (5,)}
    assert [x.rule for x in found.checks] == ["fit", "precision", "site"]
    assert settled(said, Open()).checks == said


def archive() -> bytes:
    """A .zip that holds no workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("a.txt", "hello")
    return out.getvalue()


UNREADABLE: dict[str, tuple[str, bytes | None]] = {
    "empty": ("odd.csv", b""), "blank": ("odd.csv", b"  \r\n\r\n"), "letter": ("odd.txt", b"Dear Sir, see below.\n"),
    "junk": ("odd.xlsx", b"\x00\x01\x02junk"), "cut off": ("odd.xlsx", archive()[:40]),
    "archive": ("odd.xlsx", archive()),
    "pdf": ("odd.pdf", b"%PDF-1.7\n"), "pdf as xlsx": ("odd.xlsx", b"%PDF-1.7\n"),
    "password": ("odd.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + bytes(600)),
    "folder": ("odd.xlsx", None), "json": ("odd.json", b'{"front": '), "other json": ("odd.json", b'{"front": []}'),
    "header alone": ("odd.csv", HEAD.encode()),
}  # fmt: skip


@pytest.mark.parametrize("kind", one_in(7, UNREADABLE))
def test_a_file_that_cannot_be_read_ends_nobody_elses_comparison(kind: str, catalog: Catalog, tmp_path: Path) -> None:
    """It stands as a bid that is not comparable, why is said first, and the others are compared as without it."""
    name, content = UNREADABLE[kind]
    odd = tmp_path / name
    if content is None:
        odd.mkdir()
    else:
        odd.write_bytes(content)
    other = offer(tmp_path / "b.csv")
    files = read_bids([odd, ALDER, other], catalog=catalog)
    found = compare(files.bids(), ASKED, catalog=catalog, time_limit_s=0.001)
    alone = quick([read(ALDER, catalog), read(other, catalog)], catalog)
    bid = found.bids[0]
    assert (bid.apart, bid.kind, bid.rank, bid.points, bid.equal_net) == ("unread", "unread", None, (), None)
    assert found.not_comparable[0].startswith("A: not comparable: the file can't be read: ") and not found.ok
    assert found.recommended is not None
    for with_it, without in zip(found.bids[1:], alone.bids, strict=True):
        for figure in ("offered_net", "equal_net", "filled_net", "technical", "rank", "score", "points", "responsive"):
            assert getattr(with_it, figure) == getattr(without, figure), figure
    assert openpyxl.load_workbook(io.BytesIO(workbook(found, Words("both")))).sheetnames


def test_the_command_compares_the_rest(tmp_path: Path) -> None:
    options = ("--model", "v3-671b", "--users", 32, "--have", "racks,network", "--time-limit", 0.1)
    empty, junk = tmp_path / "empty.csv", tmp_path / "junk.xlsx"
    empty.write_bytes(b"")
    junk.write_bytes(b"\0\0junk")
    done = call("compare", ALDER, empty, offer(tmp_path / "b.csv"), *options)
    assert done.exit_code == 5 and answer(done)[0] == "B: not comparable: the file can't be read: holds nothing"
    assert "Best of the responsive bids: A" in done.stdout
    done = call("compare", empty, junk, *options)  # nobody is left to be compared
    assert [f.code for f in getattr(done.exception, "faults", [])] == ["empty-file", "damaged-file"]
    done = call("compare", ALDER, tmp_path / "mistyped.xlsx", *options)  # of the command line, not of a vendor
    assert getattr(done.exception, "faults", [None])[0].code == "no-file"
    wrong = tmp_path / "map.toml"
    wrong.write_text('sheet = "nowhere"\n', encoding="utf-8")
    done = call("compare", ALDER, offer(tmp_path / "c.csv"), *options, "--map", wrong)
    assert getattr(done.exception, "faults", [None])[0].code == "unknown-sheet"


def test_a_currency_without_a_rate(catalog: Catalog, tmp_path: Path) -> None:
    """Its bid is not comparable, by a code that nobody knows too; it is never taken for another currency."""
    files = {}
    for code in ("ZMW", "CHF"):
        path = offer(tmp_path / f"{code}.csv")
        path.write_text(path.read_text().replace(",USD", f",{code}"), encoding="utf-8")
        files[code] = read(path, catalog)
        assert files[code].currency == code
        found = quick([files[code], read(ALDER, catalog)], catalog)
        bid, alder = found.bids
        assert (bid.apart, bid.rank, bid.offered_net, bid.lines) == ("rate", None, None, ())
        assert found.not_comparable == (
            f"A: not comparable: no exchange rate for its currency {code}; give it with --fx",
        )
        assert bid.technical.build and alder.rank == 1 and not found.ok
        assert workbook(found, Words("en"))
    mixed = tmp_path / "mixed.csv"
    mixed.write_text(offer(tmp_path / "x.csv").read_text().replace("1500,USD", "1500,ZMW"), encoding="utf-8")
    assert quick([read(mixed, catalog), read(ALDER, catalog)], catalog).bids[0].apart == "rate"
    with pytest.raises(InputError) as no_rate:
        quick(list(files.values()), catalog)
    assert [f.value for f in no_rate.value.faults] == ["ZMW", "CHF"]


def test_what_a_neighbour_states_is_no_tax_of_another_bid(catalog: Catalog, tmp_path: Path) -> None:
    """Prices with tax of an unsaid rate stay what they are beside a bid that states 13 %."""
    unsaid, said = tmp_path / "unsaid.csv", tmp_path / "said.csv"
    text = offer(tmp_path / "x.csv").read_text()
    unsaid.write_text("All prices include tax\n" + text, encoding="utf-8")
    said.write_text("All prices plus 13 % VAT\n" + text, encoding="utf-8")
    beside = [quick([read(unsaid, catalog), read(p, catalog)], catalog) for p in (ALDER, said)]
    assert [c.bids[0].offered_net for c in beside] == [total(), total()]
    assert ["tax-rate-unknown" in codes(c.bids[0]) for c in beside] == [True, True]
    assert [c.bids[0].responsive for c in beside] == [False, False]


SERVED = (
    *NODE, ("SVC-1", "3 years on-site support", 1, 30000), ("SVC-2", "Installation and commissioning", 1, 5000),
    ("SVC-3", "Training of staff", 1, 4000), ("SVC-4", "Freight and insurance", 1, 1000),
    ("SVC-5", "NVIDIA AI Enterprise licence, 3 years", 8, 3000),
)  # fmt: skip
ALL_SERVICES = {"warranty": 30000, "installation": 5000, "training": 4000, "freight": 1000, "licence": 24000}


@pytest.mark.parametrize(
    ("row", "below", "held"),
    one_in(
        3,
        [
            ("", "", set()),
            ("SVC-9,Professional services package,1,20000,USD", "", set(ALL_SERVICES)),
            ("ZZ-1,Kit as discussed,1,20000,USD", "", set(ALL_SERVICES)),
            ('SVC-9,"Installation service, 3 years on-site support",1,20000,USD', "", {"installation", "warranty"}),
            ("", "Prices include installation and staff training.", {"installation", "training"}),
            ("", "Delivery DDP site; 3 years NBD on-site support included.", {"freight", "warranty"}),
            ("", "Installation included, freight extra.", {"installation"}),
            ("", "Freight, installation and training are not included.", set()),
            ("", "Warranty 12 months.", set()),
            ("", "含运费、安装调试及培训", {"freight", "installation", "training"}),
            ("", "不含运费，安装另计", set()),
            ("", "Preise inkl. Versand und Montage, frei Haus", {"freight", "installation"}),
        ],
    ),
)
def test_a_service_that_a_bid_may_hold_is_not_added(
    row: str, below: str, held: set[str], catalog: Catalog, tmp_path: Path
) -> None:
    """Services of another bid are added only where no line, text or note of this one may be them."""
    full = offer(tmp_path / "full.csv", SERVED)
    bare = offer(tmp_path / "bare.csv")
    text = bare.read_text() + (f"{row}\n" if row else "") + (f'\n"{below}"\n' if below else "")
    bare.write_text(text, encoding="utf-8")
    found = quick([read(bare, catalog), read(full, catalog)], catalog, fill="max", demand=",".join(ALL_SERVICES))
    cells = {x.role: x.cells[0] for x in found.items if x.role in ALL_SERVICES}
    own = {kind for kind, c in cells.items() if c.state in ("included", "equivalent")}
    silent = {kind for kind, c in cells.items() if c.filled is None}
    assert silent == held
    assert {k: c.filled for k, c in cells.items() if c.filled is not None} == {
        k: net for k, net in ALL_SERVICES.items() if k not in held
    }
    assert all(cells[k].state == "not_judged" and cells[k].text for k in silent - own)


def test_an_unnamed_service_is_nobody_elses_lack(catalog: Catalog, tmp_path: Path) -> None:
    full = offer(tmp_path / "full.csv", (*NODE, ("SVC-9", "Project management service", 1, 9000)))
    found = quick([read(offer(tmp_path / "bare.csv"), catalog), read(full, catalog)], catalog)
    assert [x.filled_net for x in found.bids] == [0, 0]


def test_over_its_own_term(catalog: Catalog, tmp_path: Path) -> None:
    """What a lease comes to over the term that its file states stands beside the purchases, with where it is said; it
    wins nothing until the buyer takes the term, and then comes to the same."""
    lease = offer(tmp_path / "lease.csv", above="All prices are per quarter\nTerm: 36 months\n")
    lease.write_text(lease.read_text().replace(",USD", ",EUR"), encoding="utf-8")
    asked = read_bids([lease, ALDER], catalog=catalog)
    bid = compare(asked.bids(), ASKED, catalog=catalog, time_limit_s=0.001).bids[0]
    assert bid.over_term is not None and bid.rank is None and bid.offered_net is None
    over = bid.over_term
    assert (over.months, over.periods, over.each, over.amount) == (36, 12, total(), 12 * total())
    assert over.rows == (2,)
    said = [f.said(Words("en")) for f in bid.flags if f.code == "time-money-over"]
    assert said == [
        f"over its own term of 36 months (row 2) 12 x {total():,.2f} = {12 * total():,.2f} EUR are paid; "
        "--term 36 counts it so"
    ]
    taken = read_bids([lease, ALDER], catalog=catalog, terms=["A=stated"])
    counted = compare(taken.bids(), ASKED, catalog=catalog, time_limit_s=0.001).bids[0]
    assert counted.offered_net == over.net and counted.apart == "" and counted.over_term is None
    unsaid = offer(tmp_path / "l.csv", above="All prices are per month\n")
    without = read_bids([unsaid, ALDER], catalog=catalog, terms=["stated"])
    assert compare(without.bids(), ASKED, catalog=catalog, time_limit_s=0.001).bids[0].apart == "time"


OF_OTHERS = {"tax-bases-differ", "not-said"}
"""Marks that compare a bid with others."""


def own_figures(b: Bid) -> object:
    """What a bid says and does by itself: no fill, no median, no rank, no name of its place. Whether it is responsive
    is not of itself alone: services that all others offer are of the scope (docs/compare.md); what keeps it from being
    so by itself is among its flags and rules."""
    t = b.technical
    flags = sorted((f.code, str(f.row), str(f.values)) for f in b.flags if f.item is None and f.code not in OF_OTHERS)
    lines = [x.model_dump(exclude={"item"}) for x in b.lines]
    does = (t.runs, t.build, t.throughput, t.power_w, t.failed, t.warned, t.still_failed, t.not_judged)
    return b.apart, b.offered_net, b.over_term, lines, flags, does


@pytest.fixture(scope="module")
def drawn(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Offered]:
    """A plain bid and odd ones, as read."""
    folder = tmp_path_factory.mktemp("drawn")
    few = tuple(x for x in NODE if x[0] != "PM9A3 3.84TB")
    plain = offer(folder / "x.csv").read_text()
    texts = {
        "plain": plain,
        "lease": offer(folder / "x.csv", above="All prices are per month\nTerm: 36 months\n").read_text(),
        "list": "Part Number,Description,Unit price\nM321R8GA0PB0-CWMKJ,memory,900\nMCX75310AAS-NEAT,card,800\n",
        "unknown numbers": offer(folder / "x.csv", unknown=True).read_text(),
        "too little": offer(folder / "x.csv", few).read_text(),
        "services": offer(folder / "x.csv", SERVED).read_text(),
        "package": f"{plain}SVC-9,Professional services package,1,20000,USD\n",
        "with tax": f"Prices incl. 19 % VAT\n{plain}",
        "with some tax": f"All prices include tax\n{plain}",
        "kwacha": plain.replace(",USD", ",ZMW"),
        "two currencies": plain.replace("1250,USD", "1250,EUR"),
        "expired": plain.replace("2026-12-31", "2020-12-31"),
        "no currency": plain.replace(",USD", ","),
        "gadget": f"{HEAD}XQ-1,Some gadget,1,5,USD\n",
        "empty": "",
    }  # fmt: skip
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text, encoding="utf-8")
    return dict(zip(paths, read_bids(list(paths.values()), catalog=catalog).bids(), strict=True))


def test_no_neighbour_changes_a_bids_own_figures(catalog: Catalog, drawn: dict[str, Offered]) -> None:
    """Whatever stands beside a bid: what it offers, what its build does, what is marked of it alone stay the same."""
    rng = random.Random(6)
    groups = sampled(4, [rng.sample(sorted(drawn), rng.randint(2, 4)) for _ in range(14)])
    seen = sorted({x for names in groups for x in names}) if not wanted() else drawn
    alone = {x: own_figures(quick([drawn[x], drawn["plain"]], catalog).bids[0]) for x in seen}
    for names in [g for g in groups if set(g) != {"kwacha", "empty"}]:
        for x, b in zip(names, quick([drawn[n] for n in names], catalog).bids, strict=True):
            assert own_figures(b) == alone[x], (x, names)


@pytest.mark.parametrize("odd", one_in(4, ["lease", "list", "kwacha", "empty"]))
def test_what_is_not_comparable_is_in_nobodys_figures(odd: str, catalog: Catalog, drawn: dict[str, Offered]) -> None:
    """Fills, medians, scores and ranks too are those without it."""
    beside = [drawn["too little"], drawn["services"], drawn["two currencies"]]
    found, without = quick([*beside, drawn[odd]], catalog), quick(beside, catalog)
    for x, y in zip(found.bids, without.bids, strict=False):
        assert x.model_dump(exclude={"id"}) == y.model_dump(exclude={"id"})


def texts(found: Comparison, language: str) -> list[str]:
    """Every text of the workbook."""
    book = openpyxl.load_workbook(io.BytesIO(workbook(found, Words(language))))
    return [str(x) for sheet in book for row in sheet.iter_rows(values_only=True) for x in row if x is not None]


def test_what_is_not_judged_is_not_called_unresponsive(catalog: Catalog, tmp_path: Path) -> None:
    """Nothing of a bid that could not be read whole is known to fail; that of its neighbour is."""
    cpu = tuple(("8592-PLUS-X", "CPU 64 cores", *x[2:]) if x[0] == "Xeon Platinum 8592+" else x for x in NODE)
    bare = tuple(("HGX H100 8-GPU baseboard", *x[1:]) if x[0].startswith("HGX") else x for x in NODE)
    paths = [offer(tmp_path / "a.csv", cpu), offer(tmp_path / "b.csv", bare), offer(tmp_path / "c.csv")]
    found = quick([read(x, catalog) for x in paths], catalog)
    assert not found.bids[0].responsive and not found.bids[1].responsive
    english, chinese = texts(found, "en"), texts(found, "zh")
    assert any(x.startswith("A: can't be awarded yet: ") for x in english)
    assert any(x.startswith("B: not responsive: ") for x in english)
    assert {"not known yet", "no"} <= {*english}
    assert any(x.startswith("A：暂不能授予：") for x in chinese)
    assert "未判定：第 5 行" in chinese
    assert not [x for x in chinese if "row " in x]


def test_the_reason_why_nothing_runs_is_its_own(catalog: Catalog, tmp_path: Path) -> None:
    """H100 in place of H200 lack memory: users and speed have no part in it."""
    rows = tuple(("HGX H100 8-GPU baseboard", *x[1:]) if x[0].startswith("HGX") else x for x in NODE)
    found = quick([read(offer(tmp_path / "a.csv", rows), catalog), read(offer(tmp_path / "b.csv"), catalog)], catalog)
    said = {f.code: f.said(Words("en")) for f in found.bids[0].flags}
    assert "offers only 80 GB" in said["runs-nothing"]
    assert "users" not in said["runs-nothing"]

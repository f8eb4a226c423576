"""`dsopt quote --profile`: seller, buyer, project and what the seller states; options win, faults are named."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from optimizer.cli.app import app
from optimizer.procurement.quotation import formats
from optimizer.procurement.quotation.profile import Profile, read_profile
from optimizer.procurement.quotation.quote import Quote
from optimizer.procurement.quotation.workbook import workbook
from optimizer.text.languages import Words
from tests.support.long import one_in
from tests.support.office import OFFICE, opened
from tests.support.quotes import OVERLAY, Job, job

needs_office = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("DSOPT_OFFICE_REQUIRED"), reason="LibreOffice (soffice) is not installed"
)
EXAMPLE = Path(__file__).parents[2] / "examples" / "procurement" / "company.toml"


@pytest.fixture(scope="module")
def main() -> Job:
    return job()


@pytest.fixture(scope="module")
def saved(main: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "result.json"
    path.write_text(json.dumps(main.data), encoding="utf-8")
    return path


@pytest.fixture
def ask(saved: Path) -> Callable[..., Any]:
    """The command's JSON, or what it refused."""

    def run(*args: object) -> Any:
        done = CliRunner().invoke(
            app, ["quote", str(saved), "--format", "json", "--catalog", str(OVERLAY), "--lang", "en", *map(str, args)]
        )
        return done.exception if done.exit_code else json.loads(done.stdout)

    return run


def test_a_profile_heads_the_quote(ask: Callable[..., Any]) -> None:
    said = ask("--profile", EXAMPLE)
    assert said["customer"] == said["buyer"]["name"] == "示例大学 Example University"
    assert said["seller"]["bank_account"] == "0000 0000 0000 0000 001"
    assert said["project"] == {"name": "大模型推理平台", "number": "2026-EX-017"}
    terms = {x["heading"]: (x["text"], x["open"]) for x in said["terms"]}
    payment, is_open = terms["Payment terms"]
    assert payment.endswith("30 % with the order, 60 % on delivery, 10 % after acceptance") and not is_open
    assert terms["Installation and acceptance"] == ("to be agreed", True), "what nobody states stays open"
    stated = {x["category"]: (x["warranty_months"], x["country_of_origin"]) for x in said["lines"]}
    assert stated["gpu_board"] == (36, "TW") and stated["memory"] == (36, None) and stated["cpu"] == (None, None)


def test_options_win(ask: Callable[..., Any]) -> None:
    mine = ask("--profile", EXAMPLE, "--date", "2026-12-01")
    said = ask("--profile", EXAMPLE, "--date", "2026-12-01", "--customer", "Other Ltd", "--valid-days", "0")
    assert (mine["valid_until"], said["valid_until"]) == ("2026-12-31", "2026-12-01")
    assert said["buyer"] == {"name": "Other Ltd"}, "another customer has not the address of the profile's buyer"
    assert said["seller"] == mine["seller"]


def test_without_a_profile_nothing_is_made_up(ask: Callable[..., Any]) -> None:
    said = ask("--date", "2026-12-01")
    assert (said["seller"], said["buyer"], said["project"]) == ({}, {}, {})
    assert said["valid_until"] == "2026-12-16"


FAULTS = {
    "unknown key": ("[seller]\nnmae = 'x'\n", ("seller.nmae", "is not known here", "dsopt schema profile")),
    "wrong kind": ("[seller]\nname = 7\n", ("seller.name", "7", "needs a text")),
    "not on one line": ('[buyer]\naddress = "a\\nb"\n', ("buyer.address", "one line")),
    "no months": ("[seller]\n[[stated]]\nof = 'memory'\nwarranty_months = 0\n", ("warranty_months", "0", "above 0")),
    "no part": ("[seller]\n[[stated]]\nof = 'memry'\n", ("stated.0.of", "memry", "One of|one of")),
    "twice": ("[seller]\n[[stated]]\nof = 'cpu'\n[[stated]]\nof = 'cpu'\n", ("stated.of", "cpu", "twice")),
    "no TOML": ("[seller\n", ("--profile|company", "dsopt schema profile")),
    "another file": ("header_row = 5\n[columns]\n", ("is a mapping of a vendor's file", "--map")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_name_key_value_and_remedy(name: str, ask: Callable[..., Any], tmp_path: Path) -> None:
    text, wanted = FAULTS[name]
    path = tmp_path / "company.toml"
    path.write_text(text, encoding="utf-8")
    refused = ask("--profile", path)
    assert isinstance(refused, InputError), refused
    said = "\n".join(f"{x} {x.column} {x.value} {x.remedy}" for x in refused.faults)
    for words in wanted:
        assert any(word in said for word in words.split("|")), (words, said)
    assert str(path) in said


def headed(main: Job, profile: Profile, currency: str = "CNY") -> Quote:
    quote: Quote = main.quote(currency=currency, tax="13")
    return replace(quote, party=replace(quote.party, customer="", profile=profile))


@pytest.mark.parametrize("language", ["en", "zh", "both"])
def test_the_summary_shows_both_parties(language: str, main: Job) -> None:
    words, profile = Words(language), read_profile(EXAMPLE)
    sheet = opened(workbook(headed(main, profile), words)).worksheets[0]
    seen = {c.value for row in sheet.iter_rows() for c in row}
    for group in (profile.seller, profile.buyer, profile.project):
        assert set(group.model_dump(exclude_defaults=True).values()) <= seen
    bare = opened(workbook(headed(main, Profile()), words)).worksheets[0]
    assert words("Supplier") not in {c.value for row in bare.iter_rows() for c in row}


@needs_office
@pytest.mark.parametrize("language", one_in(2, ["both", "en"]))
def test_the_summary_is_one_page(language: str, main: Job) -> None:
    """The first page is the whole summary, the second the bill of materials."""
    import pdfplumber

    words = Words(language)
    made = formats.as_pdf(workbook(headed(main, read_profile(EXAMPLE)), words))
    with pdfplumber.open(io.BytesIO(made)) as pages:
        page, size = pages.pages[0].extract_text(), (pages.pages[0].width, pages.pages[0].height)
        others = [x.extract_text() for x in pages.pages[1:]]
    assert [round(x) for x in size] == [842, 595], "A4, landscape, in points"
    for text in (words("Supplier"), "91310000EXAMPLE001", "Not included", "Please note"):
        assert text in page, text
    assert not [x for x in others if "91310000EXAMPLE001" in x or "Please note" in x]
    assert "Bill of materials" in others[0]

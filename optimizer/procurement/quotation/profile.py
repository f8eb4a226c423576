"""company.toml: who sells, who buys, for which project, and what the seller states of its goods
(`dsopt schema profile`, docs/quote.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml
from catalogs.other_file import COMPANY, expecting
from catalogs.refused_value import in_words
from optimizer.result.strict import Strict

REMEDY = "See `dsopt schema profile`."
MOST_LETTERS = 200


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text.strip()


class _OneLiners(Strict):
    """Texts of one line."""

    @field_validator("*")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return _one_line(value) if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=MOST_LETTERS)]


class Company(_OneLiners):
    """A seller or buyer; what is left out stands nowhere."""

    name: Text = ""
    address: Text = ""
    contact: Text = Field(default="", description="the person to speak to")
    phone: Text = ""
    email: Text = ""
    tax_number: Text = Field(default="", description="VAT number, 统一社会信用代码 or 纳税人识别号")
    bank: Text = Field(default="", description="name of the bank, with its branch")
    bank_account: Text = Field(default="", description="account number or IBAN")
    bank_code: Text = Field(default="", description="BIC, or 联行号")


class Project(_OneLiners):
    """What the quote is for."""

    name: Text = ""
    number: Text = Field(default="", description="of the tender or the inquiry")


class AgreedTerms(_OneLiners):
    """Terms of sheet Terms in the seller's own words; one left out is to be agreed."""

    payment: Annotated[str, Field(max_length=1000)] = ""
    delivery: Annotated[str, Field(max_length=1000)] = ""
    acceptance: Annotated[str, Field(max_length=1000)] = ""
    warranty: Annotated[str, Field(max_length=1000)] = ""


class Stated(_OneLiners):
    """What the seller states of a part (its id) or a category (memory); what is said of the part wins."""

    of: Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]
    country_of_origin: Annotated[str, Field(max_length=60)] = ""
    warranty_months: Annotated[int, Field(gt=0, le=240)] | None = None


class Profile(Strict):
    """The file. `valid_days`: for how long quotes hold, unless --valid-days says it."""

    schema_version: Literal[1] = 1
    seller: Company = Company()
    buyer: Company = Company()
    project: Project = Project()
    terms: AgreedTerms = AgreedTerms()
    stated: tuple[Stated, ...] = ()
    valid_days: Annotated[int, Field(ge=0, le=3650)] | None = None

    def stated_of(self, part: str, category: str) -> list[Stated]:
        """What is said of a part, then what of its category."""
        return [x for name in (part, category) for x in self.stated if x.of == name]


def read_profile(path: Path) -> Profile:
    """Raises InputError with every fault: no TOML, unknown keys, values that are none, two statements of one thing."""
    with expecting(path, COMPANY, column="--profile"):
        data: dict[str, Any] = read_toml(path, "bad-profile", REMEDY, "--profile")
        try:
            profile = Profile.model_validate(data)
        except ValidationError as e:
            raise InputError([_fault(path, x) for x in e.errors(include_url=False)]) from None
        names = [x.of for x in profile.stated]
        if twice := sorted({x for x in names if names.count(x) > 1}):
            text, remedy = "is stated twice", "Put what is said of it into one [[stated]]."
            raise InputError(Fault("bad-profile", text, str(path), column="stated.of", value=twice[0], remedy=remedy))
        return profile


def _fault(path: Path, found: Any) -> Fault:
    """A refused value with its key and the remedy."""
    key = ".".join(map(str, found["loc"]))
    return Fault("bad-profile", in_words(found), str(path), column=key, value=str(found["input"])[:60], remedy=REMEDY)

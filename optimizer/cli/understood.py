"""The request as it was understood, in a line: the first that is printed, before anything is solved."""

from __future__ import annotations

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.output import note, say
from optimizer.request.command import UNTYPED, Typed, conditions
from optimizer.request.fields import FIELDS
from optimizer.text.languages import N_, Words, chosen

ASKED = N_("Asked: {what}.")


def show_understood(
    catalog: Catalog, request: Request, policy: Policy, every_model: bool = False, typed: Typed = UNTYPED
) -> None:
    """Prints it, once the request makes sense in the catalog: a request that is refused leaves stdout empty."""
    if not every_model:
        from optimizer.library import validate_request

        validate_request(request, catalog=catalog, policy=policy)
    say(understood(request, policy, every_model, typed))


def show_name(typed: str | None, request: Request) -> None:
    """Says on stderr which model was taken for a name that is not its own, and in which format of weights."""
    from optimizer.request.named_model import remarks

    if typed is not None:
        for remark in remarks(typed, request):
            note(f"{chosen()('note')}{chosen().colon}{chosen().sentence(remark)}")


def understood(request: Request, policy: Policy, every_model: bool = False, typed: Typed = UNTYPED) -> str:
    """Amount with currency, model, load, workload, day, and all other conditions as the options that say them."""
    _ = chosen()
    clauses = [clause for name in FIELDS if (clause := _clause(name, request, _, every_model))]
    if others := conditions(request, policy, typed):
        clauses.append(_("with {options}", options=others))
    return _(ASKED, what=("；" if _.language == "zh" else "; ").join(clauses))


def _clause(name: str, request: Request, _: Words, every_model: bool) -> str:
    """What the line says of a field; empty where it says nothing, or in the clause of another field."""
    if name == "model" and every_model:
        return _("every model")
    said = FIELDS[name].said
    return "" if isinstance(said, str) else said(request, _)

"""The request as it was understood, in a line: the first that is printed, before anything is solved."""

from __future__ import annotations

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.output import note_sentence, say
from optimizer.request.command import UNTYPED, Typed, conditions
from optimizer.request.fields import FIELDS
from optimizer.text.languages import N_, Words, chosen

ASKED = N_("Asked: {what}.")
EVERY_MODEL = N_("every model")
FAMILY = N_("the models of the DeepSeek family and your own (--all for every model)")
"""What is solved without a model: references and guide names only with `--all`."""


def show_understood(
    catalog: Catalog, request: Request, policy: Policy, models: str = "", typed: Typed = UNTYPED
) -> None:
    """Prints it, once the request makes sense in the catalog: a request that is refused leaves stdout empty.

    `models`: EVERY_MODEL or FAMILY where the request names no model.
    """
    if not models:
        from optimizer.library import validate_request

        validate_request(request, catalog=catalog, policy=policy)
    say(understood(request, policy, models, typed))


def show_name(typed: str | None, request: Request) -> None:
    """Says on stderr which model was taken for a name that is not its own, and in which format of weights; of a model
    that --model-config names, what its files hold."""
    from catalogs.registry import of_this_run
    from optimizer.request.named_model import remarks

    name = typed or (request.model if of_this_run(request.model) else None)
    if name is not None:
        for remark in remarks(name, request):
            note_sentence(remark)


def understood(request: Request, policy: Policy, models: str = "", typed: Typed = UNTYPED) -> str:
    """Amount with currency, model (or `models`), load, workload, day; all other conditions as options."""
    _ = chosen()
    clauses = [clause for name in FIELDS if (clause := _clause(name, request, _, models))]
    if others := conditions(request, policy, typed):
        clauses.append(_("with {options}", options=others))
    return _(ASKED, what=_.semicolon.join(clauses))


def _clause(name: str, request: Request, _: Words, models: str) -> str:
    """What the line says of a field; empty where it says nothing, or in the clause of another field."""
    if name == "model" and models:
        return _(models)
    said = FIELDS[name].said
    return "" if isinstance(said, str) else said(request, _)

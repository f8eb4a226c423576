"""`dsopt schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli.output import emit_json

KINDS = (
    "request, result, models, size, size-models, build, xray, comparison, results-compared, award, award-terms, "
    "scoring, low-price, profile, policy"
)
HELP = """Examples:

  dsopt schema result

  dsopt schema policy

The JSON schema of a file that dsopt reads or writes; policy: each key with its default and source."""


def schema(what: Annotated[str, typer.Argument(help=KINDS)] = "result") -> None:
    """Print a JSON schema, or the policy keys with defaults and sources."""
    from catalogs.errors import InputError

    if what == "policy":
        from constraints.policy import defaults

        emit_json(
            [
                {"key": d.key, "value": str(d.value), "unit": d.unit, "title": d.title, "source": d.source}
                for d in defaults().values()
            ]
        )
    elif what == "request":
        from constraints.request import Request

        emit_json(Request.model_json_schema())
    elif what in ("result", "build"):
        from optimizer.result.schema import BuildFile, Result

        emit_json((Result if what == "result" else BuildFile).model_json_schema())
    elif what == "xray":
        from optimizer.procurement.xray.schema import XRay

        emit_json(XRay.model_json_schema())
    elif what == "models":
        from optimizer.result.schema import BestBuilds

        emit_json(BestBuilds.model_json_schema())
    elif what == "comparison":
        from optimizer.procurement.bids.schema import Comparison

        emit_json(Comparison.model_json_schema())
    elif what in ("scoring", "low-price"):
        from optimizer.procurement.bids.scoring_rules import LowPriceRules, ScoringRules

        emit_json((ScoringRules if what == "scoring" else LowPriceRules).model_json_schema())
    elif what == "results-compared":
        from optimizer.procurement.bids.changes_schema import ResultsCompared

        emit_json(ResultsCompared.model_json_schema())
    elif what == "award":
        from optimizer.procurement.award.schema import Award

        emit_json(Award.model_json_schema())
    elif what == "award-terms":
        from optimizer.procurement.award.terms import AwardTerms

        emit_json(AwardTerms.model_json_schema())
    elif what == "profile":
        from optimizer.procurement.quotation.profile import Profile

        emit_json(Profile.model_json_schema())
    elif what in ("size", "size-models"):
        from optimizer.sizing.schema import ModelsReport, SizeReport

        emit_json((SizeReport if what == "size" else ModelsReport).model_json_schema())
    else:
        from catalogs.nearest import one_of

        raise InputError(f"no schema {what!r}", "unknown-schema", one_of(what, KINDS.split(", ")))

"""`dsopt verify`: judge a saved result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.output import emit_json, note
from optimizer.i18n import chosen

HELP = """Examples:

  dsopt verify result.json

  dsopt verify result.json --prove

Prices, sums, throughput and rules of a saved result made anew; --prove also proves that no build is missing."""


def verify(
    file: Annotated[Path, typer.Argument(help="result.json, of `dsopt solve --json` or -o")],
    prove: Annotated[bool, typer.Option("--prove", help="Prove again that nothing lies under the front.")] = False,
    engine: Annotated[str, typer.Option(help="Solver of --prove: cp-sat, or highs for small catalogs.")] = "cp-sat",
    thorough: Annotated[bool, typer.Option("--thorough", help="--prove without bounds and pruning (slow).")] = False,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    calibration: Annotated[Path | None, typer.Option(help="Folder of constants that the result was made with.")] = None,
    measured: Annotated[Path | None, typer.Option(help="Measurements that the result was made with.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """See HELP."""
    from catalogs.errors import InputError
    from catalogs.files import read_result
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.verify.consistent import consistent

    if engine not in ("cp-sat", "highs"):
        raise InputError(f"no engine {engine!r}", "unknown-engine", "One of: cp-sat, highs.")
    if not prove and (thorough or engine != "cp-sat"):
        raise typer.BadParameter("--engine and --thorough are of --prove")
    data = read_result(file)
    parts = load(catalog)
    by, _ = parse.calibration(calibration, measured, parts, Policy())
    report, read = consistent(data, parts, by)
    proof: dict[str, Any] | None = None
    if prove:
        from optimizer.verify.complete import complete

        proof = complete(read, report, engine, thorough)
    verdict = not report.wrong
    if json:
        wrong = [{"where": w.where, "text": w.text} for w in report.wrong]
        emit_json({"file": str(file), "ok": verdict, "wrong": wrong, "unchecked": report.unchecked, "proof": proof})
    else:
        for w in report.wrong:
            print(w)
        for text in report.unchecked:
            note(f"not checked: {text}")
        print(_verdict(len(report.wrong), len(read.points) if read else 0, proof))
    if not verdict:
        raise typer.Exit(5)


def _verdict(wrong: int, points: int, proof: dict[str, Any] | None) -> str:
    _ = chosen()
    if wrong:
        return _("1 thing wrong.") if wrong == 1 else _("{n} things wrong.", n=wrong)
    words = _("Consistent: {n} points, every price, sum, throughput and rule that could be checked agrees.", n=points)
    if proof:
        words += " " + _(
            "Complete: {bound} families closed by bound and {solver} by {engine} in {seconds} s; nothing lies under "
            "the front.",
            bound=proof["closed_by_bound"], solver=proof["closed_by_solver"], engine=proof["engine"],
            seconds=f"{proof['seconds']:.2f}",
        )  # fmt: skip
    return words

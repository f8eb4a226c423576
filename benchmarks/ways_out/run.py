"""Ways out of fresh requests without a build, typed in and held against what is found by hand.

`python -m benchmarks.ways_out.run > benchmarks/ways_out/results.md`. Each line of requests.txt is asked as
`dsopt solve ... --json`; each command printed as a way out is typed in and must end with exit code 0 at the total that
it promised. Then every looser request of trials.py is solved for. Of those that change one condition by hand, one that
works although no way out names its condition, or that is as small a change as the one printed and cheaper, is a fault;
of those that give up two, one that works although no way out changes two or fewer.
`--only 3` runs the third request anew and keeps the others of results.json, which holds every way out; `--jobs 2` runs
two at once.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.ways_out.trials import Trial, trials
from catalogs.load import Catalog
from catalogs.offers import PRICE_WORDS
from constraints.policy import Policy
from constraints.request import Request
from optimizer.library.opening import shipped_catalog
from optimizer.result.answer import solve

HERE = Path(__file__).parent
AS_OF = date(2026, 11, 24)
TRIAL_SECONDS = 20
"""After so long a trial is left unjudged: nothing is said of it."""


@dataclass
class Judged:
    """A request with its ways out: those typed in, and faults found by hand. `cut`: the search for ways out says that
    it ended before it was complete; a condition that no way out names is no fault then, but counted."""

    request: str
    exit_code: int
    conflict: list[str] = field(default_factory=list)
    ways: list[dict[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    cut: bool = False
    missed: list[str] = field(default_factory=list)
    tried: int = 0
    unjudged: int = 0
    cheaper: list[str] = field(default_factory=list)


def dsopt(words: list[str]) -> tuple[int, dict[str, Any]]:
    """(exit code, the answer) of a command in a process of its own."""
    code = "from optimizer.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words, "--json"], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {"error": done.stderr[-300:]}


def judged(words: list[str], catalog: Catalog) -> Judged:
    """One request, asked, answered, typed in and tried by hand."""
    shown = shlex.join(words).replace(f"{HERE / 'data'}{os.sep}", "DATA/")
    code, said = dsopt(["solve", *words, "--as-of", AS_OF.isoformat()])
    out = Judged(shown, code)
    if code != 4:
        out.wrong.append(f"is no request without a build: exit {code} {said.get('error', '')}")
        return out
    why = said["explanation"]
    out.conflict, out.cut = [c["key"] for c in why["conflict"]], not why["complete"]
    files = {"OWN.csv": str(HERE / "data" / "own.csv")}
    for way in why["ways_out"]:
        typed = [files.get(w, w) for w in shlex.split(way["command"])[1:]]
        got, answer = dsopt(typed)
        total = answer["front"][0]["cost"]["total"] if got == 0 else f"exit {got}"
        text = " and ".join(c["text"] for c in way["changes"])
        key = "+".join(c["key"] for c in way["changes"])
        out.ways.append({"key": key, "text": text, "total": way["build"]["total"], "typed": total})
        if total != way["build"]["total"]:
            out.wrong.append(f"{text}: {way['build']['total']} promised, {total} when typed in")
        out.ways[-1] |= {"command": way["command"].replace(f"{HERE / 'data'}{os.sep}", "DATA/")}
    _by_hand(out, Request.model_validate(said["request"]), catalog)
    return out


def _by_hand(out: Judged, request: Request, catalog: Catalog) -> None:
    """Every trial solved for and held against the ways out."""
    asked = [(w["key"], w["total"], _request(w["command"])) for w in out.ways]
    for trial in trials(request, catalog):
        out.tried += 1
        least = _least(request, trial, catalog)
        if least is None:
            out.unjudged += 1
            continue
        if not least:
            continue
        if "+" in trial.key:
            if all(key.count("+") > 1 for key, _, _ in asked):
                fault = f"{trial.label}: {least}, no way out of two conditions or fewer"
                (out.missed if out.cut else out.cheaper).append(fault)
            continue
        rivals = [(total, r) for key, total, r in asked if key == trial.key and _kin(trial, r)]
        if trial.key == "offload" and any(k == "software" and Decimal(t) <= Decimal(least) for k, t, _ in asked):
            continue  # the leave for experimental engines alone does it
        if not rivals:
            (out.missed if out.cut else out.cheaper).append(f"{trial.label}: {least}, no way out says so")
        for total, other in rivals:
            if trial.size <= _size(trial, request, other) and Decimal(least) < Decimal(total):
                out.cheaper.append(f"{trial.label}: {least}, while {total} is printed")


def _request(command: str) -> dict[str, Any]:
    """Options of a printed command with their values."""
    words = shlex.split(command)[2:]
    found: dict[str, list[str]] = {}
    for i, word in enumerate(words):
        if word.startswith("--"):
            value = words[i + 1] if i + 1 < len(words) and not words[i + 1].startswith("--") else "yes"
            found.setdefault(word, []).append(value)
    return found


OPTIONS = {
    "budget": ("--budget", 100), "nodes": ("--max-nodes", 1), "power": ("--max-kw", 1000),
    "rack-units": ("--rack-units", 1), "ttft": ("--max-ttft", 1), "price-age": ("--max-price-age", 1),
    "lead": ("--max-lead", 1), "sellers": ("--max-sellers", 1), "users": ("--users", 1),
    "throughput": ("--throughput", 10), "user-speed": ("--min-tok-s-user", 1), "share": ("--max-share", 1),
    "estimates": ("--max-estimated", 1),
}  # fmt: skip
"""Option of a figure, and how many of the request's units make one of the option's."""
DEFAULTS = {"--max-nodes": 32.0, "--min-tok-s-user": 10.0, "--max-share": 100.0, "--max-estimated": 100.0}
LISTS = {
    "vendor": "--vendor", "origin": "--origin", "no-vendor": "--no-vendor", "no-origin": "--no-origin",
    "exclude": "--exclude", "include": "--include",
}  # fmt: skip


def _kin(trial: Trial, options: dict[str, Any]) -> bool:
    """Whether a way out of the same condition is of the trial's kind: a circuit of the same voltage."""
    return not trial.kind or any(v.endswith(f"@{trial.kind}V") for v in options.get("--circuit", []))


def _size(trial: Trial, request: Request, options: dict[str, Any]) -> float:
    """How large the change of a printed command is, in the trial's measure."""
    if trial.key in OPTIONS:
        option, per = OPTIONS[trial.key]
        (name,) = trial.fields
        given = options.get(option, [None])[0]
        value = DEFAULTS[option] if given is None else float(given.rstrip("%"))
        return abs(value * per - float(getattr(request, name)))
    if trial.key in ("circuit", "circuit-volts"):
        return float(options["--circuit"][0].split("A")[0])
    if trial.key == "precision":
        given = options.get("--min-precision", ["16bit"])[0]
        return 16 - int(given.removesuffix("bit"))
    if trial.key in LISTS:
        (name,) = trial.fields
        return abs(len(options.get(LISTS[trial.key], [])) - len(getattr(request, name)))
    if trial.key in ("confidence", "condition"):
        every = ",".join(PRICE_WORDS) if trial.key == "confidence" else "new"
        given = options.get(f"--{trial.key}", [every])[0].replace("any", "new,used,refurbished").split(",")
        return len(given) - len(request.confidences if trial.key == "confidence" else request.conditions)
    return 1


def _least(request: Request, trial: Trial, catalog: Catalog) -> str | None:
    """Total of the cheapest build of a trial; empty where there is none, None where the time was up."""
    changed = Request.model_validate({**request.model_dump(), **trial.fields})
    answer = solve(catalog, changed, Policy(), TRIAL_SECONDS)
    if not answer.front.complete:
        return None
    return str(answer.data["front"][0]["cost"]["total"]) if answer.data["front"] else ""


def read_requests(path: Path) -> list[list[str]]:
    """The words of each request; lines that start with # are headings."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [shlex.split(x) for x in lines if x.strip() and not x.startswith("#")]
    return [[w.replace("DATA/", f"{HERE / 'data'}{os.sep}") for w in words] for words in found]


def _told(numbered: tuple[int, list[str]]) -> Judged:
    """One request judged, with a line on stderr and its faults."""
    number, words = numbered
    j = judged(words, shipped_catalog())
    print(number, j.exit_code, len(j.ways), j.tried, "cut" if j.cut else "", j.request, file=sys.stderr)
    for text in (*j.wrong, *(f"cheaper: {x}" for x in j.cheaper), *(f"missed: {x}" for x in j.missed)):
        print("     ", text, file=sys.stderr)
    return j


def report(found: list[Judged], name: str) -> str:
    """All requests as Markdown: sums first, then a row each."""
    ways, tried = sum(len(j.ways) for j in found), sum(j.tried for j in found)
    lines = [
        f"# Ways out of requests without a build, {datetime.now(UTC):%Y-%m-%d}",
        "",
        f"{machine()}; {len(found)} of {name}, prices of {AS_OF}.",
        "",
        f"- {ways} ways out typed in, {sum(len(j.wrong) for j in found)} of them wrong.",
        f"- {tried} looser requests tried by hand: {sum(len(j.cheaper) for j in found)} are as small and cheaper "
        "than what is printed, or of a condition that no way out names. "
        f"{sum(j.unjudged for j in found)} trials were stopped after {TRIAL_SECONDS} s.",
        f"- {sum(j.cut for j in found)} answers say that their search ended early; {sum(len(j.missed) for j in found)} "
        "trials that work are of conditions that those answers do not name.",
        "",
        "| dsopt solve | conflict | ways out (total when typed in) | tried | faults |",
        "|---|---|---|---:|---|",
    ]
    for j in found:
        shown = "; ".join(f"{w['text']} ({w['typed']})" for w in j.ways) or "none"
        faults = "; ".join([*j.wrong, *j.cheaper]) or ("search ended early" if j.cut else "")
        lines.append(f"| {j.request} | {', '.join(j.conflict)} | {shown} | {j.tried} | {faults} |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=Path, default=HERE / "requests.txt")
    options.add_argument("--only", type=int, action="append", default=[])
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--json", type=Path, default=None)
    asked = options.parse_args()
    numbered = list(enumerate(read_requests(asked.requests), 1))
    chosen = [(number, words) for number, words in numbered if not asked.only or number in asked.only]
    with ProcessPoolExecutor(asked.jobs) as pool:
        found = list(pool.map(_told, chosen))
    if asked.only and HERE.joinpath("results.json").exists() and asked.json is None:
        before = json.loads((HERE / "results.json").read_text(encoding="utf-8"))["requests"]
        anew = dict(zip([number - 1 for number, _ in chosen], found, strict=True))
        found = [anew.get(i) or Judged(**before[i]) for i in range(len(numbered))]
    print(report(found, asked.requests.name))
    data = {"machine": machine(), "as_of": AS_OF.isoformat(), "requests": [asdict(j) for j in found]}
    target = asked.json or HERE / "results.json"
    target.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""`dsopt solve` and `dsopt check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from catalogs.files import write_text
from optimizer.cli.output import emit_json, note, table

HELP = """Examples:

  dsopt solve --budget 300000 --model v2-670b

  dsopt solve --budget 400000 --model r1-671b --users 64

  dsopt solve --throughput 5000 --model v3-671b --json

  dsopt solve --budget 60000 --model v3-671b --offload --min-precision 4bit

The proven front of cost against throughput, and the recommended build."""
CHECK_HELP = """Example: dsopt check examples/guide-entry.toml

Every rule on a build written by hand or on a saved result; exit 5 when one fails."""
SHOWN = 12


def _words(texts: list[str]) -> frozenset[str]:
    return frozenset(w.strip().casefold() for t in texts for w in t.split(",") if w.strip())


def solve(
    model: Annotated[str | None, typer.Option(help="Model id or Hugging Face name.")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    budget: Annotated[str | None, typer.Option(help="Money in all: 300000, 300k, $300,000, 30万, 2000000CNY.")] = None,
    throughput: Annotated[float | None, typer.Option(help="Output tokens per second to reach.")] = None,
    users: Annotated[int | None, typer.Option(help="Requests that run at once.")] = None,
    workload: Annotated[
        str, typer.Option(help="chat, rag, reasoning, batch; finetune-lora, finetune-full, train.")
    ] = "chat",
    isl: Annotated[int | None, typer.Option(help="Tokens in per request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Tokens out per request.")] = None,
    min_tok_s_user: Annotated[float | None, typer.Option(help="Speed that each user sees; 10.")] = None,
    max_ttft: Annotated[float | None, typer.Option(help="Time to first token, ms.")] = None,
    seq_len: Annotated[int | None, typer.Option(help="Training: tokens of a sequence.")] = None,
    dataset_tb: Annotated[float | None, typer.Option(help="Training: TB of the training set on disk.")] = None,
    train_tokens: Annotated[float | None, typer.Option(help="Training: tokens to train, for the days.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp16, fp8, int8, int4, nvfp4, ...")] = None,
    min_precision: Annotated[str | None, typer.Option(help="Lowest precision allowed: 4bit, 8bit, 16bit.")] = None,
    kv_precision: Annotated[str, typer.Option(help="bf16 or fp8.")] = "bf16",
    allow_experimental: Annotated[bool, typer.Option(help="Count engines marked experimental.")] = False,
    offload: Annotated[bool, typer.Option("--offload", help="Routed experts in host memory too.")] = False,
    max_nodes: Annotated[int, typer.Option(help="Most nodes.")] = 32,
    max_kw: Annotated[float | None, typer.Option(help="Most power of the build, kW.")] = None,
    circuit: Annotated[str | None, typer.Option(help="One branch circuit, 15A@120V.")] = None,
    rack_units: Annotated[int | None, typer.Option(help="Rack units there are.")] = None,
    site_water: Annotated[bool, typer.Option(help="The site has facility water.")] = False,
    have: Annotated[str, typer.Option(help="What the site has: racks,network.")] = "",
    vendor: Annotated[list[str], typer.Option(help="Allow only these vendors.")] = [],
    no_vendor: Annotated[list[str], typer.Option(help="Bar these vendors.")] = [],
    condition: Annotated[str, typer.Option(help="new, refurbished, used or any.")] = "new",
    max_price_age: Annotated[int | None, typer.Option(help="Oldest price, days.")] = None,
    include: Annotated[list[str], typer.Option(help="Part that the build must contain.")] = [],
    exclude: Annotated[list[str], typer.Option(help="Part that it must not.")] = [],
    gpu: Annotated[list[str], typer.Option(help="[N x]NAME: only these GPUs.")] = [],
    as_of: Annotated[str | None, typer.Option(help="Day of the prices.")] = None,
    currency: Annotated[str | None, typer.Option(envvar="DSOPT_CURRENCY", help="USD, CNY, EUR, GBP, JPY.")] = None,
    tax: Annotated[str | None, typer.Option(help="Tax on all lines: 13% or a country code, CN.")] = None,
    policy: Annotated[Path | None, typer.Option(help="TOML file of policy values.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    pue: Annotated[float | None, typer.Option(help="Power usage effectiveness.")] = None,
    energy_price: Annotated[float | None, typer.Option(help="Price per kWh.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds; then the best checked front so far, exit 6.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Show every point.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the result as JSON.")] = None,
) -> None:
    """See HELP."""
    import json as json_module

    from catalogs.errors import InputError
    from catalogs.load import load
    from constraints.policy import Policy, tax_percent
    from optimizer.cli import parse

    if budget is None and throughput is None and users is None:
        raise typer.BadParameter("one of --budget, --throughput, --users is needed")
    parts = load(catalog)
    if parts.replaced:
        note(f"The overlay replaced: {', '.join(parts.replaced)}.")
    cents, code = parse.money(budget, currency) if budget else (None, currency or "USD")
    counts = [parse.gpu(g, parts) for g in gpu]
    conditions = ["new", "refurbished", "used"] if condition == "any" else [c.strip() for c in condition.split(",")]
    if throughput is not None and not (0 < throughput < 1e11):
        raise InputError(f"--throughput must be above 0, not {throughput}", "bad-throughput")
    if time_limit is not None and not 0 < time_limit < 10**9:
        raise InputError(f"--time-limit must be above 0, not {time_limit}", "bad-time-limit")
    if pue is not None and not 1 <= pue <= 10:
        raise InputError(f"--pue must be 1 to 10, not {pue}", "bad-pue")
    if max_kw is not None and not (0 < max_kw < 1e6):
        raise InputError(f"--max-kw must be above 0, not {max_kw}", "bad-power")
    request = parse.request(
        model=parse.model(model, model_config),
        as_of=parse.day(as_of),
        currency=code,
        budget_cents=cents,
        throughput_tenths=None if throughput is None else round(throughput * 10),
        **parse.lengths(workload, isl, osl),
        **parse.of_workload(
            workload,
            {"users": users, "min_tok_s_user": min_tok_s_user, "max_ttft_ms": max_ttft},
            {"seq_len": seq_len, "dataset_tb": dataset_tb, "train_tokens": train_tokens},
        ),
        precision=precision,
        min_precision_bits=_bits(min_precision),
        kv_precision=kv_precision,
        allow_experimental=allow_experimental,
        offload=offload,
        max_nodes=max_nodes,
        max_power_w=None if max_kw is None else int(max_kw * 1000),
        circuit=parse.circuit(circuit) if circuit else None,
        rack_units=rack_units,
        site_water=site_water,
        have=_words([have]),
        vendors=_words(vendor),
        barred_vendors=_words(no_vendor),
        conditions=frozenset(conditions),
        max_price_age_days=max_price_age,
        include=tuple(parts.find(x).id for x in include),
        exclude=frozenset(parts.find(x).id for x in exclude),
        gpus=frozenset(g for _, g in counts),
        gpu_count=next((n for n, _ in counts if n), None),
    )
    chosen = Policy().with_file(policy) if policy else Policy()
    extra = [f"energy.pue={pue}"] * (pue is not None) + [f"energy.price_per_kwh={energy_price}"] * (
        energy_price is not None
    )
    extra += [f"money.tax_percent={tax_percent(tax)}"] if tax else []
    chosen = chosen.with_settings([*set_, *extra])

    from optimizer.api import explained, saving
    from optimizer.api import solve as run
    from optimizer.cli.progress import progress
    from optimizer.clock import Clock, interruptible

    with progress() as tell, interruptible(clock := Clock(time_limit, tell)):
        answer = run(parts, request, chosen, clock=clock)
    data, ways = answer.data, []
    if answer.front.complete:
        if answer.front.points:
            if words := saving(answer):
                data["messages"].append({"code": "lower-precision", "severity": "note", "text": words})
        else:
            ways = explained(answer)
            data["messages"] += [m for m, _ in ways]
    text = json_module.dumps(data, ensure_ascii=False, indent=2)
    if output is not None:
        write_text(output, text + "\n")
    if json:
        print(text)
    else:
        _show(data, all_)
    if not answer.front.complete:
        note("stopped before the proof: best checked front so far, not proven complete")
        raise typer.Exit(6)
    if not answer.front.points:
        note(
            "No build exists within these conditions." if ways else "No build exists, whatever one condition is lifted."
        )
        if ways and not json:
            note("The cheapest build that would work:")
            alone = [d for m, d in ways if m["code"] == "stands-against-budget"]
            _show((alone or [ways[0][1]])[0], True)
        raise typer.Exit(4)


def _bits(text: str | None) -> int | None:
    from catalogs.errors import InputError

    if text is None:
        return None
    digits = text.lower().removesuffix("bit").removesuffix("-")
    if digits not in ("4", "8", "16"):
        raise InputError(f"--min-precision {text!r} is none of 4bit, 8bit, 16bit", "bad-precision")
    return int(digits)


def shown(points: list[dict[str, Any]], named: dict[str, str], recommended: str | None) -> list[dict[str, Any]]:
    """At most 12 points: the named ones, then each at least 10 % faster than the last one shown."""
    must = {*named.values(), recommended}
    kept: list[dict[str, Any]] = []
    last = 0.0
    for p in points:
        speed = p["throughput"]["output_tok_s"]
        if p["id"] in must or (speed >= 1.1 * last and len(kept) < SHOWN - len(must)):
            kept.append(p)
            last = speed
    return kept


def _show(data: dict[str, Any], everything: bool) -> None:
    for m in data["messages"]:
        note(f"{m['severity']}: {m['text']}")
    points = data["front"]
    if not points:
        return
    currency = data["request"]["currency"]
    names: dict[str, list[str]] = {}
    for label, pid in [*data["named"].items(), ("recommended", data["recommended"])]:
        names.setdefault(pid, []).append(label)
    headers, figures = _axis(data["request"])
    rows = []
    for p in points if everything else shown(points, data["named"], data["recommended"]):
        plan, g = p["plan"], p["gpus"]
        how = " ".join(f"{k}{plan[k]}" for k in ("tp", "pp", "dp", "ep") if plan[k] > 1) or "tp1"
        rows.append(
            [
                p["id"],
                f"{float(p['cost']['total']):,.0f}",
                *figures(p),
                f"{p['nodes'][0]['count']} x {g['per_node']} {g['name']}",
                f"{plan['precision']} {how}{' host' * (plan['experts'] == 'host')} x{plan['replicas']}",
                f"{p['power']['total_w'] / 1000:.1f}",
                ", ".join(names.get(p["id"], [])),
            ]
        )
    table(
        ["point", f"total, {currency}", *headers, "GPUs", "plan", "kW", ""],
        rows,
        {1, *(i + 2 for i in range(len(headers))), len(headers) + 4},
    )
    chosen = next(p for p in points if p["id"] == data["recommended"])
    print(
        f"Build {chosen['id']}: {chosen['cost']['total']} {currency}, "
        f"of it {chosen['cost']['estimated_share']:.0%} on estimated prices"
    )
    table(
        ["qty", "part", "unit", "line", "price of", "confidence"],
        [
            [
                str(x["qty"]),
                f"{x['name']}{' (included)' if x['role'] == 'included' else ''}",
                x["unit_price"],
                x["line_total"],
                f"{x['price_date'] or ''}{' stale' if x['stale'] else ''}",
                x["price_confidence"] or "",
            ]
            for x in chosen["bom"]
        ],
        {0, 2, 3},
    )
    table(
        ["rule", "", "measured", "limit", "unit", "finding"],
        [
            [x["rule"], x["status"], _number(x["measured"]), _number(x["limit"]), x["unit"], x["text"]]
            for x in chosen["checks"]
        ],
        {2, 3},
    )
    e = chosen["energy"]
    print(f"Energy: {e['kwh_year']:,} kWh a year at PUE {e['pue']}, {e['cost_year']} {currency}")
    proof = data["proof"]
    print(
        f"Proof: {proof['status']}. {proof['scope']} ({proof['families']['closed_by_bound']} families closed by bound, "
        f"{proof['families']['closed_by_cp_sat']} by CP-SAT, {proof['seconds'].get('total', 0):.2f} s)"
    )


def _axis(request: dict[str, Any]) -> tuple[list[str], Callable[[dict[str, Any]], list[str]]]:
    """Headers and cells of the throughput columns: of serving with users, of training with days and memory sharing."""
    from constraints.request import TRAINING

    if request["workload"] not in TRAINING:
        return ["tok/s", "each user", "users"], lambda p: [
            f"{p['throughput']['output_tok_s']:,.1f}",
            f"{p['throughput']['per_user_tok_s']:.1f}",
            f"{p['throughput']['concurrency']}",
        ]

    def cells(p: dict[str, Any]) -> list[str]:
        t, how = p["throughput"], p["plan"]["training"]
        sharing = f"ZeRO {how['zero_stage']}, {how['micro_batch']} x {how['seq_len']}"
        days = [] if t["days"] is None else [f"{t['days']:,.2f}"]
        return [f"{t['output_tok_s']:,.1f}", *days, sharing + (", checkpointed" if how["checkpointing"] else "")]

    return ["train tok/s", *(["days"] if request["train_tokens"] else []), "training"], cells


def _number(x: float | None) -> str:
    return "" if x is None else f"{x:,.10g}"


def check(
    file: Annotated[Path, typer.Argument(help="build.toml or result.json")],
    model: Annotated[str | None, typer.Option(help="Model, where the file names none.")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    as_of: Annotated[str | None, typer.Option(help="Day of the prices.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """See CHECK_HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.api import check as run
    from optimizer.buildfile import read
    from optimizer.cli import parse
    from optimizer.market import Market

    parts = load(catalog)
    if model_config is not None:
        model = parse.model(model, model_config)
    parts, market_request, builds = read(file, parts, model, as_of)
    market = Market.open(parts, market_request, Policy().with_settings(set_))
    failed, out = False, []
    for name, build in builds:
        case, checks = run(market, build)
        failed |= any(x.status == "fail" for x in checks)
        out.append({"build": name, "gpus": case.per_node * build.nodes, "checks": [vars(x) for x in checks]})
        if not json:
            print(f"{name}: {build.nodes} x {case.per_node} {case.gpu.name}, node load {case.load_w} W")
            table(
                ["rule", "", "measured", "limit", "unit", "finding"],
                [[x.rule, x.status, _number(x.measured), _number(x.limit), x.unit, x.text] for x in checks],
                {2, 3},
            )
    if json:
        emit_json(out)
    if failed:
        raise typer.Exit(5)

"""`dsopt solve`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.front_view import show
from optimizer.cli.output import emit_data, free, note, save
from optimizer.text.languages import chosen as language

HELP = """Examples:

  dsopt solve --budget 300000 --model v2-670b

  dsopt solve --budget 400000 --model r1-671b --users 64

  dsopt solve --throughput 5000 --model v3-671b --json

  dsopt solve --tokens-per-day 200M --model v3-671b

  dsopt solve --budget 20000

  dsopt solve --budget 30000 --model v3-671b --offload --allow-experimental --min-precision 4bit

The proven front of cost against throughput, and the recommended build; without --model the best build per model.

Recommended is, with users or a load asked for, the cheapest build that serves them at the lower end of its 80 %
interval; with a budget alone, the fastest; else the cheapest."""
ANY_MODEL = "v3-671b"
"""Stands in the request where every model is asked for."""


def _words(texts: list[str]) -> frozenset[str]:
    return frozenset(w.strip().casefold() for t in texts for w in t.split(",") if w.strip())


def solve(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Model id or Hugging Face name. [default: every model]")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    budget: Annotated[str | None, typer.Option(help="Money in all, with tax: 300000, 300k, $300,000, 200万元.")] = None,
    throughput: Annotated[float | None, typer.Option(help="Output tokens per second to reach.")] = None,
    users: Annotated[int | None, typer.Option(help="Requests that run at once.")] = None,
    tokens_per_day: Annotated[str | None, typer.Option(help="Load: output tokens a day, 20M, 2000万, 3亿.")] = None,
    requests_per_second: Annotated[str | None, typer.Option(help="Load: mean requests a second.")] = None,
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
    rack_units: Annotated[int | None, typer.Option(help="Rack units available at the site.")] = None,
    site_water: Annotated[bool, typer.Option(help="The site has facility water.")] = False,
    have: Annotated[str, typer.Option(help="What the site has: racks,network.")] = "",
    vendor: Annotated[list[str], typer.Option(help="Allow only these vendors.")] = [],
    no_vendor: Annotated[list[str], typer.Option(help="Bar these vendors.")] = [],
    condition: Annotated[str, typer.Option(help="new, refurbished, used or any.")] = "new",
    max_price_age: Annotated[int | None, typer.Option(help="Oldest price, days.")] = None,
    include: Annotated[list[str], typer.Option(help="Part that the build must contain.")] = [],
    exclude: Annotated[list[str], typer.Option(help="Part that it must not.")] = [],
    gpu: Annotated[list[str], typer.Option(help="[N x]NAME: only these GPUs.")] = [],
    origin: Annotated[list[str], typer.Option(help="Admit only these countries of origin: US,TW.")] = [],
    no_origin: Annotated[list[str], typer.Option(help="Bar these countries of origin: CN.")] = [],
    confidence: Annotated[str | None, typer.Option(help="Prices admitted: list,street,estimate.")] = None,
    max_estimated: Annotated[str | None, typer.Option(help="Most of the cost on estimated prices: 30%.")] = None,
    max_lead: Annotated[int | None, typer.Option(help="Longest lead time, days.")] = None,
    strict_lead: Annotated[bool, typer.Option(help="Refuse unknown lead times.")] = False,
    avl: Annotated[Path | None, typer.Option(help="CSV of approved and barred parts and vendors.")] = None,
    max_sellers: Annotated[
        int | None, typer.Option("--max-sellers", "--max-vendors", help="Most sellers to buy from.")
    ] = None,
    one_seller: Annotated[bool, typer.Option("--one-seller", help="All from one seller.")] = False,
    max_share: Annotated[str | None, typer.Option(help="Most of the cost with one seller: 60%.")] = None,
    cost_axis: Annotated[
        str, typer.Option(help="What the front ascends in: money, power, rack-units, lead-time.")
    ] = "money",
    as_of: Annotated[str | None, typer.Option(help="Day of the prices.")] = None,
    currency: Annotated[str | None, typer.Option(envvar="DSOPT_CURRENCY", help="USD, CNY, EUR, GBP, JPY.")] = None,
    tax: Annotated[str | None, typer.Option(help="Tax on all lines: 13% or a country code, CN.")] = None,
    fx: Annotated[Path | None, typer.Option(help="CSV of exchange rates: currency,usd_per_unit,date,source.")] = None,
    support: Annotated[str | None, typer.Option(help="10%, table, or a CSV of category,percent.")] = None,
    spares: Annotated[
        list[str], typer.Option(help="5% of drives, memory, PSUs; gpu=1/16; table, or a CSV of category,percent.")
    ] = [],
    own: Annotated[Path | None, typer.Option(help="CSV of part,qty in hand: at no cost, up to their number.")] = None,
    policy: Annotated[Path | None, typer.Option(help="TOML file of policy values.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    pue: Annotated[float | None, typer.Option(help="Power usage effectiveness.")] = None,
    energy_price: Annotated[str | None, typer.Option(help="Price per kWh, in the request's currency: 0.8元.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    measured: Annotated[Path | None, typer.Option(help="CSV of your own measurements: they beat the model.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Folder that size --calibrate wrote.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds; then the best checked front so far, exit 6.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Threads of the proof; the result is the same.")] = 1,
    embed_catalog: Annotated[bool, typer.Option(help="Carry the catalog rows used in the result.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Show every point; without --model every model.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the result as JSON.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """See HELP."""
    from catalogs.errors import InputError
    from catalogs.files import written_json
    from catalogs.load import load
    from constraints.policy import Policy, tax_percent
    from constraints.request import TRAINING
    from optimizer.cli import parse, procurement, terms
    from optimizer.cli.usage import apart, kv_of_the_model, refuse
    from optimizer.request import texts
    from optimizer.request.command import Typed

    if all(x is None for x in (budget, throughput, users, tokens_per_day, requests_per_second)):
        wanted = "--budget, --throughput, --users, --tokens-per-day, --requests-per-second"
        raise typer.BadParameter(f"one of {wanted} is needed")
    if output is not None:
        free(output, force)
    single = model is not None or model_config is not None
    _contradictions(ctx, set_, precision, min_precision, one_seller, max_sellers)
    _one_seller_alone("--one-seller" if one_seller else "--max-sellers 1" if max_sellers == 1 else None, max_share)
    if single and json:
        refuse(ctx, "is of the table: the JSON holds every point", "all_")
    if not single:
        refuse(ctx, "is of the result of one model (--model)", "embed_catalog")
    elif embed_catalog and not json and output is None:
        refuse(ctx, "the rows stand in the JSON: give --json or -o", "embed_catalog")
    if output is not None and not output.parent.is_dir():
        text = f"cannot write: no folder {output.parent}"
        raise InputError(text, "not-writable", "Name a writable place.")
    if workload in TRAINING:
        refuse(ctx, f"is of serving, not of {workload}", "kv_precision", "offload")
    parts = load(catalog)
    cents, code = _money(ctx, budget, currency)
    counts = [texts.gpu(g, parts) for g in gpu]
    if len(numbers := {n for n, _ in counts if n}) > 1:
        raise typer.BadParameter(f"--gpu gives several numbers of GPUs: {', '.join(map(str, sorted(numbers)))}")
    barred = {parts.find(x).id for x in exclude}
    apart("--vendor", _words(vendor), "--no-vendor", _words(no_vendor))
    apart("--origin", _words(origin), "--no-origin", _words(no_origin))
    apart("--include", {parts.find(x).id for x in include}, "--exclude", barred)
    apart("--gpu", {name for _, name in counts}, "--exclude", barred)
    conditions = ["new", "refurbished", "used"] if condition == "any" else [c.strip() for c in condition.split(",")]
    if throughput is not None and not (0 < throughput < 1e11):
        raise InputError(f"--throughput must be above 0, not {throughput}", "bad-throughput")
    limit = parse.time_limit(time_limit)
    if pue is not None and not 1 <= pue <= 10:
        raise InputError(f"--pue must be 1 to 10, not {pue}", "bad-pue")
    if max_kw is not None and not (0 < max_kw < 1e6):
        raise InputError(f"--max-kw must be above 0, not {max_kw}", "bad-power")
    percent, by_category = terms.support(support)
    request = texts.request(
        model=parse.model(model, model_config) if single else ANY_MODEL,
        as_of=texts.day(as_of),
        currency=code,
        budget_cents=cents,
        throughput_tenths=None if throughput is None else round(throughput * 10),
        **texts.lengths(workload, isl, osl),
        **texts.of_workload(
            workload,
            {
                "users": users,
                **parse.load(tokens_per_day, requests_per_second),
                "min_tok_s_user": min_tok_s_user,
                "max_ttft_ms": max_ttft,
            },
            {"seq_len": seq_len, "dataset_tb": dataset_tb, "train_tokens": train_tokens},
        ),
        precision=precision,
        min_precision_bits=_bits(min_precision),
        kv_precision=kv_precision,
        allow_experimental=allow_experimental,
        offload=offload,
        max_nodes=max_nodes,
        max_power_w=None if max_kw is None else round(max_kw * 1000),
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
        own=terms.own(own, parts) if own else (),
        spares=terms.spares(spares),
        support=by_category,
        fx=terms.fx(fx) if fx else (),
        **procurement.fields(
            parts, origin=origin, no_origin=no_origin, confidence=confidence, max_estimated=max_estimated,
            max_lead=max_lead, strict_lead=strict_lead, avl=avl, max_sellers=max_sellers, one_seller=one_seller,
            max_share=max_share, cost_axis=cost_axis,
        ),
    )  # fmt: skip
    if single:
        kv_of_the_model(ctx, request)
    chosen = Policy().with_file(policy) if policy else Policy()
    extra = [f"energy.pue={pue}"] if pue is not None else []
    extra += [f"energy.price_per_kwh={_energy_price(energy_price, code):f}"] if energy_price is not None else []
    extra += [f"money.tax_percent={tax_percent(tax)}"] if tax else []
    extra += [f"money.support_percent={percent}"] if percent is not None else []
    chosen = chosen.with_settings([*set_, *extra])

    typed = Typed.of(
        own=own, avl=avl, fx=fx, support=support if by_category else None, model_config=model_config, catalog=catalog,
        measured=measured, by=calibration,
    )  # fmt: skip
    if not json:
        from optimizer.cli.understood import show_understood

        show_understood(parts, request, chosen, not single, typed)
    if parts.replaced:
        note(language()("The overlay replaced: {names}.", names=", ".join(parts.replaced)))
    by = parse.calibration(calibration, measured, parts, chosen)
    for text in by.notes:
        note(f"{language()('note')}{language().colon}{language().sentence(text)}")
    from optimizer.search.clock import Clock, interruptible

    if not single:
        from optimizer.cli.models_view import models

        with interruptible(clock := Clock(limit, workers=workers)):
            return models(parts, request, chosen, by, all_, clock, json, output, force)
    from optimizer.cli.no_build_view import show_no_build, telling
    from optimizer.cli.progress import progress
    from optimizer.library import solve as run

    with progress() as tell, interruptible(clock := Clock(limit, tell, workers)):
        result = run(
            request, catalog=parts, policy=chosen, calibration=by, clock=clock, embed_catalog=embed_catalog,
            typed=typed, tell=telling(),
        )  # fmt: skip
    data = result.model_dump(mode="json")
    text = written_json(data) + "\n"
    if output is not None:
        save(output, text, force)
    if json:
        emit_data(text)
    elif result.explanation is not None:
        show_no_build(result.explanation, data["messages"])
    else:
        show(data, all_)
    if not result.proof.complete:
        note(language()("stopped before the proof: best checked front so far, not proven complete"))
        raise typer.Exit(6)
    if not result.front:
        raise typer.Exit(4)


OWN_OPTIONS = {
    "money.tax_percent": "tax", "money.support_percent": "support", "energy.pue": "pue",
    "energy.price_per_kwh": "energy_price",
}  # fmt: skip
"""Policy values with an option of their own."""


def _contradictions(
    ctx: typer.Context, settings: list[str], precision: str | None, min_precision: str | None, one_seller: bool,
    max_sellers: int | None,
) -> None:  # fmt: skip
    """Raises BadParameter for options that say one thing twice or exclude each other."""
    from optimizer.cli.usage import option, set_twice, together, too_coarse, typed

    together(ctx, "model", "model_config")
    together(ctx, "tokens_per_day", "requests_per_second")
    set_twice(settings, {key: option(ctx, name) for key, name in OWN_OPTIONS.items() if typed(ctx, name)})
    too_coarse(precision, _bits(min_precision))
    if one_seller and max_sellers not in (None, 1):
        raise typer.BadParameter(f"--one-seller and --max-sellers {max_sellers} contradict: give one")


def _one_seller_alone(option: str | None, max_share: str | None) -> None:
    """Raises BadParameter for a share of the cost below 100 % where one seller has all of it."""
    from optimizer.cli.procurement import percent

    share = percent("--max-share", max_share)
    if option and share is not None and share < 100:
        raise typer.BadParameter(f"{option} and --max-share {max_share} contradict: one seller has 100 %")


def _money(ctx: typer.Context, budget: str | None, currency: str | None) -> tuple[int | None, str]:
    """(minor units of the budget, currency). DSOPT_CURRENCY is a default, that an amount may name another than;
    --currency is not."""
    from optimizer.cli.usage import typed
    from optimizer.text.money import currency_code, money

    said = typed(ctx, "currency")
    code = currency_code(currency, "--currency" if said else "DSOPT_CURRENCY") if currency is not None else None
    if budget is None:
        return None, code or "USD"
    found = money(budget, code if said else None, default=code)
    return found.cents, found.currency


def _energy_price(text: str, currency: str) -> Decimal:
    """Of a kWh, in the request's currency; 0 is allowed. Raises InputError for what is none or names another one."""
    from optimizer.text.money import amount, bad

    if text.strip().strip("0") in ("", "."):
        return Decimal(0)
    found = amount(text, "--energy-price", currency)
    if found.currency not in ("", currency):
        remedy = f"Give it in {currency}."
        why = f"is in {found.currency}, the request in {currency}"
        raise bad("--energy-price", text, why, remedy, "contradicting-currency")
    return found.value


def _bits(text: str | None) -> int | None:
    from catalogs.errors import InputError

    if text is None:
        return None
    digits = text.lower().removesuffix("bit").removesuffix("-")
    if digits not in ("4", "8", "16"):
        raise InputError(f"--min-precision {text!r} is none of 4bit, 8bit, 16bit", "bad-precision")
    return int(digits)

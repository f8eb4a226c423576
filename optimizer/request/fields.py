"""The fields of a request, one entry each: all that the command line, the explanations and `verify` know of a field.

`solve`, `check`, `xray`, `compare` and `size` have their options from it, the request as it was understood and commands
to type are printed from it, conditions and ways out are told from it, and a finished build is judged by it. Functions
that need rules, prices or models are imported when they are first called: `--help` reads this table too.
docs/verify.md shows who enforces what; a test holds that no field lacks an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, message
from catalogs.offers import PRICE_WORDS
from optimizer.request.entry import (
    ASK,
    BASIS,
    CHECKED,
    ENGINE,
    EVERYWHERE,
    JUDGED,
    PARTS,
    PLANNED,
    SITE,
    SIZED,
    TERMS,
    TRAINING,
    Asked,
    CommandName,
    Condition,
    FieldEntry,
    Figure,
    NameList,
    Option,
    Others,
    Quoted,
    Sizes,
)
from optimizer.request.late_import import Late

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.plan import Row
    from constraints.rule import Check
    from optimizer.request import clauses, condition_words, field_checks, gives_way, parsing, printing
else:
    clauses, condition_words, field_checks, gives_way, parsing, printing = (
        Late(f"optimizer.request.{name}")
        for name in ("clauses", "condition_words", "field_checks", "gives_way", "parsing", "printing")
    )

ID = "request"
"""What findings about fields are filed under, beside the rules' ids."""
PLANS = "the planner, which is run anew"
OFFERS = "the prices: what is not admitted has none"
LATENCY = "the planner; the figures of the chosen plan are held against it"
BY_OFFERS = ("procurement", "prices")
BY_LOAD = ("load", "search")
LOAD = "raises the least throughput to what the load needs"
SERVING, TRAINED = "serving", "training"
ALL_CONDITIONS = frozenset({"new", "refurbished", "used"})
LOADS = ("tokens_per_day", "requests_per_second")

FIELDS: dict[str, FieldEntry] = {
    "budget_cents": FieldEntry(
        by=("budget",),
        how="total with spares, support and tax",
        options=(
            Option("budget", "Budget for everything, tax included: 300000, 300k, $300,000, 200万元.", group=TERMS),
        ),
        reads=("currency",),
        parse=parsing.budget,
        typed=printing.budget,
        said=clauses.budget,
        shares="assortment",
        condition=Condition("budget", "budget", 10, condition_words.budget),
    ),
    "currency": FieldEntry(
        by=("prices",),
        how="all money is made anew in it and compared",
        commands=JUDGED,
        options=(Option("currency", "Currency: USD, CNY, EUR, GBP, JPY.", group=TERMS, environment="DSOPT_CURRENCY"),),
        reads=("budget",),
        parse=parsing.currency,
        said="budget_cents",
    ),
    "market": FieldEntry(
        by=("procurement", "prices", "power", "rack"),
        how="what is not sold there has no price; line voltage and price of energy are its",
        commands=CHECKED,
        options=(
            Option(
                "market",
                "Where you buy: US, EU, UK, CN, JP or any; decides which parts are sold, line voltage, energy price. "
                "[default: by currency, or by the country of --tax]",
                group=SITE,
            ),
        ),
        reads=("tax",),
        parse=parsing.market,
        typed=printing.market,
        said=clauses.market,
        condition=Condition(
            "market",
            "procurement",
            155,
            condition_words.market,
            holds=condition_words.market_bars,
            without={"market": "any"},
            asked=condition_words.says_market,
            given_up="parts that are not sold there",
            loosens=Others(gives_way.other_markets),
        ),
    ),
    "model": FieldEntry(
        by=("vram", "precision", "software", "storage", "planner"),
        how=PLANS,
        commands=EVERYWHERE,
        options=(
            Option(
                "model",
                "Model by id, Hugging Face id, Ollama tag or short name. [default: each of the DeepSeek family and "
                "your own; --all: every model]",
                group=ASK,
            ),
            Option(
                "model_config",
                "A config.json or the folder of a downloaded checkpoint, instead of --model.",
                Path,
                group=ASK,
            ),
        ),
        parse=parsing.model,
        said=clauses.model,
    ),
    "throughput_tenths": FieldEntry(
        by=("search",),
        how="rows that are slower are left out",
        judge=field_checks.throughput,
        place="throughput.output_tok_s",
        options=(Option("throughput", "Least output tokens per second in all.", float, group=ASK),),
        parse=parsing.throughput,
        typed=printing.throughput,
        said=clauses.throughput,
        shares="assortment",
        condition=Condition(
            "throughput",
            "vram",
            40,
            condition_words.throughput,
            holds=lambda asked: asked.request.mean_tok_s is None and asked.request.throughput_tenths is not None,
            loosens=Figure("{} tok/s in all", 1, unit=10, attained=gives_way.throughput),
        ),
        quoted=Quoted(N_("Throughput"), 10, "at_least", clauses.throughput_unit, digits=1, limit=clauses.least_speed),
    ),
    "users": FieldEntry(
        by=("vram", "planner"),
        how=LATENCY,
        commands=PLANNED,
        judge=field_checks.users,
        place="throughput.concurrency",
        options=(Option("users", "Users at once: requests served at the same time, at least.", int, group=ASK),),
        of=SERVING,
        said=clauses.users,
        plan=N_("serves {qty} requests at once"),
        shares="assortment",
        condition=Condition("users", "vram", 20, "{} users at once", loosens=Figure("{} users at once", 1)),
        quoted=Quoted(N_("Requests at once"), 30, "at_least"),
    ),
    "tokens_per_day": FieldEntry(
        by=BY_LOAD,
        how=LOAD,
        commands=SIZED,
        judge=field_checks.load,
        place="throughput.output_tok_s",
        options=(Option("tokens_per_day", "Load: output tokens per day: 20M, 2000万, 3亿.", group=ASK),),
        of=SERVING,
        parse=parsing.tokens_per_day,
        said=clauses.tokens_per_day,
        shares="assortment",
        condition=Condition(
            "load",
            "vram",
            30,
            condition_words.load,
            holds=lambda asked: asked.request.mean_tok_s is not None,
            without={**dict.fromkeys(LOADS), "throughput_tenths": None},
        ),
        quoted=Quoted(N_("Mean load"), 20, "at_least", clauses.throughput_unit, digits=1, limit=clauses.mean_load),
    ),
    "requests_per_second": FieldEntry(
        by=BY_LOAD,
        how=LOAD,
        commands=SIZED,
        judge=field_checks.load,
        place="throughput.output_tok_s",
        options=(Option("requests_per_second", "Load: mean requests per second.", group=ASK),),
        of=SERVING,
        parse=parsing.requests_per_second,
        said=clauses.requests_per_second,
        shares="assortment",
    ),
    "workload": FieldEntry(
        by=("vram", "host_memory", "precision", "software", "planner"),
        how=PLANS,
        commands=PLANNED,
        options=(
            Option(
                "workload",
                "Kind of work: chat, rag, reasoning, batch; finetune-lora, finetune-full, train.",
                default="chat",
                group=ASK,
            ),
        ),
        said=clauses.workload,
    ),
    "isl": FieldEntry(
        by=("vram", "planner"),
        how=PLANS,
        commands=PLANNED,
        options=(Option("isl", "Input tokens per request.", int, group=ASK),),
        reads=("workload",),
        of=SERVING,
        parse=parsing.tokens_in,
        typed=printing.tokens_in,
        ever=True,
        said="workload",
    ),
    "osl": FieldEntry(
        by=("vram", "planner"),
        how=PLANS,
        commands=PLANNED,
        options=(Option("osl", "Output tokens per request.", int, group=ASK),),
        reads=("workload",),
        of=SERVING,
        parse=parsing.tokens_out,
        typed=printing.tokens_out,
        ever=True,
        said="workload",
    ),
    "min_tok_s_user": FieldEntry(
        by=("planner",),
        how=LATENCY,
        commands=PLANNED,
        judge=field_checks.user_speed,
        place="throughput.per_user_tok_s",
        options=(Option("min_tok_s_user", "Least speed for each user, tokens per second.", float, group=ASK),),
        of=SERVING,
        said=clauses.user_speed,
        plan=N_("gives each user {qty} tok/s"),
        shares="assortment",
        condition=Condition(
            "user-speed",
            "vram",
            60,
            "{} tok/s for each user",
            holds=condition_words.serves_each_user,
            without={"min_tok_s_user": 0.0},
            asked=condition_words.says_user_speed,
            loosens=Figure("{} tok/s for each user", 0, steps=10, attained=gives_way.user_speed),
        ),
        quoted=Quoted(N_("Each user sees"), 40, "at_least", "tok/s", digits=1, limit=clauses.speed_that_counts),
    ),
    "max_ttft_ms": FieldEntry(
        by=("planner",),
        how=LATENCY,
        commands=PLANNED,
        judge=field_checks.first_token,
        place="throughput.ttft_ms",
        options=(Option("max_ttft", "Longest time to first token, ms.", float, group=ASK),),
        of=SERVING,
        said=clauses.first_token,
        plan=N_("answers within {qty} ms"),
        shares="assortment",
        condition=Condition(
            "ttft",
            "vram",
            50,
            "a first token within {} ms",
            loosens=Figure("a first token within {} ms", 10**6, attained=gives_way.first_token),
        ),
        quoted=Quoted(N_("Time to first token"), 50, "at_most", "ms"),
    ),
    "seq_len": FieldEntry(
        by=("vram", "planner"),
        how="activations of a sequence; " + PLANS,
        commands=PLANNED,
        options=(Option("seq_len", "Tokens per training sequence.", int, group=TRAINING),),
        of=TRAINED,
    ),
    "dataset_tb": FieldEntry(
        by=("storage",),
        how="drives hold weights and training set",
        commands=JUDGED,
        options=(Option("dataset_tb", "Size of the training set on disk, TB.", float, group=TRAINING),),
        of=TRAINED,
        condition=Condition(
            "dataset", "storage", 70, "{} TB of training set", loosens=Figure("{} TB of training set", 1, steps=10)
        ),
    ),
    "train_tokens": FieldEntry(
        by=("view",),
        how="days and energy of a training run; it rules out no build",
        commands=SIZED,
        options=(Option("train_tokens", "Tokens to train on; gives the days that it takes.", float, group=TRAINING),),
        of=TRAINED,
    ),
    "precision": FieldEntry(
        by=("precision", "planner"),
        how="the plan runs in it",
        commands=PLANNED,
        options=(Option("precision", "Precision of the weights: fp16, fp8, int8, int4, nvfp4, ...", group=ENGINE),),
        condition=Condition(
            "precision",
            "precision",
            80,
            condition_words.precision,
            holds=condition_words.limits_precision,
            without={"precision": None, "min_precision_bits": 4},
            asked=lambda asked: asked.request.precision is not None or asked.request.min_precision_bits is not None,
            loosens=Others(gives_way.precisions),
        ),
    ),
    "min_precision_bits": FieldEntry(
        by=("precision", "planner"),
        how="the plan keeps the floor",
        commands=PLANNED,
        options=(Option("min_precision", "Lowest precision allowed: 16bit, 8bit, 4bit, ... 2bit.", group=ENGINE),),
        parse=parsing.min_precision,
        typed=lambda request: [f"{request.min_precision_bits}bit"],
        shares="prices",
    ),
    "any_precision": FieldEntry(
        by=("precision", "software", "planner"),
        how="formats of which no checkpoint is known fail without",
        commands=PLANNED,
        options=(
            Option(
                "any_precision",
                "Count formats of which no checkpoint is known: you make the weights.",
                bool,
                False,
                group=ENGINE,
            ),
        ),
        shares="prices",
    ),
    "kv_precision": FieldEntry(
        by=("vram", "planner"),
        how="the plan's KV cache is in it",
        commands=PLANNED,
        judge=field_checks.kv_precision,
        place="plan.kv_precision",
        options=(
            Option(
                "kv_precision",
                "Precision of the KV cache: bf16, fp8, or q8_0 of llama.cpp. [default: the checkpoint's]",
                group=ENGINE,
            ),
        ),
        of=SERVING,
    ),
    "speculate": FieldEntry(
        by=("vram", "planner"),
        how="plans hold the module for several tokens; speed counts what it proposes, where a number is asked for",
        commands=PLANNED,
        options=(
            Option(
                "speculate",
                "mtp1 to mtp5: the checkpoint's MTP module proposes so many tokens per step, counted in memory and "
                "speed. mtp: its memory alone (DSpark too).",
                group=ENGINE,
            ),
        ),
        of=SERVING,
        parse=parsing.speculate,
    ),
    "cached_share_percent": FieldEntry(
        by=("planner",),
        how="fewer tokens of a prompt are computed; its KV cache is held whole",
        commands=PLANNED,
        options=(
            Option(
                "cached_share",
                "Mean share of a prompt that the prefix cache already holds: 40%. [default: none]",
                group=ASK,
            ),
        ),
        of=SERVING,
        parse=parsing.cached_share,
        typed=lambda request: [f"{request.cached_share_percent}%"],
        said=clauses.cached_share,
    ),
    "allow_experimental": FieldEntry(
        by=("software", "planner"),
        how="engines marked experimental fail without",
        commands=PLANNED,
        options=(Option("allow_experimental", "Allow engines marked experimental.", bool, False, group=ENGINE),),
        condition=Condition(
            "software",
            "software",
            90,
            "stable engines only",
            holds=lambda asked: not asked.request.allow_experimental,
            without={"allow_experimental": True},
            asked=lambda _: False,
            given_up="engines marked experimental",
        ),
    ),
    "offload": FieldEntry(
        by=("host_memory", "planner", "search"),
        how="rows with experts in host memory",
        commands=PLANNED,
        judge=field_checks.offload,
        place="plan.experts",
        options=(
            Option("offload", "Keep routed experts in system RAM too.", bool, False, ("--offload",), group=ENGINE),
        ),
        of=SERVING,
    ),
    "grade": FieldEntry(
        by=("host_memory", "fit", "cores", "storage", "interconnect"),
        how="thresholds by kind of machine",
        commands=CHECKED,
        options=(
            Option(
                "grade",
                "What a build must have: floor (what makes it work), common (what is sold), full (what reference "
                "designs ask). [default: common; floor where a build is given]",
                group=PARTS,
            ),
        ),
        parse=parsing.grade,
        said=clauses.grade,
        shares="prices",
        condition=Condition(
            "grade",
            "host_memory",
            45,
            condition_words.grade,
            holds=lambda asked: asked.request.grade != "floor",
            without={"grade": "floor"},
            given_up=N_("grade floor"),
        ),
    ),
    "cost_axis": FieldEntry(
        by=("search",),
        how="the axis of each point is made anew and compared",
        options=(
            Option(
                "cost_axis",
                "What the front weighs against throughput: money, power, rack-units, lead-time.",
                default="money",
                group=ASK,
            ),
        ),
        parse=parsing.cost_axis,
    ),
    "max_nodes": FieldEntry(
        by=("site", "search"),
        how="also the policy's plans.max_nodes",
        commands=JUDGED,
        judge=field_checks.nodes,
        place="nodes[0].count",
        options=(Option("max_nodes", "Maximum number of nodes.", int, 32, group=SITE),),
        shares="assortment",
        condition=Condition(
            "nodes",
            "site",
            100,
            "at most {} nodes",
            holds=lambda asked: asked.request.max_nodes < printing.default("max_nodes"),
            loosens=Figure("up to {} nodes", lambda _: printing.default("max_nodes"), attained=gives_way.nodes),
        ),
        quoted=Quoted(N_("Nodes"), 80, "at_most"),
    ),
    "max_power_w": FieldEntry(
        by=("site",),
        how="nodes and switches at their worst-case load",
        commands=CHECKED,
        options=(Option("max_kw", "Maximum power of the build, kW.", float, group=SITE),),
        parse=parsing.watts,
        typed=printing.kilowatts,
        condition=Condition(
            "power",
            "site",
            110,
            condition_words.kilowatts,
            loosens=Figure("{} kW", 10**8, unit=1000, attained=gives_way.watts),
        ),
        quoted=Quoted(N_("Power of the whole build"), 90, "at_most", "kW", digits=1, per=1000, at="power.total_w"),
    ),
    "circuit": FieldEntry(
        by=("power", "rack"),
        how="load on the breaker, and supplies at its voltage",
        commands=CHECKED,
        options=(
            Option("circuit", "The one branch circuit available: 15A@120V, or three-phase 32A@400V3.", group=SITE),
        ),
        parse=parsing.circuit,
        typed=printing.circuit,
        condition=Condition(
            "circuit",
            "power",
            120,
            condition_words.circuit,
            loosens=Sizes(gives_way.circuits, gives_way.other_circuit, gives_way.circuit_carries, "circuit-volts"),
        ),
    ),
    "rack_units": FieldEntry(
        by=("site",),
        how="nodes, switches and cooling",
        commands=CHECKED,
        options=(Option("rack_units", "Rack units available at the site.", int, group=SITE),),
        condition=Condition(
            "rack-units",
            "site",
            130,
            "at most {} rack units",
            loosens=Figure("{} rack units", 10**5, attained=gives_way.rack_units),
        ),
        quoted=Quoted(N_("Rack units"), 100, "at_most", "U", at="rack_units"),
    ),
    "site_water": FieldEntry(
        by=("cooling",),
        how="liquid cooling needs it",
        commands=JUDGED,
        options=(Option("site_water", "The site has facility water.", bool, False, group=SITE),),
        condition=Condition(
            "water",
            "cooling",
            140,
            "no facility water",
            holds=lambda asked: not asked.request.site_water,
            without={"site_water": True},
            asked=lambda _: False,
            given_up="facility water",
        ),
    ),
    "have": FieldEntry(
        by=("rack", "interconnect"),
        how="what the site lacks has to be in the build",
        commands=JUDGED,
        options=(Option("have", "What the site already has: racks,network.", default="", group=SITE),),
        parse=parsing.have,
        typed=lambda request: [",".join(sorted(request.have))],
    ),
    "vendors": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("vendor", "Allow only these vendors.", several=True, group=PARTS),),
        parse=parsing.vendors,
        typed=lambda request: sorted(request.vendors),
        condition=Condition(
            "vendor",
            "procurement",
            160,
            condition_words.vendors,
            loosens=NameList("vendor {} too", gives_way.vendors_in, gives_way.all_vendors),
        ),
    ),
    "barred_vendors": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("no_vendor", "Exclude these vendors.", several=True, group=PARTS),),
        parse=parsing.barred_vendors,
        typed=lambda request: sorted(request.barred_vendors),
        against=("vendors",),
        condition=Condition(
            "no-vendor",
            "procurement",
            170,
            condition_words.barred_vendors,
            loosens=NameList("vendor {} allowed", gives_way.vendors_in),
        ),
    ),
    "include": FieldEntry(
        by=("procurement", "search"),
        how="bought or inside a complete system",
        options=(Option("include", "Part that the build must contain.", several=True, group=PARTS),),
        parse=parsing.include,
        typed=lambda request: request.include,
        parts=lambda request: request.include,
        condition=Condition(
            "include",
            "procurement",
            180,
            lambda asked: condition_words.members(N_("with {list}"), asked.request.include),
            loosens=NameList("without {} in it", gives_way.parts_in, demanded=True),
        ),
    ),
    "exclude": FieldEntry(
        by=("procurement", "prices", "search"),
        how="also inside systems, and as GPU of a board",
        judge=field_checks.exclude,
        place="gpus.part",
        options=(Option("exclude", "Part that the build must not contain.", several=True, group=PARTS),),
        parse=parsing.exclude,
        typed=lambda request: sorted(request.exclude),
        against=("include", "gpus"),
        parts=lambda request: request.exclude,
        condition=Condition(
            "exclude",
            "procurement",
            190,
            lambda asked: condition_words.members(N_("without {list}"), asked.request.exclude),
            loosens=NameList("with {} allowed", gives_way.parts_in),
        ),
    ),
    "origins": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("origin", "Allow only these countries of origin: US,TW.", several=True, group=PARTS),),
        parse=parsing.origins,
        typed=lambda request: request.origins,
        condition=Condition(
            "origin",
            "procurement",
            200,
            lambda asked: condition_words.members(N_("made in {list}"), asked.request.origins),
            loosens=NameList("parts from {} too", gives_way.origins_in, gives_way.all_origins),
        ),
    ),
    "barred_origins": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("no_origin", "Exclude these countries of origin: CN.", several=True, group=PARTS),),
        parse=parsing.barred_origins,
        typed=lambda request: request.barred_origins,
        against=("origins",),
        condition=Condition(
            "no-origin",
            "procurement",
            210,
            lambda asked: condition_words.members(N_("not made in {list}"), asked.request.barred_origins),
            loosens=NameList("parts from {} allowed", gives_way.origins_in),
        ),
    ),
    "conditions": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        commands=JUDGED,
        options=(
            Option("condition", "Condition of the parts: new, refurbished, used or any.", default="new", group=PARTS),
        ),
        parse=parsing.conditions,
        typed=printing.conditions,
        condition=Condition(
            "condition",
            "procurement",
            150,
            condition_words.conditions,
            holds=lambda asked: asked.request.conditions != ALL_CONDITIONS,
            without={"conditions": ALL_CONDITIONS},
            asked=lambda asked: asked.request.conditions != {"new"},
            loosens=NameList("{} parts too", gives_way.conditions_in, lambda _: gives_way.as_written(ALL_CONDITIONS)),
        ),
    ),
    "gpus": FieldEntry(
        by=("search",),
        how="families of other GPUs are left out",
        judge=field_checks.gpus,
        place="gpus.part",
        options=(
            Option(
                "gpu", 'Only these GPUs, if you like with their number per node: "8 x H200".', several=True, group=PARTS
            ),
        ),
        parse=parsing.gpus,
        typed=printing.gpus,
        shares="prices",
        parts=lambda request: request.gpus,
        condition=Condition(
            "gpu",
            "procurement",
            220,
            condition_words.gpus,
            without={"gpus": frozenset(), "gpu_count": None},
            given_up="other GPUs",
        ),
    ),
    "gpu_count": FieldEntry(
        by=("search",),
        how="node counts that make another number are left out",
        judge=field_checks.gpu_count,
        place="gpus.total",
        reads=("gpu",),
        parse=parsing.gpu_count,
        shares="prices",
    ),
    "confidences": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(
            Option(
                "confidence",
                "Kinds of price allowed: read (or list,contract,street,sold),indexed,estimate.",
                group=PARTS,
            ),
        ),
        parse=parsing.confidences,
        typed=printing.confidences,
        condition=Condition(
            "confidence",
            "procurement",
            240,
            condition_words.confidences,
            holds=lambda asked: len(asked.request.confidences) < len(PRICE_WORDS),
            loosens=NameList(
                "prices of confidence {} too",
                gives_way.confidences_in,
                lambda _: gives_way.as_written(PRICE_WORDS),
            ),
        ),
    ),
    "price_level": FieldEntry(
        by=("prices",),
        how="every price counts at that end of its band",
        commands=CHECKED,
        options=(Option("price", "Count every price at one end of its band: low, middle or high.", group=PARTS),),
        parse=parsing.price_level,
        typed=lambda request: [request.price_level],
    ),
    "bought_as": FieldEntry(
        by=("prices",),
        how="prices that hold for that purchase go first",
        commands=CHECKED,
        options=(
            Option(
                "bought_as",
                "Parts priced as in a configured machine, or bought loose: configured or loose.",
                group=PARTS,
            ),
        ),
        parse=parsing.bought_as,
        typed=lambda request: [request.bought_as],
    ),
    "prefer": FieldEntry(
        by=("prices",),
        how="a part that own offers have is priced by them alone",
        commands=CHECKED,
        options=(
            Option(
                "prefer", "mine: your own offers alone price the parts that they have; any: all offers.", group=PARTS
            ),
        ),
        parse=parsing.prefer,
        typed=lambda request: [request.prefer],
    ),
    "max_estimated_percent": FieldEntry(
        by=("estimates", "surplus"),
        how="share of the sum of lines, without padding",
        options=(Option("max_estimated", "Largest share of the cost on estimated prices: 30%.", group=PARTS),),
        parse=parsing.max_estimated,
        typed=lambda request: [f"{request.max_estimated_percent}%"],
        condition=Condition(
            "estimates",
            "estimates",
            280,
            "at most {} % of the cost on estimated prices",
            loosens=Figure("up to {} % of the cost on estimated prices", 100, attained=gives_way.estimated_percent),
        ),
    ),
    "max_share_percent": FieldEntry(
        by=("sellers", "surplus"),
        how="share of the sum of lines, without padding",
        options=(Option("max_share", "Largest share of the cost with one seller: 60%.", group=PARTS),),
        parse=parsing.max_share,
        typed=lambda request: [f"{request.max_share_percent}%"],
        condition=Condition(
            "share",
            "sellers",
            300,
            "at most {} % of the cost with one seller",
            loosens=Figure("up to {} % of the cost with one seller", 100, attained=gives_way.largest_share_percent),
        ),
    ),
    "max_price_age_days": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("max_price_age", "Maximum age of a price, days.", int, group=PARTS),),
        condition=Condition(
            "price-age",
            "procurement",
            230,
            "no price older than {} days",
            loosens=Figure("prices up to {} days old", 36500, attained=gives_way.price_age_days),
        ),
    ),
    "max_lead_days": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("max_lead", "Maximum lead time, days.", int, group=PARTS),),
        condition=Condition(
            "lead",
            "procurement",
            250,
            "delivery within {} days",
            loosens=Figure("delivery within {} days", 3650, attained=gives_way.lead_days),
        ),
    ),
    "strict_lead": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("strict_lead", "Exclude parts whose lead time is unknown.", bool, False, group=PARTS),),
        condition=Condition("strict-lead", "procurement", 260, "known lead times only", given_up="unknown lead times"),
    ),
    "max_sellers": FieldEntry(
        by=("sellers", "prices"),
        how="orders are chosen for the build as a whole",
        options=(
            Option(
                "max_sellers", "Maximum number of sellers.", int, None, ("--max-sellers", "--max-vendors"), group=PARTS
            ),
            Option("one_seller", "Buy everything from one seller.", bool, False, ("--one-seller",), group=PARTS),
        ),
        parse=parsing.max_sellers,
        condition=Condition(
            "sellers",
            "sellers",
            290,
            "at most {} sellers",
            loosens=Figure("up to {} sellers", condition_words.most_sellers, attained=gives_way.sellers),
        ),
    ),
    "spares": FieldEntry(
        by=("prices", "budget"),
        how="spares are lines of the bill; made anew and compared",
        options=(
            Option(
                "spares",
                "Spare parts: 5% of drives, memory, PSUs; gpu=1/16; table; or a CSV of category,percent.",
                several=True,
                group=TERMS,
            ),
        ),
        parse=parsing.spares,
        typed=printing.spares,
    ),
    "own": FieldEntry(
        by=("prices",),
        how="pieces in hand cost nothing; lines and sums are made anew and compared",
        options=(Option("own", "CSV of part,qty that you already have: they cost nothing.", Path, group=TERMS),),
        parse=parsing.own,
        file="OWN.csv",
        parts=lambda request: (held.part for held in request.own),
    ),
    "avl": FieldEntry(
        by=BY_OFFERS,
        how=OFFERS,
        options=(Option("avl", "CSV of approved and excluded parts and vendors.", Path, group=PARTS),),
        parse=parsing.avl,
        file="LIST.csv",
        parts=lambda request: (row.part for row in request.avl if row.part),
        condition=Condition(
            "avl",
            "procurement",
            270,
            lambda asked: message("the approved list ({n} rows)", n=len(asked.request.avl)),
            given_up="parts beyond the approved list",
        ),
    ),
    "fx": FieldEntry(
        by=("prices",),
        how="rates that convert every price; made anew and compared",
        options=(Option("fx", "CSV of exchange rates: currency,usd_per_unit,date,source.", Path, group=TERMS),),
        parse=parsing.fx,
        file="FX.csv",
    ),
    "support": FieldEntry(
        by=("prices", "budget"),
        how="by category; made anew and compared",
        options=(Option("support", "Support contract: 10%, table, or a CSV of category,percent.", group=TERMS),),
        parse=parsing.support,
        file="SUPPORT.csv",
    ),
    "as_of": FieldEntry(
        by=("prices",),
        how="offers of a later day do not count",
        commands=CHECKED,
        judge=field_checks.prices_dated,
        place="bom",
        options=(Option("as_of", "Date of the prices.", group=BASIS),),
        parse=parsing.as_of,
        typed=printing.as_of,
        ever=True,
        said=clauses.as_of,
    ),
}
"""In the order of commands to type."""


def fields_of(command: CommandName) -> tuple[str, ...]:
    """Fields that a command reads from its options, as their entries say."""
    return tuple(name for name, entry in FIELDS.items() if command in entry.commands)


def options_of(command: CommandName) -> list[Option]:
    """Options that a command's fields are typed with, in the order of the table."""
    return [option for name in fields_of(command) for option in FIELDS[name].options]


def options_of_kind(command: CommandName, workload: str) -> list[Option]:
    """Those of a command's options that say something of one kind of workload alone."""
    return [option for name in fields_of(command) if FIELDS[name].of == workload for option in FIELDS[name].options]


def option_of(field: str) -> str:
    """A field's option as it is typed; of one without its name alone."""
    entry = FIELDS.get(field)
    if entry is None or not (entry.options or entry.reads):
        return f"--{field.replace('_', '-')}"
    if entry.options:
        return entry.options[0].typed
    return next(option.typed for other in FIELDS.values() for option in other.options if option.name == entry.reads[0])


def in_force(field: str, asked: Asked) -> bool:
    """Whether a field is a condition that a build may fail."""
    condition = FIELDS[field].condition
    if condition is None or condition.holds is None:
        return condition is not None and not printing.is_default(asked.request, field)
    return condition.holds(asked)


def without(field: str) -> Mapping[str, Any]:
    """Fields and values of the request that gives up the field's condition."""
    condition = FIELDS[field].condition
    return (condition.without if condition else None) or {field: printing.default(field)}


@dataclass(frozen=True)
class Broken:
    """A field that a build does not meet; `place` is within a point of a result."""

    field: str
    place: str
    found: Check

    @property
    def text(self) -> str:
        """The finding with both figures."""
        return f"request.{self.field}: {self.found.text}"


def broken(case: Case, row: Row | None) -> list[Broken]:
    """Fields that no rule reads and a build with its plan does not meet, by plain arithmetic."""
    subject = field_checks.subject(case, row)
    return list(_broken(subject))


def _broken(subject: field_checks.Subject) -> Iterator[Broken]:
    for name, entry in FIELDS.items():
        for finding in entry.judge(subject) if entry.judge else ():
            if finding.status == "fail":
                yield Broken(name, entry.place, finding)


def table() -> str:
    """The entries as a table in Markdown (docs/verify.md)."""
    head = "| field | enforced by | how | judged anew at |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{name}` | {', '.join(e.by)} | {e.how} | {f'`front[].{e.place}`' if e.place else ''} |\n"
        for name, e in FIELDS.items()
    )

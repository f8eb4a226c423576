"""What a buyer asks for, condition by condition: in words, and what the request is without it.

Conditions that nobody typed count too: the precision floor, the speed that each user sees, new parts, stable engines.
Model, workload and terms of purchase (currency, tax, spares) are no conditions: they are what is being bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from constraints.policy import defaults
from constraints.request import Request
from constraints.rules.precision import BITS
from optimizer.explanation.questions import LOADS, Change
from optimizer.market.market import Market
from optimizer.text.figures import amount, days, listed, spent, trimmed

ALL_CONDITIONS = frozenset({"new", "refurbished", "used"})
ALL_CONFIDENCES = ("list", "street", "estimate")


@dataclass(frozen=True)
class Condition:
    """One condition. `key` is stable, `rule` the rule that carries it, `asked` whether the buyer typed it."""

    key: str
    rule: str
    text: str
    without: Change
    asked: bool = True


def conditions(market: Market) -> list[Condition]:
    """All conditions in force, what the buyer typed first."""
    found = [*_wanted(market), *_site(market.request), *_bought(market), *_policy(market)]
    return [c for c in found if c.asked] + [c for c in found if not c.asked]


def _wanted(market: Market) -> Iterator[Condition]:
    """Money, load, speed, precision, software."""
    r, llm = market.request, market.llm
    if r.budget_cents is not None:
        yield Condition(
            "budget", "budget", f"a budget of {spent(r.budget_cents, r.currency)}", Change.of(budget_cents=None)
        )
    if r.users is not None:
        yield Condition("users", "vram", amount("{} users at once", r.users), Change.of(users=None))
    if r.mean_tok_s is not None:
        load = "tokens a day" if r.tokens_per_day else "requests a second"
        text = f"a load of {trimmed(r.tokens_per_day or r.requests_per_second or 0)} {load}"
        yield Condition("load", "vram", text, Change.of(**dict.fromkeys(LOADS), throughput_tenths=None))
    elif r.throughput_tenths is not None:
        text = f"{trimmed(r.throughput_tenths / 10)} tok/s in all"
        yield Condition("throughput", "vram", text, Change.of(throughput_tenths=None))
    if r.max_ttft_ms is not None:
        text = f"a first token within {trimmed(r.max_ttft_ms)} ms"
        yield Condition("ttft", "vram", text, Change.of(max_ttft_ms=None))
    if r.min_tok_s_user > 0 and not r.trains and r.workload != "batch":
        text = f"{trimmed(r.min_tok_s_user)} tok/s for each user"
        given = r.min_tok_s_user != Request.model_fields["min_tok_s_user"].default
        yield Condition("user-speed", "vram", text, Change.of(min_tok_s_user=0.0), given)
    if r.dataset_tb is not None:
        yield Condition("dataset", "storage", f"{trimmed(r.dataset_tb)} TB of training set", Change.of(dataset_tb=None))
    lowest = min((BITS[p] for p in llm.precisions()), default=16)
    given = r.precision is not None or r.min_precision_bits is not None
    floor = min(r.min_precision_bits or 32, llm.min_precision_bits)
    if (r.precision is not None or floor > lowest) and (r.lora or not r.trains):
        text = f"precision {r.precision}" if r.precision else f"weights of at least {floor} bits"
        yield Condition("precision", "precision", text, Change.of(precision=None, min_precision_bits=4), given)
    if not r.allow_experimental:
        yield Condition("software", "software", "stable engines only", Change.of(allow_experimental=True), False)


def _site(r: Request) -> Iterator[Condition]:
    """Nodes, power, space, water."""
    most = Request.model_fields["max_nodes"].default
    if r.max_nodes < most:
        text = f"at most {r.max_nodes} node{'s' * (r.max_nodes > 1)}"
        yield Condition("nodes", "site", text, Change.of(max_nodes=most))
    if r.max_power_w is not None:
        text = f"at most {trimmed(r.max_power_w / 1000)} kW"
        yield Condition("power", "site", text, Change.of(max_power_w=None))
    if r.circuit is not None:
        text = f"one circuit of {r.circuit.amps} A at {r.circuit.volts} V"
        yield Condition("circuit", "power", text, Change.of(circuit=None))
    if r.rack_units is not None:
        yield Condition("rack-units", "site", amount("at most {} rack units", r.rack_units), Change.of(rack_units=None))
    if not r.site_water:
        yield Condition("water", "cooling", "no facility water", Change.of(site_water=True), False)


def _bought(market: Market) -> Iterator[Condition]:
    """Parts, offers and sellers admitted."""
    r, vendors = market.request, {p.vendor.casefold(): p.vendor for p in market.catalog.parts.values()}
    if r.conditions != ALL_CONDITIONS:
        text = f"{listed(sorted(r.conditions))} parts only"
        yield Condition("condition", "procurement", text, Change.of(conditions=ALL_CONDITIONS), r.conditions != {"new"})
    named = [
        ("vendor", "only vendors", "vendors", frozenset(), [vendors.get(v, v) for v in sorted(r.vendors)]),
        ("no-vendor", "no vendor", "barred_vendors", frozenset(), [vendors.get(v, v) for v in r.barred_vendors]),
        ("include", "with", "include", (), list(r.include)),
        ("exclude", "without", "exclude", frozenset(), sorted(r.exclude)),
        ("origin", "made in", "origins", (), list(r.origins)),
        ("no-origin", "not made in", "barred_origins", (), list(r.barred_origins)),
    ]  # fmt: skip
    for key, words, name, none, members in named:
        if members:
            yield Condition(key, "procurement", f"{words} {listed(sorted(members))}", Change({name: none}))
    if r.gpus:
        count = f"{r.gpu_count} x " if r.gpu_count else "only "
        yield Condition(
            "gpu", "procurement", f"{count}{listed(sorted(r.gpus), 'or')}", Change.of(gpus=frozenset(), gpu_count=None)
        )
    if r.max_price_age_days is not None:
        text = f"no price older than {days(r.max_price_age_days)}"
        yield Condition("price-age", "procurement", text, Change.of(max_price_age_days=None))
    if len(r.confidences) < len(ALL_CONFIDENCES):
        text = f"prices of confidence {listed(list(r.confidences), 'or')}"
        yield Condition("confidence", "procurement", text, Change.of(confidences=ALL_CONFIDENCES))
    if r.max_lead_days is not None:
        text = f"delivery within {days(r.max_lead_days)}"
        yield Condition("lead", "procurement", text, Change.of(max_lead_days=None))
    if r.strict_lead:
        yield Condition("strict-lead", "procurement", "known lead times only", Change.of(strict_lead=False))
    if r.avl:
        text = f"the approved list ({len(r.avl)} rows)"
        yield Condition("avl", "procurement", text, Change.of(avl=()))
    if r.max_estimated_percent is not None:
        text = f"at most {r.max_estimated_percent} % of the cost on estimated prices"
        yield Condition("estimates", "estimates", text, Change.of(max_estimated_percent=None))
    if r.max_sellers is not None:
        text = f"at most {r.max_sellers} seller{'s' * (r.max_sellers > 1)}"
        yield Condition("sellers", "sellers", text, Change.of(max_sellers=None))
    if r.max_share_percent is not None:
        text = f"at most {r.max_share_percent} % of the cost with one seller"
        yield Condition("share", "sellers", text, Change.of(max_share_percent=None))


MORE_IS_STRICTER = (
    "vram.reserve_", "host_memory.floor_percent", "host_memory.expert_copies", "host_memory.system_gb",
    "cores.per_gpu_min", "power.atx_transient_percent", "power.fan_", "cooling.inlet_c",
    "cooling.liquid_residual_percent", "cooling.cdu_margin_percent", "storage.", "interconnect.", "rack.kg_per_unit",
)  # fmt: skip
LESS_IS_STRICTER = (
    "power.psu_load_percent", "power.surviving_load_percent", "power.breaker_percent", "power.efficiency_",
    "cooling.rack_air_w", "rack.max_units", "plans.",
)  # fmt: skip
CONTAINED_AIR_W = Decimal(30000)
"""Heat per rack by air with containment (SPEC: rule cooling)."""


def _policy(market: Market) -> Iterator[Condition]:
    """Rules' own figures that the buyer made stricter, and the air of a rack without containment."""
    policy = market.policy
    for key, value in sorted(policy.changed.items()):
        default = defaults()[key]
        stricter = (key.startswith(MORE_IS_STRICTER) and value > default.value) or (
            key.startswith(LESS_IS_STRICTER) and value < default.value
        )
        if stricter:
            text = f"{key} = {trimmed(value)} {default.unit} ({default.title})"
            yield Condition(f"policy:{key}", key.partition(".")[0], text, Change({}, {key: default.value}))
    air = "cooling.rack_air_w"
    if air not in policy.changed and policy[air] < CONTAINED_AIR_W:
        text = f"{trimmed(policy[air] / 1000)} kW of heat to the air per rack"
        yield Condition("rack-air", "cooling", text, Change({}, {air: CONTAINED_AIR_W}), False)

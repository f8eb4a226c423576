"""`dsopt size` on a terminal: memory, plan, speed over users; several setups side by side; models of a setup."""

from __future__ import annotations

from typing import Any

from optimizer.cli.front_view import coded, remark
from optimizer.cli.output import note, note_sentence, padded, say, say_labelled, table
from optimizer.sizing.schema import ModelFit, ModelsReport, Sized, SizedApart, SizedCard, SizeReport, UsersRow
from optimizer.text.languages import N_, chosen

START = N_("Start")
BASES = {"measured": N_("measured"), "interpolated": N_("interpolated"), "roofline": N_("roofline")}
FACTS = {
    "per_node": N_("GPUs per node"),
    "nodes": N_("Nodes"),
    "gpus": N_("GPUs in all"),
    "fits": N_("fits"),
    "reason": N_("reason"),
    "missing_gb": N_("missing, GB per GPU"),
    "precision": N_("Precision"),
    "kv_precision": N_("KV cache in"),
    "tp": N_("tensor parallel"),
    "pp": N_("pipeline stages"),
    "dp": N_("data parallel"),
    "ep": N_("expert parallel"),
    "replicas": N_("replicas"),
    "engine": N_("engine"),
    "weights_gb": N_("weights, GB per GPU"),
    "kv_gb": N_("KV cache, GB per GPU"),
    "reserve_gb": N_("reserve, GB per GPU"),
    "needed_gb": N_("needed, GB per GPU"),
    "vram_gb": N_("GPU memory, GB"),
    "users": N_("users"),
    "output_tok_s": N_("tok/s"),
    "low": N_("low"),
    "high": N_("high"),
    "basis": N_("basis"),
    "source": N_("source"),
    "per_user_tok_s": N_("tok/s each"),
    "ttft_ms": N_("TTFT, ms"),
    "tpot_ms": N_("time per output token, ms"),
    "concurrency": N_("sequences or requests at once"),
    "unit": N_("unit"),
    "days": N_("days"),
    "one_user_tok_s": N_("tok/s of one user alone"),
    "experts": N_("experts are kept in"),
    "experts_gb": N_("experts, GB"),
    "bandwidth_gb_s": N_("memory bandwidth, GB/s"),
    "room_gib": N_("room for experts, GiB"),
    "compute_gflops": N_("CPU compute, GFLOP/s"),
    "method": N_("method"),
    "seq_len": N_("sequence length"),
    "zero_stage": N_("ZeRO stage"),
    "shard_gpus": N_("GPUs of a shard group"),
    "micro_batch": N_("sequences of a micro-batch"),
    "checkpointing": N_("activation checkpointing"),
    "lora_rank": N_("LoRA rank"),
    "states_gb": N_("gradients and optimizer states, GB"),
    "gathered_gb": N_("gathered layers, GB"),
    "activations_gb": N_("activations, GB"),
}
"""Facts of training and of experts in host memory, which English names as the JSON does."""


def show(size_report: SizeReport) -> None:
    """Messages to stderr, figures to stdout."""
    _ = chosen()
    for message_ in size_report.messages:
        note(f"{_('note')}{_.colon}{remark(message_)}")
    lengths = (
        ""
        if size_report.isl is None
        else _(", {isl} tokens in, {osl} out", isl=f"{size_report.isl:,}", osl=f"{size_report.osl:,}")
    )
    say(f"{_.sentence(size_report.model.name)}{_.colon}{size_report.workload}{lengths}")
    if size_report.isl is None or any(s.details for s in size_report.setups):
        for s in size_report.setups:
            facts(s)
    elif len(size_report.setups) == 1:
        one(size_report.setups[0])
    else:
        compare(size_report.setups)
    for s in size_report.setups:
        if second_opinion := s.second_opinion:
            speed_ = f"{second_opinion.output_tok_s:,.0f} {_('tok/s')}{_.bracketed(_.sentence(second_opinion.plan))}"
            say(
                _(
                    "{engine} on {setup}: {speed}",
                    engine=f"{second_opinion.engine} {second_opinion.version}",
                    setup=setup(s),
                    speed=speed_,
                )
            )


def setup(s: Sized | Any) -> str:
    """`8 x H200 SXM5 141GB`, `2 x 8 x ...` on two nodes; of unlike cards their names with numbers."""
    if s.kinds > 1:
        return s.name
    return f"{f'{s.nodes} x ' if s.nodes > 1 else ''}{s.per_node} x {s.name}"


def plan(p: Sized | UsersRow) -> str:
    """`fp8 tp8`, `fp8 dp8 ep8 x2` for two replicas."""
    sizes = ((k, getattr(p, k)) for k in ("tp", "pp", "dp", "ep"))
    how = " ".join(f"{k}{v}" for k, v in sizes if v and v > 1) or "tp1"
    return f"{p.precision} {how}" + (f" x{p.replicas}" if p.replicas and p.replicas > 1 else "")


def milliseconds(ms: float | None) -> str:
    """`48 ms`, `4.0 s`."""
    return "" if ms is None else f"{ms:,.0f} ms" if ms < 1000 else f"{ms / 1000:,.1f} s"


def memory(sized: Sized) -> str:
    """Who takes the memory of the fullest GPU."""
    return chosen()(
        "{weights} GB weights + {kv} GB KV cache + {reserve} GB reserve = {needed} of {vram} GB",
        weights=f"{sized.weights_gb:,.1f}",
        kv=f"{sized.kv_gb:,.1f}",
        reserve=f"{sized.reserve_gb:,.1f}",
        needed=f"{sized.needed_gb:,.1f}",
        vram=f"{sized.vram_gb:,.1f}",
    )


def speed(x: Sized | UsersRow) -> str:
    """Interval of a speed."""
    return f"{_tok_s(x.low)}-{_tok_s(x.high)}"


def _tok_s(speed: float | None) -> str:
    """Whole tok/s; of a single digit with a decimal."""
    return "" if speed is None else f"{speed:,.1f}" if speed < 9.95 else f"{speed:,.0f}"


def one(sized: Sized) -> None:
    """A setup by itself."""
    _ = chosen()
    lines = [(N_("GPUs"), setup(sized))]
    if sized.vram_gb is not None and not sized.cards:
        lines.append((N_("Memory per GPU"), memory(sized)))
    if sized.host_memory:
        lines.append((N_("Host memory"), _.sentence(sized.host_memory)))
    if not sized.fits:
        lines.append((N_("Does not fit") if sized.judged else N_("Not judged"), _.sentence(sized.reason)))
        if sized.precision:
            lines.append((N_("Tried"), plan(sized)))
    else:
        how = _("{plan}, KV cache in {kv}, {engine}", plan=plan(sized), kv=sized.kv_precision, engine=sized.engine)
        users = _(
            "{users} at once, {speed} tok/s each, TTFT {ttft}",
            users=f"{sized.users:,}",
            speed=f"{sized.per_user_tok_s:,.1f}",
            ttft=milliseconds(sized.ttft_ms),
        )
        said = _(
            "{speed} tok/s, 80 % interval {interval}, {basis}",
            speed=f"{sized.output_tok_s:,.0f}",
            interval=speed(sized),
            basis=basis(sized),
        )
        lines += [(N_("Plan"), how), (N_("Users"), users), (N_("Throughput"), said)]
        if sized.beyond:
            lines.append(("", _.sentence(sized.beyond)))
    if sized.apart:
        lines += apart(sized.apart)
    if sized.counts:
        lines.append((N_("Other numbers"), _.sentence(sized.counts)))
    lines += [(START, command) for command in sized.launch]
    if sized.launch_note:
        lines.append(("", _.sentence(sized.launch_note)))
    if sized.faster_without:
        lines.append((_("Slower cards"), _.sentence(sized.faster_without)))
    for title, text in lines:
        label = _(title) if title else ""
        if title == START:
            print(f"  {padded(label, 15)} {text}")  # whole, to be copied: a terminal breaks it where it must
        else:
            say_labelled(f"  {label}", text, 17)
    if sized.cards:
        cards(sized.cards)
    over_users(sized)


def over_users(sized: Sized) -> None:
    """Speed over the number of users, a row each."""
    _ = chosen()
    if sized.table:
        table(
            [_("users"), _("tok/s each"), _("tok/s"), _("80 % interval"), _("basis"), _("TTFT"), _("plan"), _("cut")],
            [
                [
                    f"{u.users:,}",
                    f"{u.per_user_tok_s:,.1f}",
                    _tok_s(u.output_tok_s),
                    speed(u),
                    based(u.basis),
                    milliseconds(u.ttft_ms),
                    plan(u),
                    _.sentence(u.cut),
                ]
                for u in sized.table
            ],
            {0, 1, 2, 3, 5},
        )


def apart(split: SizedApart) -> list[tuple[str, str]]:
    """What a split into nodes that prefill and nodes that decode does."""
    _ = chosen()
    how = _(
        "{plan}, {precision}, KV cache in {kv}, {engine}",
        plan=_.sentence(split.plan), precision=split.precision, kv=split.kv_precision, engine=split.engine,
    )  # fmt: skip
    users = _(
        "{users} at once, {speed} tok/s each, TTFT {ttft}",
        users=f"{split.users:,}", speed=f"{split.per_user_tok_s:,.1f}", ttft=milliseconds(split.ttft_ms),
    )  # fmt: skip
    said = _(
        "{speed} tok/s, 80 % interval {interval}, {basis}",
        speed=f"{split.output_tok_s:,.0f}", interval=f"{split.low:,.0f}-{split.high:,.0f}",
        basis=_("basis {basis}", basis=based(split.basis)),
    )  # fmt: skip
    balance = _(
        "{rate} requests/s, prefill busy {percent} % of the time; the KV cache of a prompt takes {ms} ms at {gbit} "
        "Gbit/s per GPU",
        rate=f"{split.requests_s:,.2f}", percent=round(100 * split.prefill_busy), ms=f"{split.handing_over_ms:,.1f}",
        gbit=split.network_gbit_s,
    )  # fmt: skip
    return [(N_("Prefill apart"), how), ("", users), ("", said), ("", balance)]


def based(code: str | None) -> str:
    """What a figure rests on: the code, in Chinese a word for it."""
    return coded(BASES, str(code))


def basis(sized: Sized) -> str:
    _ = chosen()
    return _("basis {basis}", basis=based(sized.basis)) + (_.bracketed(sized.source) if sized.source else "")


def compare(setups: list[Sized]) -> None:
    """A row per setup, then the speed over users with a column per setup."""
    _ = chosen()
    table(
        [_("GPUs"), _("plan"), _("GB per GPU"), _("users"), _("tok/s"), _("80 % interval"), _("basis"), _("TTFT")],
        [
            [
                setup(s),
                plan(s),
                _("{n} of {all}", n=f"{s.needed_gb:,.0f}", all=f"{s.vram_gb:,.0f}"),
                f"{s.users:,}",
                f"{s.output_tok_s:,.0f}",
                speed(s),
                based(s.basis),
                milliseconds(s.ttft_ms),
            ]
            if s.fits
            else [setup(s), _("does not fit") if s.judged else _("not judged"), *["-"] * 6]
            for s in setups
        ],
        {2, 3, 4, 5, 7},
    )
    for s in setups:
        if s.apart:
            said = _(
                "{setup}, prefill apart: {plan}, {precision}, {engine}; {users} at once, {speed} tok/s ({interval}), "
                "TTFT {ttft}",
                setup=setup(s), plan=_.sentence(s.apart.plan), precision=s.apart.precision, engine=s.apart.engine,
                users=f"{s.apart.users:,}", speed=f"{s.apart.output_tok_s:,.0f}",
                interval=f"{s.apart.low:,.0f}-{s.apart.high:,.0f}", ttft=milliseconds(s.apart.ttft_ms),
            )  # fmt: skip
            say(said)
        if not s.judged:
            say(_("{setup}: {why}", setup=setup(s), why=s.reason))
        elif not s.fits:
            say(_("{setup} does not fit: {why}", setup=setup(s), why=_.sentence(s.reason)))
    counts = sorted({u.users for s in setups for u in s.table if u.users in _steps()})
    tables = [{u.users: u for u in s.table} for s in setups]
    if counts:
        say(_("Users at once: tok/s of all, tok/s each and TTFT (* beyond memory or a limit)"))
        table(
            [_("users"), *(setup(s) for s in setups)],
            [[f"{n:,}", *(_cell(t.get(n)) for t in tables)] for n in counts],
            set(range(len(setups) + 1)),
        )


def _steps() -> set[int]:
    return {4**i for i in range(16)}


def _cell(users_row: UsersRow | None) -> str:
    if users_row is None:
        return ""
    speeds = f"{users_row.output_tok_s:,.0f} / {users_row.per_user_tok_s:,.1f}"
    return f"{speeds} / {milliseconds(users_row.ttft_ms)}{'*' if users_row.cut else ' '}"


def cards(held: list[SizedCard]) -> None:
    """What each card of a mix holds, a row per card in the order of layers."""
    _ = chosen()
    table(
        [_("card"), _("layers"), _("weights, GB"), _("KV cache, GB"), _("reserve, GB"), _("needed, GB"), _("of, GB")],
        [
            [
                card.name,
                f"{card.first_layer}-{card.last_layer}",
                *(f"{gb:,.1f}" for gb in (card.weights_gb, card.kv_gb, card.reserve_gb, card.needed_gb, card.vram_gb)),
            ]
            for card in held
        ],
        {2, 3, 4, 5, 6},
        keys=2,
    )


def facts(sized: Sized) -> None:
    """A setup with facts of its own kind (training, experts in host memory): a line per fact."""
    _ = chosen()
    say(setup(sized))
    own = sized.model_dump(exclude={"details", "gpu", "name", "table"}, exclude_defaults=True)
    shown = {**{name: getattr(sized, name) for name in own}, **sized.details}  # a message keeps its key
    for key, value in shown.items():
        if value in (None, "", [], {}):
            continue
        say_labelled("  " + coded(FACTS, key), _fact(value), 32 if _.chinese else 20)
    over_users(sized)


def _fact(value: Any) -> str:
    """A fact for people: `yes`, `1,024.5`, or in words."""
    _ = chosen()
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return f"{value:,}"
    return _.sentence(value if isinstance(value, str) else str(value))  # str() would take a message's key


def models(models_report: ModelsReport) -> None:
    """The models that run on a setup, the largest first, then those that do not."""
    _ = chosen()
    for text in models_report.messages:
        note_sentence(text)
    runs = [model for model in models_report.models if model.size.fits]
    say(
        f"{setup(models_report.models[0].size)}{_.colon}{models_report.workload}"
        if models_report.models
        else _("no models")
    )
    if runs:
        table(
            [
                _("model"),
                _("params, 1e9"),
                _("plan"),
                _("users"),
                _("tok/s"),
                _("80 % interval"),
                _("basis"),
                _("each"),
                _("TTFT"),
            ],
            [
                [
                    _names(m),
                    f"{m.params_total / 1e9:,.1f}",
                    plan(s),
                    f"{s.users:,}",
                    f"{s.output_tok_s:,.0f}",
                    speed(s),
                    based(s.basis),
                    f"{s.per_user_tok_s:,.1f}",
                    milliseconds(s.ttft_ms),
                ]
                for m in runs
                for s in [m.size]
            ],
            {1, 3, 4, 5, 7, 8},
        )
    rest = [model for model in models_report.models if not model.size.fits]
    if rest:
        say(_("Does not run:"))
        for m in rest:
            what = _(" at {precision}", precision=m.size.precision) if m.size.precision else ""
            say(f"  {_names(m)}{what}{_.colon}{_.sentence(m.size.reason)}")


def _names(model_fit: ModelFit) -> str:
    return chosen().list([model_fit.model.id, *model_fit.same])

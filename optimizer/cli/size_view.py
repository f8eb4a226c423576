"""`dsopt size` on a terminal: memory, plan, speed over users; several setups side by side; models of a setup."""

from __future__ import annotations

from typing import Any

from optimizer.cli.output import note, table
from optimizer.size_schema import ModelFit, ModelsReport, Sized, SizeReport, UsersRow


def show(r: SizeReport) -> None:
    """Messages to stderr, figures to stdout."""
    for m in r.messages:
        note(f"note: {m}")
    lengths = "" if r.isl is None else f", {r.isl:,} tokens in, {r.osl:,} out"
    print(f"{r.model.name}: {r.workload}{lengths}")
    if r.isl is None or any(s.details for s in r.setups):
        for s in r.setups:
            facts(s)
    elif len(r.setups) == 1:
        one(r.setups[0])
    else:
        compare(r.setups)
    for s in r.setups:
        if o := s.second_opinion:
            print(f"{o.engine} {o.version} on {setup(s)}: {o.output_tok_s:,.0f} tok/s ({o.plan})")


def setup(s: Sized | Any) -> str:
    """`8 x H200 SXM5 141GB`, `2 x 8 x ...` on two nodes."""
    return f"{f'{s.nodes} x ' if s.nodes > 1 else ''}{s.per_node} x {s.name}"


def plan(p: Sized | UsersRow) -> str:
    """`fp8 tp8`, `fp8 dp8 ep8 x2` for two replicas."""
    sizes = ((k, getattr(p, k)) for k in ("tp", "pp", "dp", "ep"))
    how = " ".join(f"{k}{v}" for k, v in sizes if v and v > 1) or "tp1"
    return f"{p.precision} {how}" + (f" x{p.replicas}" if p.replicas and p.replicas > 1 else "")


def milliseconds(ms: float | None) -> str:
    """`48 ms`, `4.0 s`."""
    return "" if ms is None else f"{ms:,.0f} ms" if ms < 1000 else f"{ms / 1000:,.1f} s"


def memory(s: Sized) -> str:
    """Who takes the memory of the fullest GPU."""
    return (
        f"{s.weights_gb:,.1f} GB weights + {s.kv_gb:,.1f} GB KV cache + {s.reserve_gb:,.1f} GB reserve = "
        f"{s.needed_gb:,.1f} of {s.vram_gb:,.1f} GB"
    )


def speed(x: Sized | UsersRow) -> str:
    """Interval of a speed."""
    return f"{x.low:,.0f}-{x.high:,.0f}"


def one(s: Sized) -> None:
    """A setup by itself."""
    lines = [("GPUs", setup(s))]
    if s.vram_gb is not None:
        lines.append(("Memory per GPU", memory(s)))
    if not s.fits:
        lines.append(("Does not fit", s.reason))
        if s.precision:
            lines.append(("Tried", plan(s)))
    else:
        lines.append(("Plan", f"{plan(s)}, KV cache in {s.kv_precision}, {s.engine}"))
        lines.append(("Most users", f"{s.users:,} at once, {s.per_user_tok_s:,.1f} tok/s each, TTFT "
                      f"{milliseconds(s.ttft_ms)}"))  # fmt: skip
        lines.append(("Throughput", f"{s.output_tok_s:,.0f} tok/s, 80 % interval {speed(s)}, {basis(s)}"))
    for title, text in lines:
        print(f"  {title:15} {text}")
    if s.table:
        table(
            ["users", "tok/s each", "tok/s", "80 % interval", "basis", "TTFT", "plan", "cut"],
            [[f"{u.users:,}", f"{u.per_user_tok_s:,.1f}", f"{u.output_tok_s:,.0f}", speed(u), u.basis,
              milliseconds(u.ttft_ms), plan(u), u.cut] for u in s.table],
            {0, 1, 2, 3, 5},
        )  # fmt: skip


def basis(s: Sized) -> str:
    return f"basis {s.basis}" + (f" ({s.source})" if s.source else "")


def compare(setups: list[Sized]) -> None:
    """A row per setup, then the speed over users with a column per setup."""
    table(
        ["GPUs", "plan", "GB per GPU", "users", "tok/s", "80 % interval", "basis", "TTFT"],
        [
            [setup(s), plan(s), f"{s.needed_gb:,.0f} of {s.vram_gb:,.0f}", f"{s.users:,}", f"{s.output_tok_s:,.0f}",
             speed(s), str(s.basis), milliseconds(s.ttft_ms)]
            if s.fits
            else [setup(s), "does not fit", *["-"] * 6]
            for s in setups
        ],
        {2, 3, 4, 5, 7},
    )  # fmt: skip
    for s in setups:
        if not s.fits:
            print(f"{setup(s)} does not fit: {s.reason}")
    counts = sorted({u.users for s in setups for u in s.table if u.users in _steps()})
    tables = [{u.users: u for u in s.table} for s in setups]
    if counts:
        print("Users at once: tok/s of all, tok/s each and TTFT (* beyond memory or a limit)")
        table(
            ["users", *(setup(s) for s in setups)],
            [[f"{n:,}", *(_cell(t.get(n)) for t in tables)] for n in counts],
            set(range(len(setups) + 1)),
        )


def _steps() -> set[int]:
    return {4**i for i in range(16)}


def _cell(u: UsersRow | None) -> str:
    if u is None:
        return ""
    return f"{u.output_tok_s:,.0f} / {u.per_user_tok_s:,.1f} / {milliseconds(u.ttft_ms)}{'*' if u.cut else ' '}"


def facts(s: Sized) -> None:
    """A setup with facts of its own kind (training, experts in host memory): a line per fact."""
    print(setup(s))
    for key, value in {**s.model_dump(exclude={"details", "gpu", "name", "table"}), **s.details}.items():
        if value not in (None, "", [], {}):
            print(f"  {key:18} {value}")


def models(r: ModelsReport) -> None:
    """The models that run on a setup, the largest first, then those that do not."""
    for text in r.messages:
        note(f"note: {text}")
    runs = [m for m in r.models if m.size.fits]
    print(f"{setup(r.models[0].size)}: {r.workload}" if r.models else "no models")
    if runs:
        table(
            ["model", "params, 1e9", "plan", "users", "tok/s", "80 % interval", "basis", "each", "TTFT"],
            [[_names(m), f"{m.params_total / 1e9:,.1f}", plan(s), f"{s.users:,}", f"{s.output_tok_s:,.0f}", speed(s),
              str(s.basis), f"{s.per_user_tok_s:,.1f}", milliseconds(s.ttft_ms)] for m in runs for s in [m.size]],
            {1, 3, 4, 5, 7, 8},
        )  # fmt: skip
    rest = [m for m in r.models if not m.size.fits]
    if rest:
        print("Does not run:")
        for m in rest:
            what = f" at {m.size.precision}" if m.size.precision else ""
            print(f"  {_names(m)}{what}: {m.size.reason}")


def _names(m: ModelFit) -> str:
    return ", ".join([m.model.id, *m.same])

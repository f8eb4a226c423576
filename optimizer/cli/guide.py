"""`dsopt` alone in a terminal: five questions, of which each has a default, become a command that is printed and run.

Plain lines of input, no library of widgets: they work over any terminal, with a screen reader and in Chinese input
methods, and cost no start. What an answer means is read by the same code as the options'."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimizer.cli.output import say
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

MODEL, USERS, MARKET = "v3-671b", "16", {"en": "US", "zh": "CN"}
BUDGET = {"en": "300k", "zh": "200万"}
"""Defaults where Enter alone is pressed, by language."""
TRIES = 3
"""Answers to one question, after which its default counts."""
NO_LIMIT = ("none", "no", "no limit", "unlimited", "-", "0", "不限", "无", "没有", "没有限制", "无限制")
ABOUT = re.compile(r"^(?:about|around|up to|max(?:imum)?|at most|ca\.?|~|约|大约|大概|最多|不超过)\s*", re.IGNORECASE)
NEAR = re.compile(r"(?:Nearest|Name one): ([\w.:-]*\w)")
"""The first of the names that a refusal offers."""
COUNTRIES = {
    "US": ("usa", "united states", "america", "美国"), "CN": ("china", "中国", "大陆", "国内"),
    "EU": ("europe", "欧洲", "欧盟"), "UK": ("united kingdom", "england", "britain", "英国"), "JP": ("japan", "日本"),
}  # fmt: skip
PLACES = {
    "1": N_("a server room or data centre that has racks and network"),
    "2": N_("a server room where racks and network are to be bought too"),
    "3": N_("an office, a lab or a home: one machine on a wall socket"),
}
WORDS_OF_PLACES = {
    "1": ("data centre", "data center", "datacenter", "rack", "colo", "机房", "数据中心", "机柜"),
    "2": ("server room", "new room", "empty", "新机房", "新建"),
    "3": ("office", "home", "lab", "desk", "wall", "办公室", "家", "实验室", "桌"),
}


class NotUnderstood(Exception):
    """An answer that says nothing; `near`: what may have been meant, offered as the next default."""

    def __init__(self, why: str, near: str = "") -> None:
        super().__init__(why)
        self.near = near


@dataclass(frozen=True)
class Question:
    """What is asked, what counts where Enter is pressed, and what an answer means as options."""

    text: str
    default: str
    means: Callable[[str], list[str]]


def dialogue(ask: Callable[[str], str] = input) -> list[str]:
    """The arguments of the command that the answers make. Raises EOFError where the input ends."""
    _ = language()
    tongue = "zh" if _.chinese else "en"
    say(_("A few questions; Enter takes what stands in brackets, Ctrl-C leaves."))
    out = ["solve"]
    out += _answer(Question(_("What do you want to run?"), MODEL, _model), ask)
    out += _answer(Question(_("For how many users at once?"), USERS, _users), ask)
    market = _answer(Question(_("In which country will it stand?"), MARKET[tongue], _market), ask)
    out += _answer(Question(_("What may it cost in all, tax included?"), BUDGET[tongue], _money(market[1])), ask)
    for number, place in PLACES.items():
        say(f"  {number}  {_(place)}")
    out += [*market, *_answer(Question(_("Where will it stand?"), "1", _place(market[1])), ask)]
    return out


def printed(arguments: Sequence[str]) -> str:
    """The command as it is typed."""
    from shlex import quote

    plain = re.compile(r"[\w@.:,/=%+-]+")  # of any script: a shell takes no offence at 30万
    return " ".join(["dsopt", *(x if plain.fullmatch(x) else quote(x) for x in arguments)])


def guided() -> list[str]:
    """Asks, prints the command and gives its arguments; none where the input ended, with a word of it."""
    _ = language()
    try:
        found = dialogue()
    except (EOFError, KeyboardInterrupt) as e:
        print()
        say(_("Nothing was run."))
        if isinstance(e, KeyboardInterrupt):
            raise
        return []
    say("\n" + _("The command, to run again or to change (`dsopt solve --help`):"))
    print(f"\n  {printed(found)}\n", flush=True)
    return found


def wanted(arguments: Sequence[str]) -> bool:
    """Whether nothing but a language is asked for, and somebody is there to answer."""
    from optimizer.cli.app import without_language

    return not without_language(arguments) and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _answer(question: Question, ask: Callable[[str], str]) -> list[str]:
    """Options of an answer; after TRIES that say nothing those of the default, which is told."""
    default, _ = question.default, language()
    for _try in range(TRIES):
        answer = ask(f"{question.text} [{default}] ").strip() or default
        try:
            return question.means(answer)
        except NotUnderstood as e:
            say(f"  {e}")
            default = e.near or default
    say("  " + _("{default} is taken.", default=default))
    return question.means(default)


def _model(answer: str) -> list[str]:
    from catalogs.errors import InputError
    from catalogs.registry import named

    _ = language()
    try:
        found = named(answer)
    except InputError as e:
        near = NEAR.search(e.faults[0].remedy)
        why = _("No model is named {name}; `dsopt models list` shows them.", name=answer)
        if near:
            why = _("No model is named {name}; the nearest is {near}.", name=answer, near=near[1])
        if e.faults[0].code == "ambiguous-model":
            why = _("{name} may be several models.", name=answer)
        raise NotUnderstood(why, near[1] if near else "") from None
    say(f"  {found.llm.name}")
    return ["--model", found.llm.id]


def _users(answer: str) -> list[str]:
    from catalogs.errors import InputError
    from optimizer.text.money import amount

    _ = language()
    plain = re.sub(
        r"\s*(?:users?|people|persons?|个?(?:人|用户|并发))$", "", ABOUT.sub("", answer), flags=re.IGNORECASE
    )
    try:
        count = amount(plain, "--users").value
    except InputError:
        raise NotUnderstood(_("{answer} is no number of users; say 1, 20 or 500.", answer=answer)) from None
    if count != int(count) or not 1 <= count <= 10**6:
        raise NotUnderstood(_("{answer} is no number of users; say 1, 20 or 500.", answer=answer))
    return ["--users", str(int(count))]


def _money(market: str) -> Callable[[str], list[str]]:
    """Reads a budget; where it names no currency it is in the market's."""

    def means(answer: str) -> list[str]:
        from catalogs.errors import InputError
        from constraints.physics.markets import sales_markets
        from optimizer.text.money import CURRENCIES, amount

        _ = language()
        if answer.casefold() in NO_LIMIT:
            return []
        plain = ABOUT.sub("", answer)
        currency = sales_markets()[market].currency
        try:
            found = amount(plain, "--budget", currency)
        except InputError:
            raise NotUnderstood(_("{answer} is no amount of money; say 300k, 30万 or none.", answer=answer)) from None
        if (named := found.currency) and named not in CURRENCIES:
            raise NotUnderstood(_("{answer} is no amount of money; say 300k, 30万 or none.", answer=answer))
        say(f"  {found.value:,.0f} {named or currency}")
        return ["--budget", plain, *([] if named else ["--currency", currency])]

    return means


def _market(answer: str) -> list[str]:
    from catalogs.nearest import nearest
    from constraints.physics.markets import market_of_country, sales_markets

    _, code = language(), answer.strip().upper()
    known = list(sales_markets())
    if code in known:
        return ["--market", code]
    if of_country := market_of_country(code):
        return ["--market", of_country]
    words = {word: name for name, names in COUNTRIES.items() for word in names}
    near = words.get(answer.strip().casefold()) or words.get(nearest(answer, words))
    if near:
        say(f"  {near}")
        return ["--market", near]
    raise NotUnderstood(_("{answer} is none of {known}.", answer=answer, known=", ".join(known)))


def _place(market: str) -> Callable[[str], list[str]]:
    """Reads the kind of place; a wall socket is that of the market."""

    def means(answer: str) -> list[str]:
        from constraints.physics.markets import sales_markets

        folded = answer.strip().casefold()
        number = next(
            (x for x, words in WORDS_OF_PLACES.items() if folded == x or any(w in folded for w in words)), None
        )
        if number is None:
            raise NotUnderstood(language()("Say 1, 2 or 3."))
        if number == "1":
            return ["--have", "racks,network"]
        if number == "2":
            return []
        wall = sales_markets()[market].region.wall
        return ["--max-nodes", "1", "--circuit", f"{wall.amps}A@{wall.volts}V"]

    return means

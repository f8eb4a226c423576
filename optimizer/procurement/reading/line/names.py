"""Names of a catalog's parts, looked up in texts: exact, normalised, aliases, numbers within a text, similar ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from functools import cache, cached_property, lru_cache

from catalogs.inputs import shipped_rows
from catalogs.load import Catalog
from catalogs.schema import Gpu, GpuBoard, Kind, Part, Platform, Psu
from constraints.physics.contents import gpus_inside
from optimizer.procurement.reading.document import Match
from optimizer.procurement.reading.row_words import DATA, folded, has
from optimizer.procurement.reading.specification.fitting import Fitting

SIZES = re.compile(r"(?<=\d)\s*([gt])b?(?![a-z0-9])")
MARKS = re.compile(r"\((?:r|tm|c)\)")
WORD = re.compile(r"[a-z0-9]+|[^\Wa-z0-9_]+")
MIN_CONTAINED = 6
START = 3
"""Letters by which a brand that begins no name is told."""
MAX_WORDS = 14
SUGGESTED = 72
SEVERAL = "names more than one part"
MAX_FUZZY = 1_000
"""Fuzzy look-ups per file: some 1 ms each against 500 parts; what is unknown beyond them gets no suggestions."""


COMES_WITH = re.compile(r"(?:\b(?:incl(?:uding|uded)?|with|w/|inkl|mit|samt)\b\.?|含|带|附|配有).*")


@lru_cache(maxsize=20_000)
def squash(text: str) -> str:
    """Letters and digits only, brands in one spelling: `超微 AS-8125GS-TNHR` -> `supermicroas8125gstnhr`."""
    return "".join(WORD.findall(branded(text)))


@cache
def brands() -> tuple[re.Pattern[str], dict[str, str]]:
    found = {folded(row["written"]): folded(row["vendor"]) for row in shipped_rows(DATA / "brands.csv")}
    longest = sorted(found, key=lambda written: (-len(written), written))
    latin = "|".join(re.escape(written) for written in longest if written.isascii())
    other = [re.escape(written) for written in longest if not written.isascii()]
    return re.compile("|".join([rf"(?<![a-z])(?:{latin})(?![a-z])", *other])), found


@lru_cache(maxsize=20_000)
def branded(text: str) -> str:
    """Folded text with brand names as the catalog writes them, `64 GB` and `64G` as `64gb`, no trade marks."""
    plain = MARKS.sub(" ", folded(text.replace("™", " ").replace("®", " ")))
    pattern, vendors = brands()

    def vendor(m: re.Match[str]) -> str:
        name = vendors[m[0]]
        return m[0] if m[0].isascii() and name in plain else f" {name} "

    return SIZES.sub(r"\1b", pattern.sub(vendor, plain))


class Index:
    """Names of a catalog's parts, ready to be looked up."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.parts = catalog, catalog.parts
        self.fitting = Fitting(catalog)
        self.verbatim: dict[str, set[str]] = {}
        self.normal: dict[str, set[str]] = {}
        self.alias: dict[str, set[str]] = {}
        self.bags: dict[frozenset[str], set[str]] = {}
        """Names whatever the order of their words: `A100 80GB PCIe`."""
        self.inside: dict[str, set[str]] = {}
        tokens: dict[str, set[str]] = {}
        for p in catalog.parts.values():
            for name in (p.id, p.name, f"{p.vendor} {p.name}".strip()):
                self.verbatim.setdefault(name, set()).add(p.id)
                self.normal.setdefault(squash(name), set()).add(p.id)
                self.bags.setdefault(_bag(name), set()).add(p.id)
            for name in p.aliases:
                self.alias.setdefault(squash(name), set()).add(p.id)
                self.alias.setdefault(squash(f"{p.vendor} {name}"), set()).add(p.id)
            for name in _forms(p):
                self.inside.setdefault(squash(name), set()).add(p.id)
            for token in p.name.replace("(", " ").replace(")", " ").split():
                if _number_like(token):
                    tokens.setdefault(squash(token), set()).add(p.id)
        # A manufacturer's number within a name names the part where no other part's name has it.
        for token, ids in tokens.items():
            if len(ids) == 1:
                self.alias.setdefault(token, set()).update(ids)
            if len(ids) == 1 and len(token) >= 8:
                self.inside.setdefault(token, set()).update(ids)
        short: dict[str, set[str]] = {}
        for p in catalog.parts.values():
            if isinstance(p, Psu):
                continue  # without its server's number it has its watts alone
            kept = [t for t in p.name.split() if not _number_like(t.strip("()"))]
            if 3 <= len(kept) < len(p.name.split()):
                short.setdefault(squash(" ".join(kept)), set()).add(p.id)
        # A name without its manufacturer's number, where that is still one part's only.
        for name, ids in short.items():
            if len(ids) == 1 and name not in self.normal and any(c.isdigit() for c in name):
                self.alias.setdefault(name, set()).update(ids)
                self.inside.setdefault(name, set()).update(ids)
        self.boards = [part for part in catalog.parts.values() if isinstance(part, GpuBoard)]
        self.models = {b.gpu: _models(self.parts[b.gpu]) for b in self.boards}
        self.families = _families(part for part in catalog.parts.values() if isinstance(part, Gpu))
        self.beginnings = {name[:n] for name in self.inside for n in range(1, len(name) + 1)}
        self.ids = sorted(catalog.parts)
        self.texts = [
            " ".join(WORD.findall(branded(f"{p.vendor} {p.name}"))) for p in map(self.parts.__getitem__, self.ids)
        ]
        self.squashed = [squash(self.parts[i].name) for i in self.ids]
        self._fuzzy: dict[str, tuple[tuple[str, int], ...]] = {}
        self._most_fuzzy = MAX_FUZZY
        self.matched: dict[tuple[str, tuple[str, ...], bool], tuple[Match, str]] = {}
        """What was found for a part number and texts, in one file: lists say many things twice."""

    def of_a_file(self, share: int = 1) -> Index:
        """The same names with fuzzy look-ups of its own: MAX_FUZZY for each file, of which a part has its share."""
        mine = copy(self)
        mine._fuzzy, mine._most_fuzzy, mine.matched = {}, MAX_FUZZY // share, {}
        return mine

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All words of all names."""
        return frozenset(word for bag in self.bags for word in bag)

    @cached_property
    def starts(self) -> frozenset[str]:
        """The first letters of all names."""
        return frozenset(name[:START] for names in (self.normal, self.alias) for name in names)

    def begins_a_name(self, brand: str) -> bool:
        """Whether some part's name may begin with these words, or hold them all. A long list has brands of which the
        catalog has nothing."""
        return squash(brand)[:START] in self.starts or _bag(brand) <= self.vocabulary

    def board(self, text: str) -> str | None:
        """The one GPU board of the GPU and number that a text names as such: `HGX H200 8-GPU`, `MI325X UBB`; None where
        several may be meant, and for machines with it in."""
        plain = branded(text)
        if not has("board", plain) or has("machine", plain) or has("accessory", COMES_WITH.sub(" ", plain)):
            return None
        named = set(WORD.findall(plain)) | {squash(w) for w in plain.split()}
        m = GPUS.search(plain)
        found = {
            b.id for b in self.boards
            if self.models[b.gpu] & named and (m is None or b.gpus == int(m[1])) and self._sized(b.gpu, plain)
        }  # fmt: skip
        return found.pop() if len(found) == 1 else None

    def _sized(self, gpu: str, text: str) -> bool:
        """Whether a GPU's memory is not another than a text says."""
        said = re.findall(r"(\d{2,3})gb", text)
        part = self.parts[gpu]
        return not said or not isinstance(part, Gpu) or str(part.vram_gb) in said

    def gpus_on(self, part: str | None) -> int:
        """GPUs on a board or inside a platform of that id; 0 for anything else."""
        p = self.parts.get(part or "")
        if isinstance(p, GpuBoard):
            return p.gpus
        return gpus_inside(p, self.catalog)[1] if isinstance(p, Platform) else 0

    def whole(self, text: str) -> Match:
        """The part whose name, id or alias is this text."""
        text = text.strip()
        if not text:
            return Match()
        plain, bag = squash(text), _bag(NUMBER_IN.sub(" ", text))
        for how, found in (
            ("exact", self.verbatim.get(text)), ("normalised", self.normal.get(plain)),
            ("alias", self.alias.get(plain)), ("normalised", self.bags.get(bag)),
        ):  # fmt: skip
            if found and len(found) == 1:
                return Match(how=how, part=next(iter(found)), score=100)  # type: ignore[arg-type]
            if found:
                return Match(candidates=tuple(sorted(found)), reason=SEVERAL)
        return Match()

    def is_family(self, text: str, part: str) -> bool:
        """Whether a text names a family of GPUs, whose name the catalog gives one of them: `910B` is 910B3 or 910B4."""
        if self.parts[part].kind is not Kind.GPU:
            return False
        words = set(WORD.findall(branded(text)))
        return any(word in words for word in self.families if part in self.families[word])

    def within(self, text: str) -> list[tuple[str, str]]:
        """(part id, text outside its name) of the parts named inside a text: the longest name at each place."""
        plain = CONFIGURED.sub(" ", branded(text))
        words = list(WORD.finditer(plain))
        hits: list[tuple[str, str]] = []
        i = 0
        while i < len(words):
            taken, form, start = 0, "", words[i].start()
            for n, word in enumerate(words[i : i + MAX_WORDS], 1):
                form += word[0]
                if form not in self.beginnings:
                    break
                if form in self.inside and not _runs_on(plain, start, word.end()):
                    taken = n
            if taken:
                end = words[i + taken - 1].end()
                found = self.inside["".join(w[0] for w in words[i : i + taken])]
                hits += [(p, f"{plain[:start]} {plain[end:]}") for p in sorted(found)]
            i += max(taken, 1)
        return list({p: (p, rest) for p, rest in hits}.values())

    def suggestions(self, text: str) -> tuple[tuple[str, int], ...]:
        """Up to three (part id, score 0..100), best first; none past MAX_FUZZY texts."""
        query = " ".join(WORD.findall(branded(text)))[:200]
        if query in self._fuzzy:
            return self._fuzzy[query]
        if not query or not self.texts or len(self._fuzzy) >= self._most_fuzzy:
            return ()
        import numpy
        from rapidfuzz import fuzz, process

        # Words in any order, or one word mistyped: `64GB RDIMM DDR5-5600`, `EYPC 9654`.
        sets = process.cdist([query], self.texts, scorer=fuzz.token_set_ratio, score_cutoff=60)[0]
        plain = process.cdist(["".join(query.split())], self.squashed, scorer=fuzz.ratio, score_cutoff=60)[0]
        likely = numpy.maximum(sets, plain).argsort(kind="stable")[::-1][:24]
        sorts = {int(i): fuzz.token_sort_ratio(query, self.texts[int(i)]) for i in likely}
        mixed = {i: max(float(sets[i]) * 0.7 + sort * 0.3, float(plain[i])) for i, sort in sorts.items()}
        numbers = _numbers(query)
        scored = [(self.ids[i], int(mixed[i]) - 6 * len(_numbers(self.texts[i]) - numbers)) for i in mixed]
        found = tuple(sorted((x for x in scored if x[1] >= SUGGESTED), key=lambda x: (-x[1], x[0]))[:3])
        self._fuzzy[query] = found
        return found

    def sure(self, part: str, text: str) -> bool:
        """Whether every number of the part's name stands in the text: `9654` is no typing error of `9554`."""
        return _numbers(" ".join(WORD.findall(branded(self.parts[part].name)))) <= _numbers(branded(text))


_latest: Index | None = None


def index_of(catalog: Catalog) -> Index:
    """The index of a catalog for one file.

    Names are put in order once for all files that are read with the same catalog one after another, as bids are: it
    takes longer than to read a short file."""
    global _latest
    found = _latest
    if found is None or found.catalog is not catalog:
        found = _latest = Index(catalog)
    return found.of_a_file()


def _families(gpus: Iterable[Gpu]) -> dict[str, set[str]]:
    """Model names that end in a letter behind which two GPUs or more have a digit (`910b`: 910B3, 910B4) -> those."""
    of_word: dict[str, set[str]] = {}
    for gpu in gpus:
        for word in WORD.findall(folded(gpu.name)):
            if m := re.fullmatch(r"([a-z]*\d{2,}[a-z])\d", word):
                of_word.setdefault(m[1], set()).add(gpu.id)
    return {word: ids for word, ids in of_word.items() if len(ids) > 1}


def _bag(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(branded(text)))


def _forms(part: Part) -> Iterator[str]:
    """Names long and odd enough to be found inside a text; a generic part has none."""
    if part.id.startswith("generic-") or (isinstance(part, Psu) and ONLY_WATTS.match(folded(part.name))):
        return
    if isinstance(part, Platform):
        yield from _models_of_platform(part)
    plain = re.sub(r"\s*\(.*?\)", "", part.name).strip()
    bare_id = part.id.removeprefix(folded(part.vendor).replace(" ", "-") + "-")
    for name in (part.id, bare_id, part.name, plain, *part.aliases):
        s = squash(name)
        if len(s) >= MIN_CONTAINED and any(c.isdigit() for c in s) and any(c.isalpha() for c in s):
            yield name


CONFIGURED = re.compile(r"(?<=[a-z0-9])(?:-[a-z]\d){2}-\d{2}(?![a-z0-9])")
"""What a maker adds to a server's number for a configuration: `NF5688-M7-A0-R0-00`."""
NUMBER_IN = re.compile(r"\([\w-]*\d[\w-]*-[\w-]+\)")
"""A number of the maker's behind the name, in brackets."""
GPUS = re.compile(r"(?<!\d)(\d{1,2})\s*[-x×*]?\s*(?:gpus?\b|oam\b|卡)")


ONLY_WATTS = re.compile(r"[\d.,]+ ?k?w\b")
"""A supply named by its watts has no name that others do not have: `3200 W Titanium (XE9680)`."""
SERIES = re.compile(
    r"^(?:poweredge|thinksystem|proliant compute|proliant|fusionserver|quantagrid|cray) +", re.IGNORECASE
)
MODEL = re.compile(r"(?=[a-z0-9-]*[a-z])[a-z0-9-]*\d{3}[a-z0-9-]*", re.IGNORECASE)


def _models_of_platform(part: Platform) -> Iterator[str]:
    """A server's name without its series, which nobody needs who names the model: `XE9680`, `G5500 V7`."""
    bare = SERIES.sub("", re.sub(r"\s*\(.*?\)", "", part.name).strip())
    if bare != part.name and MODEL.match(bare):
        yield bare


def _models(gpu: Part) -> set[str]:
    """Words that name a GPU's model: letters and digits, as `h200`, `mi325x`; no form factor or memory size."""
    words = {w for w in WORD.findall(branded(gpu.name)) if re.fullmatch(r"[a-z]{1,2}\d{2,3}[a-z]?", w)}
    return {w for w in words if not w.startswith("sx")}


def _number_like(token: str) -> bool:
    """`MCX75310AAS-NEAT`, `AR3300`, `935-24287-0301`; not `DDR5-5600`, `40-port`, `600x1200`."""
    s = squash(token)
    if has("spec", token) or re.fullmatch(r"[\d.]+[a-z]{1,3}|\d+x\d+\w*", s):
        return False
    digits = sum(c.isdigit() for c in s)
    if s.isdigit():
        return digits >= 9 and "-" in token
    return len(s) >= 6 and digits >= 3 and s[0].isalpha()


def _runs_on(text: str, start: int, end: int) -> bool:
    """Whether the name is part of a longer number: `-01` behind it or `XX-` before it."""
    behind = re.match(r"[-/._+]?[a-z0-9]", text[end : end + 2])
    before = re.search(r"[a-z0-9][-/._]?$", text[max(0, start - 2) : start])
    return bool(behind or before)


@lru_cache(maxsize=50_000)
def _numbers(text: str) -> set[str]:
    return {w for w in WORD.findall(text) if any(c.isdigit() for c in w)}

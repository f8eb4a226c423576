"""Numbers with units in a line's words: GB, MT/s, PCIe generation, Gbit/s and ports, W, cores, metres."""

from __future__ import annotations

import re
from decimal import Decimal

from optimizer.procurement.reading.specification.grammar import values

SIZE = re.compile(r"(?<![a-z0-9_.,])(\d{1,5}(?:[.,]\d{1,2})?)\s*([gt])i?b?(?![a-z0-9/])(?!\s*(?:/s|ps|hz))")
MODULES_OF_KIT = re.compile(r"(?<![\d.])(\d{1,2})\s*[x×*]\s*\d{1,3}\s*gb?(?![a-z0-9])")
SPEED = re.compile(r"(?<![\d.])(\d{4})(?:[abc](?![a-z]))?(?=\s*(?:mt/?s|mhz|mts|m)?(?![a-z0-9]))")
SPEEDS = frozenset(
    {1333, 1600, 1866, 2133, 2400, 2666, 2933, 3200, 4000, 4400, 4800, 5200, 5600, 6000, 6400, 7200, 8000, 8800}
)
"""Data rates of DDR3 to DDR5 modules, MT/s (JEDEC JESD79-3 to JESD79-5)."""
BANDWIDTH = re.compile(r"pc([345])[l-]?\s*-?\s*(\d{5})(?!\d)")
"""`PC5-44800`: MB/s of a module, eight bytes a transfer."""
RANKS = re.compile(r"(?<![\d.])(\d)\s*(?:s\s*\d)?\s*r\s*x\s*(\d)")
PCIE = re.compile(
    r"(?:\bgen\.?\s*|\bpcie?-?e?\s*(?:gen\.?\s*)?)([3-6])(?:\.0)?(?![\d.])|(?<![\d.])([3-6])\.0\s*x\s*4\b"
)
RATE = re.compile(r"(?<![\d.])(\d{1,3})\s*(?:gb/s|gbps|gbit/s|gbit|gbe|gb|ge|g)(?![a-z0-9])")
RATES = re.compile(r"(?<![\d.])(\d{1,3})\s*/\s*(\d{1,3})\s*(?:gb/s|gbps|gbit/s|gbit|gbe|gb|g)(?![a-z0-9])")
RATE_BEHIND = re.compile(r"(?:osfp|ndr|hdr|qsfp)[- ]?(800|400|200|100)(?!\d)")
PORTS = re.compile(r"(?<![\d.x*×])(\d{1,3})\s*-?\s*(?:ports?\b|p\b|个?端?口|ポート)")
TIMES = re.compile(r"(?<![\d.])(\d{1,3})\s*[x×*]\s*(\d{1,3})\s*(?:gb/s|gbps|gbit/s|gbe|gb|ge|g)(?![a-z0-9])")
WATTS = re.compile(r"(?<![\d.,])(\d{1,2}[.,]\d{3}|\d{3,5})\s*(?:w|watt|瓦)(?![a-z0-9])")
KILOWATTS = re.compile(r"(?<![\d.,])(\d{1,2}(?:[.,]\d{1,2})?)\s*kw(?![a-z0-9])")
CORES = re.compile(r"(?<![\d.])(\d{1,3})\s*-?\s*(?:cores?\b|kerne?n?\b|核|コア|c(?:/\d+t)?(?![a-z0-9]))")
METRES = re.compile(r"(?<![\d.,/x])(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:m|meters?|metres?|meter|米)(?![a-z0-9.])")


def sizes_gb(text: str) -> list[Decimal]:
    """Sizes in the order of the text, a terabyte as 1,000 GB."""
    return [Decimal(said[1].replace(",", ".")) * (1000 if said[2] == "t" else 1) for said in SIZE.finditer(text)]


def speeds_mts(text: str) -> frozenset[int]:
    """Data rates of memory, also by its bandwidth (`PC4-25600`)."""
    named = {int(said[1]) for said in SPEED.finditer(text)} & SPEEDS
    # A module's bandwidth is rounded: PC4-21300 runs at 2,666 MT/s.
    moved = {
        near
        for said in BANDWIDTH.finditer(text)
        if abs((near := min(SPEEDS, key=lambda s: abs(s * 8 - int(said[2])))) * 8 - int(said[2])) < 200
    }
    return frozenset(named | moved)


def ranks(text: str) -> frozenset[tuple[int, int]]:
    """(ranks, bits of a chip) of `2Rx4`, `8Rx4`."""
    return frozenset((int(said[1]), int(said[2])) for said in RANKS.finditer(text))


def pcie_generations(text: str) -> frozenset[int]:
    return frozenset(int(said[1] or said[2]) for said in PCIE.finditer(text))


def rates_gbit(text: str) -> frozenset[int]:
    """Rates of a port: the highest of `10/25GbE`, those of InfiniBand's names, of a connector's (`OSFP400`)."""
    pairs = [max(int(said[1]), int(said[2])) for said in RATES.finditer(text)]
    rest = RATES.sub(" ", text)
    found = {*pairs, *(int(said[1]) for said in RATE.finditer(rest))}
    found |= {int(said[1]) for said in RATE_BEHIND.finditer(text)}
    named = {int(rate) for rate in values("rate", text)}
    # `NDR` alone is 400 Gbit/s; beside 200G it is NDR200.
    return frozenset(found or named)


def ports(text: str) -> frozenset[int]:
    """`2-port`, `双口`, and the number before `x25G`."""
    found = {int(said[1]) for said in PORTS.finditer(text)} | {int(said) for said in values("ports", text)}
    return frozenset(found or {int(said[1]) for said in TIMES.finditer(text)})


def watts(text: str) -> frozenset[int]:
    plain = {int(said[1].replace(",", "").replace(".", "")) for said in WATTS.finditer(text)}
    kilo = {int(Decimal(said[1].replace(",", ".")) * 1000) for said in KILOWATTS.finditer(text)}
    return frozenset(plain | kilo)


def cores(text: str) -> frozenset[int]:
    return frozenset(int(said[1]) for said in CORES.finditer(text))


def metres(text: str) -> frozenset[Decimal]:
    return frozenset(Decimal(said[1].replace(",", ".")) for said in METRES.finditer(text))

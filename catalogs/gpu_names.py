"""A GPU's name as people and drivers write it: with its memory size, and with words that the catalog leaves out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Gpu, Part

SIZE = re.compile(r"\s*\b(?P<gb>\d{1,4})\s*(?:gb?\b|$)", re.IGNORECASE | re.ASCII)
"""A memory size: 80GB, 96 G, and a bare number at the end (A100 SXM4 80)."""
DRIVER_WORDS = re.compile(r"(?:\s+(?:HBM\d\w?|GDDR\d\w?|Generation|OAM|AC))+$", re.IGNORECASE | re.ASCII)
"""What drivers add behind a card's name: H100 80GB HBM3, RTX 6000 Ada Generation, MI300X OAM, B300 SXM6 AC."""


def gpus_meant(name: str, gpus: Sequence[Gpu]) -> tuple[Catalog, str] | None:
    """(GPUs among which a name is known, the name), a memory size in it taken as such, and words that drivers add
    left out, where they are no part of a name; None where it is known nowhere."""
    known = gpus_alone(gpus)
    bare = DRIVER_WORDS.sub("", name)
    for written in (name, bare):
        if known.hits(written):
            return known, written
    for size in SIZE.finditer(bare):
        sized = gpus_alone([gpu for gpu in gpus if gpu.vram_gb == int(size["gb"])])
        rest = f"{bare[: size.start()]} {bare[size.end() :]}".strip()
        if sized.hits(rest):
            return sized, rest
    return None


def gpu_named(name: str, catalog: Catalog) -> Gpu:
    """The one GPU that a name means. Raises InputError as Catalog.find does, and for a mix of cards as such."""
    gpus = [part for part in catalog.parts.values() if isinstance(part, Gpu)]
    known, meant = gpus_meant(name, gpus) or (gpus_alone(gpus), name)
    if "+" in meant and not known.hits(meant):
        remedy = "dsopt size --gpu 'NAME + NAME' answers a mix, dsopt check a build of one."
        raise InputError(f"{name[:80]!r} is a mix of unlike cards, where one kind is asked for", "bad-mix", remedy)
    found = known.find(meant)
    assert isinstance(found, Gpu)
    return found


def part_named(name: str, catalog: Catalog) -> Part:
    """The one part that a name means, a GPU in any of the ways that `gpus_meant` reads. Raises InputError as
    Catalog.find does."""
    gpus = [part for part in catalog.parts.values() if isinstance(part, Gpu)]
    found = None if catalog.hits(name) else gpus_meant(name, gpus)
    return found[0].find(found[1]) if found else catalog.find(name)


def gpus_alone(gpus: Sequence[Gpu]) -> Catalog:
    """A catalog of these GPUs."""
    return Catalog({gpu.id: gpu for gpu in gpus}, {}, "")

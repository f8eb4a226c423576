"""One node as a drawing, from its GPUs down to its power supplies with their loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogs.schema import Cpu, Drive, Gpu, Memory, Nic, Part, Psu
from constraints.rules.power import Power
from optimizer.procurement.labels import category
from optimizer.report.facts import Piece, machine, pieces, with_maker
from optimizer.report.formats import clipped, figure
from optimizer.result.point_schema import FrontPoint
from optimizer.text.languages import N_, Words

WIDTH = 440
MARGIN = 14
GAP = 4
LINE = 16
BOX = 22
WIDEST = 66
"""A box is at most so wide: one card does not fill a node."""
TEXT_CELLS = 68
HEAD_CELLS = 50
MOST_BOXES = 24
"""From so many pieces on, boxes are small and stand in several rows."""
IN_A_ROW = 18

FABRICS = {
    "nvlink": "NVLink", "nvlink-bridge": N_("NVLink bridges"), "xgmi": "Infinity Fabric (xGMI)",
    "roce-on-die": "RoCE", "hccs": "HCCS", "unifiedbus": "UnifiedBus", "mtlink": "MTLink",
}  # fmt: skip
FAST_FABRIC = N_("fast fabric")
JOINED = N_("{fabric} joins {n} GPUs")
JOINED_AT = N_("{fabric} joins {n} GPUs, {speed} GB/s each")
PCIE = N_("GPUs talk over PCIe {gen}.0 x{lanes}")
PCIE_UNKNOWN = N_("GPUs talk over PCIe")
NO_FABRIC_NEEDED = N_("one GPU: no fabric between GPUs")
SUPPLIES = N_("{n} power supplies, {needed} carry the node")
LOAD = N_("{amps} A each at {volts} V with the spare ones failed: {share} of {limit} A")
LOAD_UNKNOWN = N_("{amps} A each at {volts} V with the spare ones failed; limit unknown")
BUILT_IN = N_("the power supply is built in: {watts} W at the wall")


@dataclass(frozen=True)
class Box:
    """A rectangle; `style` says what it is of, `filled` how much of it is filled from the left (0 to its width)."""

    style: str
    x: float
    y: float
    width: float
    height: float
    filled: float = 0.0


@dataclass
class NodeDrawing:
    """Boxes and texts of a node, and the same as rows of a table."""

    key: str
    title: str
    head: str
    width: int = WIDTH
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    texts: list[tuple[float, str, str]] = field(default_factory=list)
    """(baseline, style, text)."""
    rows: list[tuple[str, str]] = field(default_factory=list)

    def said(self, label: str, text: str) -> None:
        """A line of the drawing and the row of its table."""
        self.height += LINE
        self.texts.append((self.height - 4, "piece", clipped(f"{label} · {text}" if label else text, TEXT_CELLS)))
        self.rows.append((label, text))

    def row_of_boxes(self, style: str, count: int, filled: float = 0.0) -> None:
        """As many boxes as there are pieces, small ones in rows where there are many."""
        in_row = min(count, IN_A_ROW if count > MOST_BOXES else count)
        inner = self.width - 2 * MARGIN
        size = min(WIDEST, (inner - GAP * (in_row - 1)) / in_row)
        high = BOX if count <= MOST_BOXES else 14
        for place in range(count):
            row, column = divmod(place, in_row)
            x, y = MARGIN + column * (size + GAP), self.height + row * (high + GAP)
            self.boxes.append(Box(style, round(x, 1), round(y, 1), round(size, 1), high, round(size * filled, 1)))
        self.height += (high + GAP) * -(-count // in_row) + 4

    def bus(self, style: str) -> None:
        """A bar over the whole width that joins what stands above it."""
        self.boxes.append(Box(style, MARGIN, self.height, self.width - 2 * MARGIN, 7))
        self.height += 13


def node_drawing(point: FrontPoint, parts: Mapping[str, Part], words: Words) -> NodeDrawing:
    """A node of a build. `parts` are the catalog's by id: what it does not know is drawn without figures."""
    line = machine(point)
    nodes = point.nodes[0].count
    title = words(N_("One of {n} nodes"), n=str(nodes)) if nodes > 1 else words(N_("The node"))
    drawing = NodeDrawing(f"node-{point.id}", title, clipped(with_maker(line) if line else title, HEAD_CELLS))
    drawing.height = 30
    _gpus(drawing, point, parts, words)
    for kinds, describe in ((("cpu",), _cpu), (("memory",), _memory), (("nic",), _nic), (("drive",), _drive)):
        for piece in pieces(point, kinds):
            _row(drawing, piece, describe(piece, parts.get(piece.part), words), words)
    for piece in pieces(point, ("bridge", "cooling")):
        drawing.said(category(words, piece.category), f"{piece.pieces} x {piece.name}")
    _supplies(drawing, point, parts, words)
    drawing.height += 4
    return drawing


def _row(drawing: NodeDrawing, piece: Piece, facts: str, words: Words) -> None:
    text = f"{piece.pieces} x {piece.name}" + (f"{words.comma}{facts}" if facts else "")
    drawing.said(category(words, piece.category), text)
    drawing.row_of_boxes(piece.category, piece.pieces)


def _gpus(drawing: NodeDrawing, point: FrontPoint, parts: Mapping[str, Part], words: Words) -> None:
    gpu, count = parts.get(point.gpus.part), point.gpus.per_node
    said_by_name = isinstance(gpu, Gpu) and f"{gpu.vram_gb}GB" in point.gpus.name
    facts = [f"{gpu.vram_gb:,} GB"] if isinstance(gpu, Gpu) and not said_by_name else []
    if point.row.cap_w:
        facts.append(f"{point.row.cap_w:,} W")
    drawing.said(category(words, "gpu"), words.comma.join([f"{count} x {point.gpus.name}", *facts]))
    drawing.row_of_boxes("gpu", count)
    fabric = fabric_words(point, gpu if isinstance(gpu, Gpu) else None, words)
    drawing.bus("fabric" if point.row.domain > 1 else "pcie")
    drawing.said("", fabric)
    drawing.height += 6


def fabric_words(point: FrontPoint, gpu: Gpu | None, words: Words) -> str:
    """What joins the GPUs of a node."""
    row = point.row
    if point.gpus.per_node == 1:
        return words(NO_FABRIC_NEEDED)
    if row.domain > 1:
        name = words(FABRICS.get(gpu.fabric, FAST_FABRIC) if gpu else FAST_FABRIC)
        if gpu is not None and gpu.link_gb_s and gpu.fabric in FABRICS:
            return words(JOINED_AT, fabric=name, n=str(row.domain), speed=figure(gpu.link_gb_s))
        return words(JOINED, fabric=name, n=str(row.domain))
    gen = row.pcie_gen or (gpu.pcie_gen if gpu and gpu.pcie_gen else 0)
    lanes = row.lanes or (gpu.pcie_lanes if gpu else 0)
    return words(PCIE, gen=str(gen), lanes=str(lanes)) if gen and lanes else words(PCIE_UNKNOWN)


def _cpu(piece: Piece, part: Part | None, words: Words) -> str:
    return words(N_("{n} cores each"), n=str(part.cores)) if isinstance(part, Cpu) else ""


def _memory(piece: Piece, part: Part | None, words: Words) -> str:
    return f"{part.capacity_gb * piece.pieces:,} GB" if isinstance(part, Memory) else ""


def _nic(piece: Piece, part: Part | None, words: Words) -> str:
    return f"{part.ports} x {part.gbit_s} Gbit/s" if isinstance(part, Nic) else ""


def _drive(piece: Piece, part: Part | None, words: Words) -> str:
    return f"{part.capacity_gb * piece.pieces:,} GB" if isinstance(part, Drive) else ""


def _supplies(drawing: NodeDrawing, point: FrontPoint, parts: Mapping[str, Part], words: Words) -> None:
    """Each supply with its load in the worst case: as many as carry the node when the spare ones have failed."""
    bought, supplies = pieces(point, ("psu",)), point.site.supplies
    name = words.comma.join(f"{piece.pieces} x {piece.name}{_watts(parts.get(piece.part))}" for piece in bought)
    if supplies is None:
        drawing.said(category(words, "psu"), words(BUILT_IN, watts=f"{point.power.node_wall_w:,}"))
        return
    said = words(SUPPLIES, n=str(supplies.fitted), needed=str(supplies.needed))
    drawing.said(category(words, "psu"), f"{name}{words.semicolon}{said}" if name else said)
    limit = supply_limit(point)
    amps, volts = f"{supplies.amps:,.2f}", str(supplies.volts)
    share = supplies.amps / limit if limit else 0.0
    drawing.row_of_boxes("psu", supplies.fitted, min(share, 1.0))
    text = words(LOAD_UNKNOWN, amps=amps, volts=volts)
    if limit:
        text = words(
            LOAD, amps=amps, volts=volts, share=words.percent(figure(share * 100)), limit=f"{limit:,.6g}"
        )  # fmt: skip
    drawing.said("", text)


def _watts(part: Part | None) -> str:
    return f" ({part.watts:,} W)" if isinstance(part, Psu) else ""


def supply_limit(point: FrontPoint) -> float | None:
    """A that each supply's inlet may carry, of the rule's own finding; None where no rule judged it."""
    found = (check.limit for check in point.checks if check.rule == Power.id and check.unit == "A")
    return next(found, None)

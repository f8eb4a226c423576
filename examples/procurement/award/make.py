"""Makes the bids of this folder: `python examples/procurement/award/make.py [FOLDER]`.

Two houses bid for the same server of eight GPUs, installed, with three years on site; a third sells memory, drives and
network cards alone. Vendors are made up; parts are those of the shipped catalog, prices are near its offers."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

HERE = Path(__file__).parent
SERVER = ("SYS-821GE-TNHR", "Supermicro 8U GPU server, dual Xeon, HGX ready", 1)
BOARD = ("HGX H200 8-GPU baseboard", "NVIDIA HGX H200, 8 x 141 GB", 1)
CPU = ("Xeon Gold 6530", "Intel, 32 cores", 2)
MEMORY = ("M321R4GA3EB0-CWM", "Samsung 32 GB DDR5-5600 RDIMM", 32)
DRIVE = ("PM9A3 3.84TB", "Samsung U.2 NVMe", 4)
NIC = ("X550-T2 10G 2-port", "Intel network card", 1)
SUPPORT = ("", "3-year next business day on-site support", 1)
INSTALLATION = ("", "Rack installation and commissioning", 1)
TRAINING = ("", "Training of administrators, two days", 1)
FREIGHT = ("", "Freight, insured", 1)
HEAD = ["Item", "Part Number", "Description", "Qty", "Unit Price excl. tax", "Total"]
BIDS = {
    "ostsee.csv": (
        ["Ostsee Systems Ltd.", "Quote no: OS-2201", "Date: 2026-11-18", "Valid until: 2026-12-31", "Currency: USD",
         "Lead time: 6 weeks"],
        [(SERVER, 25400), (BOARD, 239500), (CPU, 2210), (MEMORY, 968), (DRIVE, 1075), (NIC, 126), (SUPPORT, 21500),
         (INSTALLATION, 4200), (TRAINING, 2600), (FREIGHT, 1850)],
    ),
    "pinnacle.csv": (
        ["Pinnacle Compute Inc.", "Quote no: 26-0811", "Date: 2026-11-20", "Valid until: 2027-01-15", "Currency: USD",
         "Lead time: 8 weeks"],
        [(SERVER, 26100), (BOARD, 233900), (CPU, 2290), (MEMORY, 1015), (DRIVE, 1040), (NIC, 131), (SUPPORT, 19900),
         (INSTALLATION, 4900), (TRAINING, 2100), (FREIGHT, 2400)],
    ),
    "querin.csv": (
        ["Querin Components GmbH", "Quote no: Q-77", "Date: 2026-11-21", "Valid until: 2026-12-20", "Currency: USD",
         "Lead time: 2 weeks"],
        [(MEMORY, 905), (DRIVE, 1150), (NIC, 118), (FREIGHT, 380)],
    ),
}  # fmt: skip


def bid(name: str) -> str:
    """A bid's file: head, lines, sum."""
    head, lines = BIDS[name]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([x] for x in head)
    writer.writerow(HEAD)
    total = 0
    for number, ((part, text, qty), price) in enumerate(lines, 1):
        total += qty * price
        writer.writerow([number, part, text, qty, f"{price}.00", f"{qty * price}.00"])
    writer.writerow(["", "", "", "", "Total excl. tax", f"{total}.00"])
    return out.getvalue()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name in BIDS:
        (folder / name).write_text(bid(name), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()

"""Files that mean harm or are broken; `python -m tests.support.hostile` prints the table of docs/reading.md."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import xlsxwriter

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName='
    '"/xl/worksheets/sheet1.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    "</Types>"
)
ROOT = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="S" sheetId="1" r:id="r1"/>'
    "</sheets></workbook>"
)
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
HEADER = ("Part Number", "Description", "Qty", "Unit Price", "Total")
LINE = ("EPYC 9654", "CPU", 2, 6000, 12000)


def workbook(path: Path, sheet: str | bytes, extra: dict[str, str | bytes] | None = None, types: str = TYPES) -> None:
    """A smallest .xlsx around a sheet's XML."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", types)
        z.writestr("_rels/.rels", ROOT)
        z.writestr("xl/workbook.xml", BOOK)
        z.writestr("xl/_rels/workbook.xml.rels", RELS)
        z.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, data in (extra or {}).items():
            z.writestr(name, data)


def rows_xml(rows: list[tuple[int, tuple[object, ...]]]) -> str:
    out = []
    for number, cells in rows:
        out.append(f'<row r="{number}">')
        for c, x in enumerate(cells):
            ref = f"{chr(65 + c)}{number}"
            out.append(
                f'<c r="{ref}"><v>{x}</v></c>'
                if isinstance(x, int)
                else f'<c r="{ref}" t="inlineStr"><is><t>{x}</t></is></c>'
            )
        out.append("</row>")
    return "".join(out)


GOOD = rows_xml([(1, HEADER), (2, LINE)])


def zip_bomb(path: Path) -> None:
    workbook(path, SHEET + "<sheetData>" + GOOD + "</sheetData></worksheet>", {"xl/media/a.bin": bytes(140_000_000)})


def lying_size(path: Path) -> None:
    """The sheet unpacks to 30 MB, the archive's directory says 1,000 bytes."""
    workbook(path, (SHEET + "<sheetData>").encode() + b" " * 30_000_000 + b"</sheetData></worksheet>")
    data = bytearray(path.read_bytes())
    import struct

    real = struct.pack("<I", len(SHEET + "<sheetData>") + 30_000_000 + len("</sheetData></worksheet>"))
    at = -1
    while (at := data.find(real, at + 1)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)


def many_members(path: Path) -> None:
    workbook(path, SHEET + "</worksheet>", {f"xl/x{i}.xml": "" for i in range(6000)})


def huge_dimension(path: Path) -> None:
    """A cell in the last corner of a sheet: 17 billion cells if laid out as a rectangle."""
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    workbook(path, f'{SHEET}<dimension ref="A1:XFD1048576"/><sheetData>{GOOD}{corner}</sheetData></worksheet>')


def million_blank_rows(path: Path) -> None:
    blank = "".join(f'<row r="{i}"><c r="A{i}" s="0"/></row>' for i in range(3, 1_000_003))
    workbook(path, f"{SHEET}<sheetData>{GOOD}{blank}</sheetData></worksheet>")


def external_formula(path: Path) -> None:
    line = GOOD.replace('<c r="D2"><v>6000</v></c>', "<c r=\"D2\"><f>'[1]Cost'!B2</f><v>6000</v></c>")
    workbook(
        path,
        f"{SHEET}<sheetData>{line}</sheetData></worksheet>",
        {"xl/externalLinks/externalLink1.xml": "<externalLink/>"},
    )


def billion_laughs(path: Path) -> None:
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{levels}]>{SHEET}<sheetData>'
    workbook(path, text + '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>')


def entity_in_strings(path: Path) -> None:
    """A file of the machine named as an XML entity, in a part that is not the sheet."""
    strings = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><sst><si><t>&e;</t></si></sst>'
    )
    workbook(path, f"{SHEET}<sheetData>{GOOD}</sheetData></worksheet>", {"xl/sharedStrings.xml": strings})


def macros(path: Path) -> None:
    types = TYPES.replace(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    workbook(
        path, f"{SHEET}<sheetData>{GOOD}</sheetData></worksheet>", {"xl/vbaProject.bin": b"\xcc\x61Auto_Open"}, types
    )


def encrypted(path: Path) -> None:
    name = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + name + bytes(2000))


def encrypted_zip(path: Path) -> None:
    workbook(path, f"{SHEET}<sheetData>{GOOD}</sheetData></worksheet>")
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = -1
        while (place := data.find(mark, place + 1)) >= 0:
            data[place + at] |= 1
    path.write_bytes(data)


def truncated(path: Path) -> None:
    workbook(path, f"{SHEET}<sheetData>{GOOD}</sheetData></worksheet>")
    path.write_bytes(path.read_bytes()[:-300])


def flipped_bytes(path: Path) -> None:
    workbook(
        path,
        f"{SHEET}<sheetData>{rows_xml([(1, HEADER), *((i, LINE) for i in range(2, 300))])}</sheetData></worksheet>",
    )
    data = bytearray(path.read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml") + 60
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)


def old_excel_cut_off(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "Workbook".encode("utf-16-le") + bytes(700))


def pdf_named_xlsx(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")


def csv_named_xlsx(path: Path) -> None:
    path.write_text("Part Number,Qty,Unit Price\nEPYC 9654,2,6000.50\n", encoding="utf-8")


def web_page_named_xls(path: Path) -> None:
    rows = "".join(f"<tr>{''.join(f'<td>{x}</td>' for x in row)}</tr>" for row in (HEADER, LINE))
    path.write_text(f"<html><body><table>{rows}</table></body></html>", encoding="utf-8")


def nested_pages(path: Path) -> None:
    path.write_text("<html><body>" + "<table><tr><td>" * 50_000 + "x", encoding="utf-8")


def wide_spans(path: Path) -> None:
    cells = '<td colspan="99999" rowspan="99999">x</td>' * 200
    path.write_text(f"<html><body><table>{f'<tr>{cells}</tr>' * 2_000}</table></body></html>", encoding="utf-8")


def pdf_of(pages: int, content: bytes) -> bytes:
    """A smallest PDF: so many pages, all of one content stream, packed."""
    packed = zlib.compress(content, 9)
    kids = b" ".join(b"%d 0 R" % (5 + i) for i in range(pages))
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 3 0 R>>>>>>"] * pages,
    ]  # fmt: skip
    out, places = b"%PDF-1.7\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(parts) + 1, table)
    return out + head + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, len(out))


def pdf_of_many_pages(path: Path) -> None:
    path.write_bytes(pdf_of(2_000, b"BT /F 9 Tf 50 700 Td (EPYC 9654) Tj ET"))


def pdf_bomb(path: Path) -> None:
    path.write_bytes(pdf_of(1, b"BT /F 9 Tf 50 700 Td (EPYC 9654) Tj ET " * 3_000_000))


def pdf_of_a_picture(path: Path) -> None:
    picture = b"q 500 0 0 700 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \0 EI Q"
    path.write_bytes(pdf_of(2, picture))


def messages_in_messages(path: Path) -> None:
    text = "Part Number,Qty,Unit Price\nEPYC 9654,2,6000.50\n"
    for name in ("a.csv", "a.eml", "a.eml", "a.eml", "a.eml", "a.eml"):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "offer"
        message["Date"], message["MIME-Version"] = "Mon, 30 Nov 2026 10:00:00 +0000", "1.0"
        message.set_content("see the attachment")
        message.add_attachment(text.encode(), maintype="application", subtype="octet-stream", filename=name)
        text = message.as_string()
    path.write_text(text, encoding="utf-8")


def mail_of_one_file(path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "offer"
    message.set_content("see the attachments")
    data = ",".join(HEADER) + "\n" + ",".join(map(str, LINE)) + "\n"
    message.add_attachment(data.encode(), maintype="text", subtype="csv", filename="../../offer.csv")
    message.add_attachment(b"MZ\0\0", maintype="application", subtype="octet-stream", filename="run.exe")
    path.write_bytes(message.as_bytes())


def document_named_xlsx(path: Path) -> None:
    workbook(
        path, SHEET + "</worksheet>", types=TYPES.replace("spreadsheetml.sheet.main", "wordprocessingml.document.main")
    )


def other_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("quote.csv", "P/N,Qty,Price\nEPYC 9654,1,1\n")


def image_only(path: Path) -> None:
    book = xlsxwriter.Workbook(path)
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000000030001"
        "5bb6eb430000000049454e44ae426082"
    )
    book.add_worksheet().insert_image("B2", "scan.png", {"image_data": io.BytesIO(pixel)})
    book.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def binary_junk(path: Path) -> None:
    path.write_bytes(bytes((i * 7919 + i * i) % 256 for i in range(5000)))


def csv_with_nuls(path: Path) -> None:
    path.write_bytes(b"Part Number,Qty,Unit Price\nEPYC\x00 9654,2,6000\n" + b"\x00" * 50)


def formula_injection(path: Path) -> None:
    path.write_text(
        'Part Number,Description,Qty,Unit Price\nEPYC 9654,"=HYPERLINK(""http://x.example"",""a"")",2,6000.50\n'
        "=cmd|' /C calc'!A0,+1+1,1,10.50\n",
        encoding="utf-8",
    )


def deep_columns(path: Path) -> None:
    path.write_text(",".join(["x"] * 20_000) + "\n", encoding="utf-8")


def endless_line(path: Path) -> None:
    path.write_text("Part Number,Qty,Unit Price\n" + "9" * 5_000_000 + ",1,2\n", encoding="utf-8")


def overlapping_merges(path: Path) -> None:
    """Merged cells that cover each other and the whole sheet."""
    merges = "".join(f'<mergeCell ref="{x}"/>' for x in ("A1:E2", "E2:A1", "B1:D9", "A1:XFD1048576", "C2:C2"))
    workbook(path, f'{SHEET}<sheetData>{GOOD}</sheetData><mergeCells count="5">{merges}</mergeCells></worksheet>')


def million_sheet_cells(path: Path) -> None:
    """More filled cells than are read."""
    row = "".join(f"<c><v>{c}</v></c>" for c in range(100))
    workbook(path, f"{SHEET}<sheetData>{''.join(f'<row>{row}</row>' for _ in range(6_000))}</sheetData></worksheet>")


def far_repeats(path: Path) -> None:
    """An .ods cell that says it is repeated over a million rows."""
    cell = (
        '<table:table-cell office:value-type="string" table:number-columns-repeated="1000"><text:p>x</text:p>'
        "</table:table-cell>"
    )
    body = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table='
        '"urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="S">'
        '<table:table-row table:number-rows-repeated="1000000">'
        f"{cell}</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        z.writestr("content.xml", body)


def no_header(path: Path) -> None:
    path.write_text("Dear customer,thank you\nfor your interest,1\n", encoding="utf-8")


Expected = tuple[str, Callable[[Path], None], str, str]
REFUSED: tuple[Expected, ...] = (
    ("zip bomb", zip_bomb, "a.xlsx", "zip-bomb"),
    ("archive that lies about sizes", lying_size, "a.xlsx", "damaged-file"),
    ("6,000 files in an archive", many_members, "a.xlsx", "zip-bomb"),
    ("cell XFD1048576", huge_dimension, "a.xlsx", "huge-sheet"),
    ("600,000 filled cells", million_sheet_cells, "a.xlsx", "huge-sheet"),
    (".ods cell repeated 10^9 times", far_repeats, "a.ods", "huge-sheet"),
    ("XML entities (billion laughs)", billion_laughs, "a.xlsx", "xml-entities"),
    ("XML entity that names a file", entity_in_strings, "a.xlsx", "xml-entities"),
    ("encrypted workbook", encrypted, "a.xlsx", "encrypted-file"),
    ("encrypted archive", encrypted_zip, "a.xlsx", "encrypted-file"),
    ("truncated .xlsx", truncated, "a.xlsx", "damaged-file"),
    ("bytes flipped inside", flipped_bytes, "a.xlsx", "damaged-file"),
    ("old .xls cut off", old_excel_cut_off, "a.xls", "damaged-file"),
    ("cut off PDF named .xlsx", pdf_named_xlsx, "a.xlsx", "damaged-file"),
    ("PDF of 2,000 pages", pdf_of_many_pages, "a.pdf", "huge-sheet"),
    ("PDF that unpacks to 117 MB of text", pdf_bomb, "a.pdf", "huge-sheet"),
    ("PDF of pictures", pdf_of_a_picture, "a.pdf", "no-text"),
    ("web page of 50,000 tables in tables", nested_pages, "a.html", "no-table"),
    ("web page of wide cells", wide_spans, "a.html", "huge-sheet"),
    ("messages in messages", messages_in_messages, "a.eml", "no-header"),
    ("broken Word document named .xlsx", document_named_xlsx, "a.xlsx", "damaged-file"),
    ("archive of a .csv", other_archive, "a.xlsx", "unknown-format"),
    ("only an image", image_only, "a.xlsx", "no-table"),
    ("empty file", empty, "a.csv", "empty-file"),
    ("binary junk", binary_junk, "a.csv", "unknown-encoding"),
    ("binary junk named .xlsx", binary_junk, "a.xlsx", "damaged-file"),
    (".csv with NULs", csv_with_nuls, "a.csv", "binary-file"),
    ("20,000 columns", deep_columns, "a.csv", "huge-sheet"),
    ("no header", no_header, "a.csv", "no-header"),
    ("a field of 5 MB", endless_line, "a.csv", "bad-csv"),
)
READ: tuple[Expected, ...] = (
    ("10^6 blank rows", million_blank_rows, "a.xlsx", ""),
    ("formula to another file", external_formula, "a.xlsx", "external-links"),
    ("macros (.xlsm)", macros, "a.xlsm", "macros"),
    ("web page named .xls", web_page_named_xls, "a.xls", "wrong-extension"),
    ("message with a file", mail_of_one_file, "a.eml", "attachment-unread"),
    (".csv named .xlsx", csv_named_xlsx, "a.xlsx", "wrong-extension"),
    ("formulas in texts", formula_injection, "a.csv", ""),
    ("merged cells over each other", overlapping_merges, "a.xlsx", ""),
)

MEASURED = """
import os, sys
from pathlib import Path
from catalogs.errors import InputError
from catalogs.load import load
from optimizer.procurement.reading.reader import read
catalog = load()
start = sum(os.times()[:4])
try:
    found = read(Path(sys.argv[1]), catalog)
    print("text", "read; " + "; ".join(n.text for n in found.notices))
except InputError as e:
    print("code", e.faults[0].code)
    print("text", f"{e.faults[0].text}. {e.faults[0].remedy}")
print("seconds", sum(os.times()[:4]) - start)
print("kB", next(x.split()[1] for x in open("/proc/self/status") if x.startswith("VmHWM")))
"""


def measured(path: Path) -> tuple[str, float, int]:
    """(code or `read`, CPU seconds, kB at most) of reading a file in a process of its own, catalog loaded before."""
    found = _run(path)
    return found.get("code", "read" if "text" in found else "crash"), float(found["seconds"]), int(found["kB"])


def _run(path: Path) -> dict[str, str]:
    done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, timeout=200)
    return {k: v for k, _, v in (line.partition(" ") for line in done.stdout.splitlines())}


if __name__ == "__main__":
    print("| file | code | what is said | CPU s | MB |\n|---|---|---|---|---|")
    for what, make, name, _ in (*REFUSED, *READ):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder) / name)
            row = _run(Path(folder) / name)
        said = row["text"].replace("|", "/")
        print(
            f"| {what} | {row.get('code', 'read')} | {said} | {float(row['seconds']):.1f} | {int(row['kB']) // 1000} |"
        )

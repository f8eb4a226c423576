"""Purchase orders for other programs: UBL 2.1, and CSV that Odoo and ERPNext import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from xml.etree import ElementTree

from catalogs.visible import safe_cell, visible
from optimizer.procurement.award.orders import OrderLine, PurchaseOrder, taxed

ORDER = "urn:oasis:names:specification:ubl:schema:xsd:Order-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
PIECE = "C62"
"""One, of UN/ECE Recommendation 20."""
ODOO = (
    "id", "partner_id", "partner_ref", "currency_id", "date_order", "order_line/product_id", "order_line/name",
    "order_line/product_qty", "order_line/price_unit",
)  # fmt: skip
"""Names of fields of purchase.order and purchase.order.line, where a line of an order has a row of its own and blank
cells of the order from its second line on
(https://www.odoo.com/documentation/19.0/applications/essentials/export_import_data.html, read 2026-11-30;
https://github.com/odoo/odoo/blob/19.0/addons/purchase/models/purchase_order.py)."""
ERPNEXT = (
    "supplier", "transaction_date", "currency", "items.item_code", "items.item_name",
    "items.description", "items.qty", "items.uom", "items.rate", "items.schedule_date",
)  # fmt: skip
"""Names of fields of Purchase Order and Purchase Order Item; the importer takes `table.field` for those of a table and
makes a row with blank cells of the order a further line
(https://github.com/frappe/frappe/blob/develop/frappe/core/doctype/data_import/importer.py,
https://github.com/frappe/erpnext/blob/develop/erpnext/buying/doctype/purchase_order_item/purchase_order_item.json,
https://docs.erpnext.com/docs/user/manual/en/setting-up/data/data-import, read 2026-11-30)."""
UNIT = "Nos"
"""ERPNext's own unit of pieces."""
REBATE, FREIGHT = "Rebate", "Freight"


def _plain(amount: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rows(order: PurchaseOrder) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """(code, text, quantity, unit price): the lines, and rebate and freight as lines of their own."""
    for line in order.lines:
        yield line.part, line.text, line.qty, line.unit_net
    if order.rebate:
        yield "", REBATE, Decimal(1), -order.rebate
    if order.freight:
        yield "", FREIGHT, Decimal(1), order.freight


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a byte order mark; texts that a spreadsheet would take for formulas are marked as texts."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def as_odoo(orders: Sequence[PurchaseOrder]) -> bytes:
    """Requests for quotation of Odoo, to be confirmed there. Products are named by dsopt's ids of parts, what is no
    part by its text."""
    rows = []
    for order in orders:
        head = [
            order.number.lower().replace(".", "_"), safe_cell(order.vendor), safe_cell(order.quote_no), order.currency,
            order.day.isoformat(),
        ]  # fmt: skip
        for place, (code, text, qty, unit) in enumerate(_rows(order)):
            own = head if place == 0 else [""] * len(head)
            rows.append([*own, code or safe_cell(text), safe_cell(text), _plain(qty), _plain(unit)])
    return _csv(ODOO, rows)


def as_erpnext(orders: Sequence[PurchaseOrder]) -> bytes:
    """Purchase orders of ERPNext, as drafts. Items are named as in `as_odoo`; `schedule_date`, which ERPNext demands,
    is blank where the bid says no lead time."""
    rows = []
    for order in orders:
        head = [safe_cell(order.vendor), order.day.isoformat(), order.currency]
        due = order.due.isoformat() if order.due is not None else ""
        for place, (code, text, qty, unit) in enumerate(_rows(order)):
            own = head if place == 0 else [""] * len(head)
            name = safe_cell(text)
            rows.append([*own, code or name[:140], name[:140], name, _plain(qty), UNIT, _plain(unit), due])
    return _csv(ERPNEXT, rows)


class _Xml:
    """Elements of UBL under a parent, in the order in which they are added: the schema is a sequence."""

    def __init__(self, element: ElementTree.Element, currency: str) -> None:
        self.element, self.currency = element, currency

    def group(self, name: str) -> _Xml:
        return _Xml(ElementTree.SubElement(self.element, f"{{{CAC}}}{name}"), self.currency)

    def text(self, name: str, text: str, **attributes: str) -> None:
        ElementTree.SubElement(self.element, f"{{{CBC}}}{name}", attributes).text = visible(text)

    def amount(self, name: str, amount: Decimal) -> None:
        self.text(name, f"{amount:f}", currencyID=self.currency)


def as_ubl(order: PurchaseOrder) -> bytes:
    """A UBL 2.1 Order (OASIS, http://docs.oasis-open.org/ubl/os-UBL-2.1/UBL-2.1.html#T-ORDER): the same gives the same
    bytes."""
    for prefix, namespace in (("", ORDER), ("cac", CAC), ("cbc", CBC)):
        ElementTree.register_namespace(prefix, namespace)
    root = ElementTree.Element(f"{{{ORDER}}}Order")
    xml = _Xml(root, order.currency)
    xml.text("UBLVersionID", "2.1")
    xml.text("ID", order.number)
    xml.text("IssueDate", order.day.isoformat())
    xml.text("DocumentCurrencyCode", order.currency)
    if order.quote_no:
        quotation = xml.group("QuotationDocumentReference")
        quotation.text("ID", order.quote_no)
        if order.quote_date is not None:
            quotation.text("IssueDate", order.quote_date.isoformat())
    _party(xml.group("BuyerCustomerParty"), order.buyer)
    _party(xml.group("SellerSupplierParty"), order.vendor)
    for charge, reason, amount in (("false", REBATE, order.rebate), ("true", FREIGHT, order.freight)):
        if amount:
            group = xml.group("AllowanceCharge")
            group.text("ChargeIndicator", charge)
            group.text("AllowanceChargeReason", reason)
            group.amount("Amount", amount)
    _tax(xml.group("TaxTotal"), order)
    total = xml.group("AnticipatedMonetaryTotal")
    total.amount("LineExtensionAmount", order.goods)
    total.amount("TaxExclusiveAmount", order.net)
    total.amount("TaxInclusiveAmount", order.gross)
    if order.rebate:
        total.amount("AllowanceTotalAmount", order.rebate)
    if order.freight:
        total.amount("ChargeTotalAmount", order.freight)
    total.amount("PayableAmount", order.gross)
    for number, line in enumerate(order.lines, 1):
        _line(xml.group("OrderLine").group("LineItem"), number, line)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _party(xml: _Xml, name: str) -> None:
    party = xml.group("Party")
    if name:
        party.group("PartyName").text("Name", name)


def _tax(xml: _Xml, order: PurchaseOrder) -> None:
    xml.amount("TaxAmount", order.tax)
    for percent, net, tax in taxed(order.lines, order.freight - order.rebate, order.currency):
        part = xml.group("TaxSubtotal")
        part.amount("TaxableAmount", net)
        part.amount("TaxAmount", tax)
        part.text("Percent", _plain(percent))
        part.group("TaxCategory").group("TaxScheme").text("ID", "VAT")


def _line(xml: _Xml, number: int, line: OrderLine) -> None:
    xml.text("ID", str(number))
    xml.text("Quantity", _plain(line.qty), unitCode=PIECE)
    xml.amount("LineExtensionAmount", line.net)
    xml.group("Price").amount("PriceAmount", line.unit_net)
    item = xml.group("Item")
    item.text("Description", line.text)
    item.text("Name", line.text[:100])
    if line.part:
        item.group("BuyersItemIdentification").text("ID", line.part)

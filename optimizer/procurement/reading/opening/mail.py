"""Messages (.eml by the standard library, .msg by python-oxmsg): body, attachments, and what an answer quotes."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import PurePath
from typing import Any

MOST_FILES = 40
PICTURES = frozenset(
    [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".webp", ".ico", ".vcf", ".ics", ".p7s", ".asc", ".sig"]
)
QUOTED = re.compile(r"\s?(?:>|＞)")
ANSWERED = re.compile(
    r"\s*(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|原始邮件|转发的邮件|原文|元のメッセージ)|on\b.{4,120}\bwrote:\s*$|am\b.{4,120}\bschrieb\b.{0,80}:\s*$"
    r"|le\b.{4,120}\ba écrit\s*:\s*$|el\b.{4,120}\bescribió:\s*$|在.{4,120}写道[:：]\s*$|.{4,80}のメール[:：]\s*$"
    r"|_{20,}\s*$)",
    re.IGNORECASE,
)
"""The line above an older message."""
HEAD = re.compile(r"\s*\*?(?:from|von|发件人|差出人|de)\*?\s*[:：]", re.IGNORECASE)
HEADS = re.compile(
    r"\s*\*?(?:sent|gesendet|date|datum|发送时间|日期|送信日時|to|an|收件人|宛先|envoyé)\*?\s*[:：]", re.IGNORECASE
)


@dataclass(frozen=True)
class Opened:
    """A message: its body in both forms, and what is attached as (name, content)."""

    subject: str
    html: str
    text: str
    files: tuple[tuple[str, bytes], ...]


def of_eml(data: bytes) -> Opened:
    """A message in the format of the internet."""
    found = message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    html, text = "", ""
    files: list[tuple[str, bytes]] = []
    for part in found.walk():
        if part.is_multipart():
            continue
        name, kind = part.get_filename() or "", part.get_content_type()
        if name or part.get_content_disposition() == "attachment":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and _is_read(name) and len(files) < MOST_FILES:
                files.append((name, content))
        elif kind == "text/html" and not html:
            html = _content(part)
        elif kind == "text/plain" and not text:
            text = _content(part)
    return Opened(str(found.get("subject", "")), html, text, tuple(files))


def _content(part: Any) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        raw = part.get_payload(decode=True)
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def of_msg(found: Sequence[dict[str, Any]]) -> Opened:
    """A message of Outlook, as the child process gives it."""
    one = found[0]
    files = [(x["name"], base64.b64decode(x["data"])) for x in one["files"] if _is_read(x["name"])]
    return Opened(one["subject"], one["html"], one["text"], tuple(files[:MOST_FILES]))


def _is_read(name: str) -> bool:
    return PurePath(name).suffix.casefold() not in PICTURES


def without_quoted(text: str) -> tuple[str, str]:
    """(the message, the older ones that it quotes): lines behind `>`, and all below the head of an older message."""
    lines = text.splitlines()
    end = len(lines)
    for place, line in enumerate(lines):
        heads = sum(bool(HEADS.match(other)) for other in lines[place + 1 : place + 5])
        if ANSWERED.match(line) or (HEAD.match(line) and heads >= 2 and place > 0):
            end = place
            break
    now = [line for line in lines[:end] if not QUOTED.match(line)]
    older = [re.sub(r"^[\s>＞]{0,6}(?<=[>＞])\s?", "", line) for line in lines[:end] if QUOTED.match(line)]
    return "\n".join(now), "\n".join([*older, *(re.sub(r"^\s?(?:[>＞]\s?)+", "", line) for line in lines[end:])])

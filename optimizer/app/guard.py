"""Who may ask: Host, Origin and token of every request, its size, and the headers of every answer.

A page of another site that is open in the same browser can send requests to 127.0.0.1. It can't read answers, but could
start work (CSRF), and by a name that it resolves to 127.0.0.1 (DNS rebinding) it could read too: so the Host must be
one of ours, and whatever changes something must come from our own page or from no browser at all."""

from __future__ import annotations

import hmac
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from optimizer.app.limits import MOST_JSON_BYTES, MOST_UPLOAD_BYTES

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that are reached from this machine alone."""
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""The same as a Host header names them."""
SAFE = ("GET", "HEAD")
TOKEN_COOKIE = "dsopt_token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
UPLOADS = ("/api/xray", "/api/compare")
WILDCARDS = ("0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    return host in LOOPBACK


class TooLarge(Exception):
    """A body that is longer than it may be, or than it said."""


@dataclass(frozen=True)
class Guard:
    """Lets through to `app` what is allowed. `host`: the address that is listened on; `token`: demanded where it is
    not blank."""

    app: App
    host: str
    token: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._our_host(headers.get("host", "")):
            return await _refused(send, 421, "bad-host", "this address is not served here")
        if self.token and not self._known(scope, headers):
            return await self._unknown(scope, send)
        if not _our_page(scope["method"], headers):
            return await _refused(send, 403, "bad-origin", "the request comes from another site")
        most = MOST_UPLOAD_BYTES if scope["path"] in UPLOADS else MOST_JSON_BYTES
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            return await _refused(send, 413, "too-large", f"more than {most / 1e6:g} MB")
        body = _Bounded(receive, most)

        async def answer(message: Message) -> None:
            if body.too_large:
                return  # whatever the app makes of a body that broke off
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_headers(message.get("headers", ()))}
            await send(message)

        with suppress(TooLarge):
            await self.app(scope, body, answer)
        if body.too_large:
            await _refused(send, 413, "too-large", f"more than {most / 1e6:g} MB")

    def _our_host(self, host: str) -> bool:
        """Whether a Host header names this server. Where all addresses are listened on any address of numbers and the
        machine's own names do: no foreign name leads here."""
        name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
        name = name.lower()
        if name in (LOOPBACK_NAMES if is_loopback(self.host) else (self.host.lower(),)):
            return True
        if self.host not in WILDCARDS:
            return name == f"[{self.host}]"
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name in ("localhost", socket.gethostname().lower(), socket.getfqdn().lower())
        return True

    def _known(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether the token comes along: in the header of a program, in the cookie of a page."""
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return self._is_token(bearer) or self._is_token(cookie(headers, TOKEN_COOKIE))

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())

    async def _unknown(self, scope: Scope, send: Send) -> None:
        """The address with the token in it becomes a cookie, so that it stands in no history; all else is refused."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "GET" and scope["path"] == "/" and self._is_token(given):
            kept = f"{TOKEN_COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            headers = [(b"location", b"/"), (b"set-cookie", kept.encode()), *_with_headers(())]
            await send({"type": "http.response.start", "status": 303, "headers": headers})
            return await send({"type": "http.response.body", "body": b""})
        await _refused(send, 401, "no-token", "open the address that `dsopt app` printed: it holds the token")


def cookie(headers: dict[str, str], name: str) -> str:
    """A cookie's value; blank where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _our_page(method: str, headers: dict[str, str]) -> bool:
    """Whether a request comes from our own page, from a link that somebody followed, or from a program."""
    site = headers.get("sec-fetch-site", "")
    if method in SAFE:
        return site in ("", "none", "same-origin") or headers.get("sec-fetch-mode") == "navigate"
    origin = headers.get("origin")
    if origin is None:
        return site in ("", "same-origin")
    return urlsplit(origin).netloc == headers.get("host") and site in ("", "same-origin")


@dataclass
class _Bounded:
    """Counts what comes: a body may come in pieces and say nothing of its length."""

    receive: Receive
    most: int
    read: int = 0

    @property
    def too_large(self) -> bool:
        return self.read > self.most

    async def __call__(self) -> Message:
        message = await self.receive()
        self.read += len(message.get("body", b""))
        if self.too_large:
            raise TooLarge
        return message


def _with_headers(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    own = [(name, value) for name, value in given if name.lower() != b"server"]
    said = {name.lower() for name, _ in own}
    return own + [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in said]


async def _refused(send: Send, status: int, code: str, text: str) -> None:
    body = json.dumps({"faults": [{"code": code, "text": text}]}).encode()
    headers = _with_headers([(b"content-type", b"application/json"), (b"connection", b"close")])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

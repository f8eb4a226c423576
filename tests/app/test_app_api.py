"""The web app's API: the library's documents, who may ask, hostile files, cancel, several clients at once."""

from __future__ import annotations

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from optimizer.app.limits import MOST_FILE_BYTES, MOST_FILES, MOST_UPLOAD_BYTES
from optimizer.app.server import make_app
from optimizer.app.uploads import kept_name
from optimizer.result.schema import Result

BASE = "http://127.0.0.1:8642"
SMALL = {"model": "r1-distill-qwen-1.5b", "budget": "9000", "gpu": ["RTX 4090"], "max_nodes": 1, "as_of": "2026-11-24"}
"""A request that is solved in a moment."""
NO_BUILD = {**SMALL, "budget": "300"}
LONG = {"model": "v3-671b", "budget": "9M", "users": 4000, "have": "racks,network", "as_of": "2026-11-24"}
"""One that takes far longer than a test waits."""
QUOTE = Path(__file__).parents[1] / "data" / "bids" / "01_bluestone_group_price.xlsx"
SAMPLES = Path(__file__).parents[2] / "optimizer" / "samples"
OURS = {"origin": BASE, "sec-fetch-site": "same-origin"}
ENDED = ("done", "stopped", "refused", "failed")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app(), base_url=BASE, headers=OURS) as made:
        made.get("/?lang=en")
        yield made


def ended(client: TestClient, id: str, seconds: float = 60) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        facts: dict[str, Any] = client.get(f"/api/jobs/{id}").json()
        if facts["state"] in ENDED:
            return facts
        time.sleep(0.03)
    raise AssertionError(f"still {facts}")


def answered(client: TestClient, asked: dict[str, Any]) -> str:
    started = client.post("/api/solve", json=asked)
    assert started.status_code == 202, started.text
    id: str = started.json()["id"]
    assert ended(client, id)["state"] == "done"
    return id


@pytest.fixture(scope="module")
def solved(client: TestClient) -> str:
    return answered(client, SMALL)


def uploaded(client: TestClient, name: str, content: bytes, to: str = "/api/xray", **said: Any) -> Any:
    data = {"request": json.dumps({"model": "v3-671b", "users": 16, **said})}
    return client.post(to, files=[("files", (name, content))], data=data)


def test_the_result_is_what_solve_prints(client: TestClient, solved: str) -> None:
    from tests.support.commands import run

    told = client.get(f"/api/jobs/{solved}/result.json").json()
    assert Result.model_validate(told).proof.status == "optimal"
    options = ["--model", SMALL["model"], "--budget", "9000", "--gpu", "RTX 4090", "--max-nodes", "1"]
    code, out, err = run("solve", *options, "--as-of", "2026-11-24", "--json")
    assert code == 0, err
    printed = json.loads(out)
    for document in (told, printed):
        document["proof"]["seconds"] = {}
    assert told == printed


def test_the_contract_is_told(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    assert {"/api/solve", "/api/jobs/{id}", "/api/jobs/{id}/why-not", "/api/xray", "/api/compare"} <= set(told["paths"])
    shape = told["components"]["schemas"]["Asked"]
    assert {"model", "users", "budget", "max_nodes", "tax"} <= set(shape["properties"])
    assert not {"own", "avl", "fx", "model_config", "spares"} & set(shape["properties"]), "no file of the server's"


def test_pages_of_an_answer_in_both_languages(client: TestClient, solved: str) -> None:
    english, chinese = (client.get(f"/jobs/{solved}/view?lang={x}").text for x in ("en", "zh"))
    assert "<svg" in english and "rules passed" in english and "条规则通过" in chinese
    pinned = client.get("/beside", params={"pin": [f"{solved}:p1", f"{solved}:p1"], "lang": "en"}).text
    assert "Pinned builds side by side" in pinned and "RTX 4090" in pinned
    assert client.get(f"/jobs/{solved}/build/p1?lang=en").status_code == 200
    assert client.get(f"/jobs/{solved}/build/p99").status_code == 404
    assert client.get("/jobs/nosuch/view").status_code == 404


def test_why_not_is_answered_and_opens_no_file(client: TestClient, solved: str) -> None:
    started = client.post(f"/api/jobs/{solved}/why-not", json={"what": "2x RTX 4090"})
    assert started.status_code == 202
    assert ended(client, started.json()["id"])["state"] == "done"
    assert "2 x" in client.get(f"/jobs/{started.json()['id']}/view?lang=en").text
    for name in ("/etc/passwd", "../pyproject.toml", "build.toml"):
        assert client.post(f"/api/jobs/{solved}/why-not", json={"what": name}).status_code == 422


def test_ways_out_lead_on(client: TestClient) -> None:
    id = answered(client, NO_BUILD)
    page = client.get(f"/jobs/{id}/view?lang=en").text
    assert "Ways out" in page and 'data-way href="/?model=' in page
    assert client.get(f"/api/jobs/{id}/quote.xlsx").status_code == 404


@pytest.mark.parametrize("name", ["quote.xlsx", "rfq.xlsx", "report.html"])
def test_files_of_an_answer_are_saved_and_not_opened(client: TestClient, solved: str, name: str) -> None:
    file = client.get(f"/api/jobs/{solved}/{name}?lang=zh")
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith("attachment")
    if name.endswith(".xlsx"):
        assert openpyxl.load_workbook(io.BytesIO(file.content)).sheetnames
    else:
        assert "RTX 4090" in file.text


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ({"model": "v3-671b"}, "users"),
        ({**SMALL, "budget": "much"}, "budget"),
        ({**SMALL, "model": "nosuch-model-9"}, "model"),
        ({**SMALL, "users": "many"}, "users"),
        ({**SMALL, "support": "/etc/passwd"}, "support"),
        ({**SMALL, "own": "/etc/passwd"}, ""),
        ({**SMALL, "gpu": ["x"] * 100}, "gpu"),
        ({**SMALL, "model": "x" * 5000}, "model"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_at_its_field(client: TestClient, asked: Any, option: str) -> None:
    refused = client.post("/api/solve", json=asked)
    assert refused.status_code == 422
    told = refused.json()
    assert told["faults"] and "Traceback" not in refused.text
    assert not option or option in [fault["option"] for fault in told["faults"]]
    assert 'role="alert"' in told["html"]


def test_markup_in_a_request_stays_text(client: TestClient) -> None:
    hostile = "<script>alert(1)</script>"
    assert hostile not in client.post("/api/solve", json={**SMALL, "model": hostile}).json()["html"]
    page = client.get("/", params={"model": hostile, "users": '"><img src=x onerror=alert(1)>'}).text
    assert hostile not in page and "<img" not in page


def test_every_answer_has_its_headers(client: TestClient, solved: str) -> None:
    for path in ("/", "/static/app.js", "/static/style.css", f"/api/jobs/{solved}", "/nosuch", "/openapi.json"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert "server" not in headers
    cookies = client.get("/", headers={"cookie": ""}).headers.get_list("set-cookie")
    assert cookies and all("HttpOnly" in x and "SameSite=strict" in x for x in cookies)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.5", ""]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    refused = client.get("/", headers={"host": host})
    assert refused.status_code == 421
    assert "<form" not in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "sec-fetch-site": ""},
    ],
)
def test_another_site_starts_nothing(client: TestClient, headers: dict[str, str]) -> None:
    desk = client.app.app.state.server.desk  # type: ignore[attr-defined]
    before = len(desk._jobs)
    assert client.post("/api/solve", json=SMALL, headers=headers).status_code == 403
    assert client.post("/api/xray", files={"files": ("a.csv", b"x")}, headers=headers).status_code == 403
    assert len(desk._jobs) == before
    page = client.get("/?model=v3-671b&users=5", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert 'data-run=""' in page.text, "a link of another site fills the form and starts nothing"
    assert client.get("/openapi.json", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_another_address_demands_the_token() -> None:
    with TestClient(make_app("192.168.1.5", "secret-token"), base_url="http://192.168.1.5:8642") as client:
        for path in (
            "/",
            "/api/alive",
            "/static/app.js",
            "/openapi.json",
            "/?token=wrong",
            "/api/alive?token=secret-token",
        ):
            assert client.get(path).status_code == 401, path
        assert client.get("/api/alive", headers={"authorization": "Bearer secret-token"}).status_code == 200
        assert client.get("/api/alive", headers={"authorization": "Bearer secret-toke"}).status_code == 401
        opened = client.get("/?token=secret-token", follow_redirects=False)
        assert opened.status_code == 303 and opened.headers["location"] == "/"
        assert "HttpOnly" in opened.headers["set-cookie"] and "SameSite=Strict" in opened.headers["set-cookie"]
        assert client.get("/api/alive").status_code == 200
        assert client.get("/api/alive", headers={"host": "evil.example"}).status_code == 421


def bomb() -> bytes:
    """A workbook whose sheet unpacks to 300 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(QUOTE) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            if not name.startswith("xl/worksheets/sheet1"):
                made.writestr(name, source.read(name))
        with made.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(300):
                sheet.write(b" " * 1_000_000)
    return out.getvalue()


def folders() -> set[str]:
    return {x.name for x in Path(tempfile.gettempdir()).glob("dsopt-app-*")}


def test_a_quote_is_examined_and_removed(client: TestClient) -> None:
    before = folders()
    started = uploaded(client, "../../x/报价 1.csv", (SAMPLES / "querin.csv").read_bytes(), model=SMALL["model"])
    assert started.status_code == 202, started.text
    id = started.json()["id"]
    assert ended(client, id)["state"] == "done"
    page = client.get(f"/jobs/{id}/view?lang=en").text
    assert "报价 1.csv" in page and ".." not in page.partition("</h2>")[0]
    assert openpyxl.load_workbook(io.BytesIO(client.get(f"/api/jobs/{id}/xray.xlsx").content)).sheetnames
    assert folders() <= before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", b"MZ"), ("a.svg", b"<svg/>"), ("noending", b"x"), ("a.json", b"{}"), ("a.toml", b""),
        ("../../etc/passwd", b"x"), ("a.xlsx\x00.sh", b"x"),
    ],
)  # fmt: skip
def test_what_is_no_quote_is_refused_at_once(client: TestClient, name: str, content: bytes) -> None:
    before = folders()
    assert uploaded(client, name, content).status_code == 422
    assert folders() <= before


def test_hostile_quotes_end_in_words(client: TestClient) -> None:
    before = folders()
    html = b"<html><script>alert(1)</script><table><tr><td>8x H200</td></tr></table></html>"
    for name, content in (
        ("bomb.xlsx", bomb()),
        ("fake.xlsx", b"not a workbook"),
        ("a.html", html),
        ("a.pdf", b"%PDF-"),
    ):
        started = uploaded(client, name, content)
        assert started.status_code == 202, started.text
        id = started.json()["id"]
        assert ended(client, id)["state"] in ("refused", "done")
        page = client.get(f"/jobs/{id}/view?lang=zh").text
        assert "Traceback" not in page and "<script" not in page
    assert folders() <= before


def test_uploads_are_bounded(client: TestClient) -> None:
    before = folders()
    assert uploaded(client, "a.csv", b"x" * (MOST_FILE_BYTES + 1)).status_code == 422
    lied = client.post("/api/xray", content=b"x", headers={"content-length": str(100 * 10**6)})
    assert lied.status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(MOST_UPLOAD_BYTES // 10**6 + 2):
            yield b"x" * 10**6

    assert client.post("/api/solve", content=pieces()).status_code == 413
    many = [("files", (f"{n}.csv", b"x")) for n in range(MOST_FILES + 1)]
    assert client.post("/api/compare", files=many).status_code == 422
    assert client.post("/api/xray", files=many[:2]).status_code == 422
    assert client.post("/api/xray", data={"request": "{}"}).status_code == 422
    assert folders() <= before


def test_names_are_kept_plain() -> None:
    assert kept_name("../../x.xlsx") == "x.xlsx"
    assert kept_name("C:\\bids\\投标 1.xlsx") == "投标 1.xlsx"
    assert kept_name("a#B.xlsx") == "a_B.xlsx"
    assert kept_name("..") == "quote" and kept_name("") == "quote"
    assert len(kept_name("x" * 500 + ".xlsx")) <= 80


def test_cancel_really_stops_and_keeps_what_was_found(client: TestClient) -> None:
    id = client.post("/api/solve", json=LONG).json()["id"]
    until = time.monotonic() + 30
    while client.get(f"/api/jobs/{id}").json()["revision"] == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert "still being proven" in client.get(f"/jobs/{id}/view?lang=en").text
    asked = time.monotonic()
    assert client.delete(f"/api/jobs/{id}").status_code == 202
    assert ended(client, id, 15)["state"] == "stopped"
    assert time.monotonic() - asked < 10
    assert "Stopped before the proof" in client.get(f"/jobs/{id}/view?lang=en").text
    assert client.get(f"/api/jobs/{id}/result.json").json()["proof"]["status"] == "feasible"


def test_a_client_has_one_solve_and_others_go_on(client: TestClient) -> None:
    first = client.post("/api/solve", json=LONG).json()["id"]
    other = {"cookie": "dsopt_client=another"}
    second = client.post("/api/solve", json=SMALL, headers=other).json()["id"]
    assert ended(client, second)["state"] == "done"
    assert client.get(f"/api/jobs/{first}").json()["state"] == "running", "of another client: nobody stopped it"
    third = client.post("/api/solve", json=SMALL).json()["id"]
    assert ended(client, first)["state"] == "stopped"
    assert ended(client, third)["state"] == "done"


def test_two_quotes_are_compared(client: TestClient) -> None:
    files = [("files", (name, (SAMPLES / name).read_bytes())) for name in ("ostsee.csv", "pinnacle.csv")]
    started = client.post("/api/compare", files=files, data={"request": '{"model": "v3-671b", "users": 16}'})
    assert started.status_code == 202, started.text
    id = started.json()["id"]
    assert ended(client, id, 90)["state"] == "done"
    page = client.get(f"/jobs/{id}/view?lang=en").text
    assert "Comparison of the bids" in page
    assert openpyxl.load_workbook(io.BytesIO(client.get(f"/api/jobs/{id}/comparison.xlsx").content)).sheetnames

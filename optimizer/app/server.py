"""The web app: pages for a browser and, beneath them, a JSON API with the library's own documents."""

from __future__ import annotations

import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Query, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from optimizer import library
from optimizer.app import pages
from optimizer.app.asked import Asked, ShortText, request_beside, request_from
from optimizer.app.guard import Guard, is_loopback
from optimizer.app.jobs import Busy, Desk, Job, Kind, State
from optimizer.app.limits import COMPARE_LIMIT_S, MOST_FILES, QUESTION_LIMIT_S, SOLVE_LIMIT_S
from optimizer.app.uploads import kept
from optimizer.report.facts import point_named
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.text.languages import N_, Words
from optimizer.text.version import own_version

CLIENT, LANGUAGE = "dsopt_client", "dsopt_lang"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NO_PART = N_("is a file's name; name a GPU with its number, or a part")


class Started(BaseModel):
    """A job that was taken on."""

    id: str


class JobFacts(BaseModel):
    """How far a job is. `done` of `total` in its phase; `revision` counts what a page would show anew."""

    id: str
    kind: str
    state: State
    phase: str
    done: int
    total: int
    revision: int
    seconds: float
    faults: list[dict[str, str]]


class Question(BaseModel):
    """What is held against a build of the front (the recommended one without `point`)."""

    model_config = ConfigDict(extra="forbid")
    what: Annotated[ShortText, Field(min_length=1, description="8x H20, or a part")]
    point: ShortText | None = None


class Server:
    """The jobs and the catalog behind one app."""

    def __init__(self) -> None:
        self.desk = Desk()
        self._lock = threading.Lock()
        self._catalog: Catalog | None = None

    @property
    def catalog(self) -> Catalog:
        """The shipped catalog, read once."""
        with self._lock:
            if self._catalog is None:
                self._catalog = library.shipped_catalog()
            return self._catalog

    def job(self, id: str, kind: str = "") -> Job:
        """A job; 404 where there is none."""
        found = self.desk.get(id)
        if found is None or (kind and found.kind != kind):
            raise HTTPException(404, "no such job")
        return found

    def answered(self, id: str, kind: str = "solve") -> Job:
        """A job with its outcome; 409 while there is none."""
        found = self.job(id, kind)
        if found.outcome is None:
            raise HTTPException(409, "not answered yet")
        return found

    def point(self, id: str, point: str | None) -> tuple[Result, FrontPoint]:
        """A build of an answer; the recommended one without a name."""
        result: Result = self.answered(id).outcome
        found = point_named(result, point or None)
        if found is None:
            raise HTTPException(404, "no such build")
        return result, found


def token_for(host: str) -> str:
    """What has to come along where others can reach the address that is listened on; blank on the machine's own."""
    return "" if is_loopback(host) else secrets.token_urlsafe(24)


def make_app(host: str = "127.0.0.1", token: str = "") -> Guard:
    """The app behind its guard. `host`: the address that is listened on; `token`: demanded where it is not blank."""
    server = Server()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Read while the first page is looked at: the first answer does not wait for it.
        threading.Thread(target=lambda: server.catalog, daemon=True).start()
        yield
        server.desk.close()

    app = FastAPI(title="dsopt", version=own_version(), docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.server = server
    _errors(app)
    _page_routes(app, server)
    _job_routes(app, server)
    _upload_routes(app, server)
    _file_routes(app, server)
    return Guard(app, host, token)


def _words(request: Request) -> Words:
    """The language of the address, of the cookie, of the browser."""
    said = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
    if said not in ("en", "zh"):
        said = "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"
    return Words(said)


def _client(request: Request) -> str:
    """Whose jobs these are: the cookie of a browser, the address of a program."""
    return request.cookies.get(CLIENT) or f"address {request.client.host if request.client else ''}"


def _errors(app: FastAPI) -> None:
    @app.exception_handler(InputError)
    def refused(request: Request, error: InputError) -> JSONResponse:
        return _faulty(request, list(error.faults))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return _faulty(request, _faults(error.errors()))

    @app.exception_handler(Busy)
    def busy(_: Request, error: Busy) -> JSONResponse:
        return JSONResponse({"faults": [{"code": "busy", "text": "too many jobs wait"}]}, 429)

    @app.exception_handler(HTTPException)
    def told(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(
            {"faults": [{"code": f"http-{error.status_code}", "text": error.detail}]}, error.status_code
        )

    @app.exception_handler(Exception)
    def failed(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"faults": [{"code": "internal", "text": "internal error"}]}, 500)


def _faults(errors: Any) -> list[Fault]:
    return [
        Fault("bad-value", str(x["msg"]), column="--" + str(x["loc"][-1]).replace("_", "-") if x["loc"] else "")
        for x in errors
    ]


def _faulty(request: Request, faults: list[Fault]) -> JSONResponse:
    words = _words(request)
    told = [{k: x[k] for k in ("code", "text", "option")} for x in pages.said_faults(faults, words)]
    return JSONResponse({"faults": told, "html": pages.faults_page(faults, words)}, 422)


def _page_routes(app: FastAPI, server: Server) -> None:
    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def first(request: Request) -> HTMLResponse:
        query = {k: v for k, v in request.query_params.items() if k != "lang"}
        words = _words(request)
        # A foreign page may lead here, but it starts no work: its request stands in the form and waits.
        run = request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        page = HTMLResponse(pages.first_page(words, query, run))
        if CLIENT not in request.cookies:
            page.set_cookie(CLIENT, secrets.token_urlsafe(18), httponly=True, samesite="strict")
        page.set_cookie(LANGUAGE, words.language, httponly=True, samesite="strict", max_age=31_536_000)
        return page

    @app.get("/static/style.css", include_in_schema=False)
    def style() -> Response:
        return Response(pages.style(), media_type="text/css")

    @app.get("/static/app.js", include_in_schema=False)
    def script() -> Response:
        return Response(pages.script(), media_type="text/javascript")

    @app.get("/jobs/{id}/view", response_class=HTMLResponse, include_in_schema=False)
    def view(request: Request, id: str) -> str:
        return pages.job_page(server.job(id), server.catalog, _words(request))

    @app.get("/jobs/{id}/build/{point}", response_class=HTMLResponse, include_in_schema=False)
    def build(request: Request, id: str, point: str) -> str:
        _, found = server.point(id, point)
        return pages.build_page(server.answered(id), found, server.catalog, _words(request))

    @app.get("/beside", response_class=HTMLResponse, include_in_schema=False)
    def beside(request: Request, pin: Annotated[list[str], Query(max_length=2)]) -> str:
        pinned = [server.point(*x.rpartition(":")[::2]) for x in pin]
        return pages.beside_page(pinned, _words(request))


def _job_routes(app: FastAPI, server: Server) -> None:
    @app.get("/api/alive")
    def alive() -> dict[str, str]:
        """Whether the server is there."""
        return {"version": own_version()}

    @app.post("/api/solve", status_code=202)
    def solve(request: Request, asked: Asked) -> Started:  # type: ignore[valid-type]
        """Starts the search; a client's search before it is stopped."""
        wanted, policy = request_from(asked, server.catalog)
        library.validate_request(wanted, catalog=server.catalog, policy=policy)

        def work(job: Job) -> Result:
            return library.solve(
                wanted, catalog=server.catalog, policy=policy, clock=job.clock, tell_front=job.tell_front
            )

        about = {"policy": policy, "own_throughput": wanted.throughput_tenths is not None}
        return Started(id=server.desk.put("solve", _client(request), SOLVE_LIMIT_S, work, about=about).id)

    @app.get("/api/jobs/{id}")
    def job(id: str) -> JobFacts:
        """How far it is."""
        x = server.job(id)
        faults = [{"code": fault.code, "text": str(fault)} for fault in x.faults]
        return JobFacts(
            id=x.id, kind=x.kind, state=x.state, phase=x.phase, done=x.done, total=x.total, revision=x.revision,
            seconds=round(x.seconds, 2), faults=faults,
        )  # fmt: skip

    @app.delete("/api/jobs/{id}", status_code=202)
    def cancel(id: str) -> Started:
        """Stops it; what is known by then stays."""
        server.job(id).clock.stop()
        return Started(id=id)

    @app.post("/api/jobs/{id}/why-not", status_code=202)
    def why_not(request: Request, id: str, question: Question) -> Started:
        """What stands against another GPU or part."""
        result, point = server.point(id, question.point)
        if "/" in question.what or "\\" in question.what or Path(question.what).suffix in (".toml", ".json"):
            raise InputError(Fault("bad-wish", NO_PART, value=question.what))  # the library would open it

        def work(job: Job) -> Any:
            return library.why_not(result, question.what, point.id, catalog=server.catalog, clock=job.clock)

        return Started(id=server.desk.put("why-not", _client(request), QUESTION_LIMIT_S, work).id)


def _said(text: str) -> Any:
    try:
        return Asked.model_validate_json(text)
    except ValidationError as e:
        raise InputError(_faults(e.errors())) from None


def _upload_routes(app: FastAPI, server: Server) -> None:
    @app.post("/api/xray", status_code=202)
    async def xray(
        request: Request,
        files: Annotated[list[UploadFile], File()],
        asked: Annotated[str, Form(alias="request")] = "{}",
    ) -> Started:
        """X-rays one quote; `request`: what it is for, as JSON."""

        def work(job: Job, paths: list[Path], said: BaseModel) -> Any:
            quote = library.read_quote(paths[0], catalog=server.catalog)
            job.clock.left()
            wanted, policy = request_beside(said, server.catalog, [quote], "xray")
            return library.xray(quote, wanted, catalog=server.catalog, policy=policy, clock=job.clock)

        return await _examined(server, "xray", _client(request), files, 1, asked, work)

    @app.post("/api/compare", status_code=202)
    async def compare(
        request: Request,
        files: Annotated[list[UploadFile], File()],
        asked: Annotated[str, Form(alias="request")] = "{}",
    ) -> Started:
        """Compares several quotes on equal scope; `request`: what they are for, as JSON."""

        def work(job: Job, paths: list[Path], said: BaseModel) -> Any:
            read = library.read_bids(paths, catalog=server.catalog)
            job.clock.left()
            wanted, policy = request_beside(said, server.catalog, list(read.quotes), "compare")
            return library.compare(
                read.bids(), wanted, catalog=server.catalog, policy=policy, time_limit_s=COMPARE_LIMIT_S,
                sources=read.sources,
            )  # fmt: skip

        return await _examined(server, "compare", _client(request), files, MOST_FILES, asked, work)


async def _examined(
    server: Server, kind: Kind, client: str, files: list[UploadFile], most: int, asked: str,
    work: Callable[[Job, list[Path], BaseModel], Any],
) -> Started:  # fmt: skip
    """Queues work on uploaded quotes, `most` of them, and on what was asked beside them."""
    said = _said(asked)
    folder, paths = await kept(files, most)
    return Started(id=server.desk.put(kind, client, QUESTION_LIMIT_S, lambda job: work(job, paths, said), folder).id)


def _file_routes(app: FastAPI, server: Server) -> None:
    def get(name: str, media: str, made: Callable[[Request, str, str | None], bytes]) -> None:
        @app.get(f"/api/jobs/{{id}}/{name}", response_class=Response, name=name)
        def file(request: Request, id: str, point: str | None = None) -> Response:
            headers = {"content-disposition": f'attachment; filename="{name}"'}
            return Response(made(request, id, point), media_type=media, headers=headers)

    def report(request: Request, id: str, point: str | None) -> bytes:
        lang = "zh" if _words(request).chinese else "en"
        return library.report_html(server.answered(id).outcome, lang, catalog=server.catalog).encode()  # type: ignore[arg-type]

    def quotation(request: Request, id: str, point: str | None) -> bytes:
        from optimizer.procurement.quotation.quote_terms import QUOTE_DAYS, Party, document_day
        from optimizer.procurement.quotation.workbook import workbook

        result, chosen = server.point(id, point)
        party = Party("", "", document_day(result.request.as_of), QUOTE_DAYS)
        return workbook(library.quote(result, chosen.id, party=party, catalog=server.catalog), _words(request))

    def inquiry(request: Request, id: str, point: str | None) -> bytes:
        from optimizer.procurement.quotation.quote_terms import REQUEST_DAYS, Party, document_day
        from optimizer.procurement.rfq.workbook import workbook

        result, chosen = server.point(id, point)
        party = Party("", "", document_day(result.request.as_of), REQUEST_DAYS)
        return workbook(library.rfq(result, chosen.id, party=party, catalog=server.catalog), _words(request))

    def xray_book(request: Request, id: str, point: str | None) -> bytes:
        from optimizer.procurement.xray.workbook import workbook

        return workbook(server.answered(id, "xray").outcome, _words(request))

    def bids_book(request: Request, id: str, point: str | None) -> bytes:
        from optimizer.procurement.bids.workbook import workbook

        return workbook(server.answered(id, "compare").outcome, _words(request))

    def document(kind: str) -> Callable[[Request, str, str | None], bytes]:
        return lambda request, id, point: server.answered(id, kind).outcome.model_dump_json(indent=2).encode()

    get("result.json", "application/json", document("solve"))
    get("why-not.json", "application/json", document("why-not"))
    get("xray.json", "application/json", document("xray"))
    get("comparison.json", "application/json", document("compare"))
    get("report.html", "text/html", report)
    get("quote.xlsx", XLSX, quotation)
    get("rfq.xlsx", XLSX, inquiry)
    get("xray.xlsx", XLSX, xray_book)
    get("comparison.xlsx", XLSX, bids_book)

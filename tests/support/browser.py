"""A headless Chromium as a judge of pages: what the console says, what leaves the machine, how it reads and prints.

Chromium and its driver come from the system (Debian: `apt-get install chromium chromium-driver`), the driver's client
is selenium, the judge of accessibility axe-core (MPL-2.0, shipped by axe-core-python). No page can reach anything but
this machine: every other name and address fails to resolve. The fixture `browser` (tests/conftest.py) starts one for
all tests of a module and clears what a test left.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
REQUIRED = bool(os.environ.get("DSOPT_BROWSER_REQUIRED"))
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not REQUIRED, reason="chromium or chromedriver is not installed"
)
"""Marks a test or, as `pytestmark`, a module: skipped without a browser, unless CI demands one."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root in a container; pages here are our own
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
LOCAL_HOSTS = ("127.0.0.1", "localhost")
INNER_SCHEMES = ("data", "blob", "about", "chrome", "chrome-error", "devtools", "chrome-extension")
SERIOUS = ("serious", "critical")
ANY = ("minor", "moderate", *SERIOUS)
WAIT_S = 20
A4_INCHES = (8.27, 11.69)


class Browser:
    """One Chromium; `driver` is selenium's, for whatever has no word here."""

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver
        self._seen: list[str] = []
        self._said: list[str] = []

    def open(self, page: str | Path) -> None:
        """Opens a file or an address, and waits until it has loaded."""
        self.driver.get(page.resolve().as_uri() if isinstance(page, Path) else page)
        self.until("return document.readyState === 'complete'")

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script in the page returns (it is not bound by the page's Content-Security-Policy)."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, *arguments: Any, seconds: float = WAIT_S) -> Any:
        """Waits until a script in the page returns something true, and gives that; TimeoutException after `seconds`."""
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: self.run(script, *arguments))

    def find(self, selector: str) -> Any:
        """The first element of a CSS selector; NoSuchElementException where there is none."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """All elements of a CSS selector."""
        return list(self.driver.find_elements("css selector", selector))

    def press(self, *keys: str) -> None:
        """Keys to whatever has the focus (selenium.webdriver.common.keys.Keys for those without a letter)."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def hover(self, element: Any) -> None:
        """The pointer over an element."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).move_to_element(element).perform()

    def view(self, width: int = 1280, height: int = 900, scheme: str = "light", media: str = "") -> None:
        """Size of the window in CSS pixels (360 is a small phone), `light` or `dark`, and `print` for paper."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        wanted = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self._devtools("Emulation.setEmulatedMedia", media=media, features=wanted)

    def overflow(self) -> int:
        """CSS pixels by which the page is wider than its window: 0 where nothing has to be scrolled sideways."""
        return int(self.run("return document.documentElement.scrollWidth - window.innerWidth"))

    def pdf(self) -> bytes:
        """The page printed on A4, by its own print rules."""
        wide, high = A4_INCHES
        sheet = {"paperWidth": wide, "paperHeight": high, "printBackground": True, "preferCSSPageSize": True}
        return base64.b64decode(self._devtools("Page.printToPDF", **sheet)["data"])

    def picture(self, path: Path, whole: bool = True) -> None:
        """A PNG of the page, of the whole of it or of what the window shows."""
        data = self._devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def errors(self) -> list[str]:
        """Warnings and errors that the console was told since the last `clear`, refused scripts included."""
        self._said += [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        return [line for line in self._said if line.startswith(("SEVERE", "WARNING"))]

    def requests(self) -> list[str]:
        """Every address that was asked for since the last `clear`, data of the page itself left out."""
        for entry in self.driver.get_log("performance"):
            told = json.loads(entry["message"])["message"]
            if told["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                self._seen.append(told["params"].get("url") or told["params"]["request"]["url"])
        return [url for url in self._seen if urlsplit(url).scheme not in INNER_SCHEMES]

    def leaving(self) -> list[str]:
        """Addresses asked for that are not of this machine: there must be none."""
        return [url for url in self.requests() if not _local(url)]

    def axe(self, impacts: Sequence[str] = SERIOUS, context: str = "document") -> list[str]:
        """Violations of accessibility that axe-core finds, serious and critical ones without `impacts`, each with its
        first places."""
        script = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
        self.run(f"if (!window.axe) {{ {script} }}")
        told = self.driver.execute_async_script(
            f"const done = arguments[arguments.length - 1]; axe.run({context}, {{resultTypes: ['violations']}})"
            ".then(found => done(found.violations), wrong => done(String(wrong)))"
        )
        if not isinstance(told, list):
            raise AssertionError(f"axe did not run: {told}")
        return [_violation(found) for found in told if found["impact"] in impacts]

    def clear(self) -> None:
        """A blank page in a window of ordinary size; nothing said, nothing asked for."""
        self.driver.get("about:blank")
        self.view()
        self.errors()
        self.requests()
        self._said.clear()
        self._seen.clear()

    def _devtools(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)  # type: ignore[attr-defined]


def _local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "file" or parts.hostname in LOCAL_HOSTS


def _violation(found: dict[str, Any]) -> str:
    places = "; ".join(f"{node['html'][:160]} ({node['failureSummary']})" for node in found["nodes"][:3])
    return f"{found['impact']} {found['id']}: {found['help']}, {len(found['nodes'])} places: {places}"


@contextmanager
def started(downloads: Path) -> Iterator[Browser]:
    """A Chromium of its own profile, ended when the block ends; files that pages give go to `downloads`."""
    assert CHROMIUM and DRIVER, "chromium and chromedriver are demanded (DSOPT_BROWSER_REQUIRED) and not installed"
    os.environ.setdefault("SE_OFFLINE", "true")  # selenium looks for no newer driver
    os.environ.setdefault("SE_AVOID_STATS", "true")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    kept = {"download.default_directory": str(downloads), "download.prompt_for_download": False}
    options.add_experimental_option("prefs", kept)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    try:
        driver.set_script_timeout(WAIT_S)
        driver.set_page_load_timeout(WAIT_S)
        yield Browser(driver)
    finally:
        driver.quit()

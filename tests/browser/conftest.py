"""The whole product as real processes (web, worker, rehearsal vendors) and a real Chromium driving it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
MOVING = "[aria-busy=true], .htmx-added, .htmx-swapping, .htmx-settling"
"""What waits for an answer or is being swapped: drawn paler for that moment."""
SCREENSHOTS = os.environ.get("SCREENSHOTS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="package")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DATABASE_URL of an empty database of the kind the suite runs on."""
    suite = os.environ.get("DATABASE_URL", "sqlite:")
    if suite.startswith("sqlite"):
        yield f"sqlite:///{tmp_path_factory.mktemp('site') / 'site.sqlite3'}"
        return
    name = f"contactadmin_browser_{os.getpid()}"
    server = urlsplit(suite)
    with psycopg.connect(
        urlunsplit(server._replace(scheme="postgresql", path="/postgres")), autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(server._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Site:
    """The product, served. `passwords` is {user name: password} as `demo` told them."""

    url: str
    environment: dict[str, str]
    passwords: dict[str, str] = field(default_factory=dict)

    def manage(self, *words: str) -> dict:
        """What a command prints with --json. Raises CalledProcessError when it is refused or ends with problems."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words, "--json"],
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return json.loads(done.stdout)

    def make_superuser(self, username: str) -> None:
        self.passwords[username] = password = f"only for {username}"
        subprocess.run(
            [sys.executable, "manage.py", "createsuperuser", "--no-input", "--username", username, "--email", ""],
            cwd=ROOT, env={**self.environment, "DJANGO_SUPERUSER_PASSWORD": password}, check=True, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="package")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`demo` and `serve`, as `make run` runs them, on ports of their own."""
    port, rehearsal_port = free_port(), free_port()
    var = tmp_path_factory.mktemp("var")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        "DATABASE_URL": database,
        "SECRET_KEY": "only-for-the-browser-tests-" + "x" * 40,
        "CREDENTIAL_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        "DEBUG": "on",
        "REHEARSAL": "on",
        "VENDOR_HOSTS": "127.0.0.1",
        "MEDIA_ROOT": str(var / "media"),
        "JOB_TICK_SECONDS": "1",
    }
    served = Site(f"http://127.0.0.1:{port}", environment)
    told = served.manage("demo", "--port", str(port), "--rehearsal-port", str(rehearsal_port))
    served.passwords = {user["username"]: user["password"] for user in told["users"]}
    log = (var / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port), "--rehearsal-port", str(rehearsal_port)],
        cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until_ready(served.url, process, Path(log.name))
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def wait_until_ready(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"serve ended by itself:\n{log.read_text()[-3000:]}"
        try:
            if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise AssertionError(f"serve was not ready within a minute:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="package")  # its event loop must be gone before another test uses the database
def chromium() -> Iterator[Browser]:
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    assert path, "The browser tests need Chromium: run scripts/need_chromium, or install it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class Visitor:
    """One person at one browser.

    `look` keeps a screenshot of the page in every size and theme and runs axe over it. What is wrong with any page on
    the way is told together when the visit ends.
    """

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.wrong: list[str] = []
        page.on("console", lambda message: self.complain(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complain(str(error)))

    def complain(self, words: str) -> None:
        self.wrong.append(f"{urlsplit(self.page.url).path}: the browser says {words}")

    def log_in(self, username: str) -> None:
        self.page.goto(f"{self.site.url}/accounts/login/")
        self.page.locator("#id_login").fill(username)
        self.page.locator("#id_password").fill(self.site.passwords[username])
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.site.url}/")

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def look(self, name: str) -> None:
        """Nothing for axe to find and no sideways scrolling, in light and dark, wide and narrow."""
        self.page.locator("h1").wait_for()  # a link was clicked just before: until its page is there, there is nothing
        expect(self.page.locator("main").locator(MOVING)).to_have_count(0)
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme=theme)
            for size, (width, height) in WIDTHS.items():
                self.page.set_viewport_size({"width": width, "height": height})
                where = f"{name}, {size}, {theme}"
                overflow = self.page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                if overflow > 0:
                    self.wrong.append(f"{where}: scrolls sideways by {overflow} px")
                if SCREENSHOTS:
                    folder = Path(SCREENSHOTS)
                    folder.mkdir(parents=True, exist_ok=True)
                    self.page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=True)
                if size == "desktop" or theme == "light":
                    self.wrong += [f"{where}: axe finds {found}" for found in self.axe()]
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1440, "height": 900})

    def axe(self) -> list[str]:
        """What axe-core finds on the page: rule, and the first elements that break it."""
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(AXE)
        return self.page.evaluate(
            """async () => {
                const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
                const {violations} = await axe.run(document, {runOnly: rules});
                return violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | '));
            }"""
        )


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Callable[[str], Visitor]]:
    """`visit("ravi")`: a browser of its own in which that person is logged in; `visit("")` for nobody."""
    contexts = []
    visitors = []

    def open_browser(username: str = "") -> Visitor:
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(20_000)
        contexts.append(context)
        visitor = Visitor(context.new_page(), site)
        visitors.append(visitor)
        if username:
            visitor.log_in(username)
        return visitor

    yield open_browser
    for context in contexts:
        context.close()
    wrong = [each for visitor in visitors for each in visitor.wrong]
    assert not wrong, "\n".join(["What is wrong with the pages on the way:", *wrong])

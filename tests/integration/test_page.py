"""The page of results in a browser: sorted, filtered, opened by keyboard, narrow and wide, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.commands.html_page import make_html
from bareboat.commands.pages import load_results
from bareboat.commands.project import Project

ROOT = Path(__file__).parents[2]
BROWSER = Path("/usr/bin/chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytestmark = pytest.mark.skipif(not BROWSER.exists(), reason=f"no {BROWSER}: apt-get install chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
CELL = "hello-world@scratch-musl"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    project = Project(root=ROOT)
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(make_html(project, load_results(project).hosts), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(params=[(1400, "light"), (400, "dark")], ids=str)
def shown(request, browser, file):
    """The page as it was opened; whatever the test does, nothing may be complained of or asked for."""
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints, requests = [], []
    page.set_default_timeout(5000)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    yield page
    page.close()
    assert complaints == []
    assert {url.partition("#")[0] for url in requests} == {file.as_uri()}


def cells(page):
    return page.locator("#results tbody tr:visible th").all_inner_texts()


def test_it_fits_its_window(shown):
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = "[...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll') && !one.closest('.vh')"
    wide = f"{outside} && one.getClientRects().length && one.getBoundingClientRect().right > innerWidth + 1)"
    assert shown.evaluate(f"{wide}.map(one => one.outerHTML.slice(0, 80))") == []


def test_the_scheme_is_the_systems_until_another_is_chosen(shown):
    def ground():
        return shown.evaluate("getComputedStyle(document.body).backgroundColor")

    dark = shown.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    first, button = ground(), shown.locator("#scheme")
    assert (first == "rgb(13, 17, 23)") == dark
    seen = []
    for _ in range(3):
        button.press("Enter")
        seen.append((button.inner_text(), ground()))
    assert seen == [
        ("Scheme: light", "rgb(255, 255, 255)"),
        ("Scheme: dark", "rgb(13, 17, 23)"),
        ("Scheme: system", first),
    ]


def test_the_table_is_sorted_by_what_is_pressed(shown):
    def sizes():
        figures = shown.locator("#results tbody tr:visible td[data-v]:nth-child(4)")
        return [float(one.get_attribute("data-v")) for one in figures.all()]

    heading = shown.get_by_role("button", name="Size", exact=True)
    heading.press("Enter")
    assert sizes() == sorted(sizes())
    assert shown.locator("th[aria-sort=ascending]").inner_text() == "Size"
    heading.press("Enter")
    assert sizes() == sorted(sizes(), reverse=True)
    assert len(sizes()) > 10
    shown.get_by_role("button", name="Cell", exact=True).press("Enter")
    assert cells(shown) == sorted(cells(shown))


def test_the_table_is_filtered(shown):
    everything = len(cells(shown))
    shown.locator("#search").fill("hello-world musl")
    found = cells(shown)
    assert 0 < len(found) < everything
    assert all(one.startswith("hello-world") for one in found)
    assert shown.locator("#count").inner_text().startswith(f"{len(found)} of ")
    shown.locator("#search").fill("")
    shown.locator("#outcome").select_option("fails as expected")
    assert "hello-world@scratch-glibc-no-loader" in cells(shown)
    assert CELL not in cells(shown)
    shown.locator("#outcome").select_option("")
    shown.locator("#host").select_option("")
    assert len(cells(shown)) > everything


def test_all_columns_are_there_when_asked_for(shown):
    before = shown.locator("#results thead th:visible").count()
    shown.locator("#all").press("Space")
    assert shown.locator("#results thead th:visible").count() > before


def test_a_cell_opens_and_closes_by_keyboard(shown):
    link = shown.locator(f'#results tbody tr:visible a[href="#{CELL}"]').first
    link.press("Enter")
    panel = shown.locator("dialog[open]")
    panel.wait_for()
    assert panel.get_by_role("heading", level=2).inner_text() == CELL
    for heading in ("Measurements", "Manifest", "Containerfile", "Provenance"):
        assert panel.get_by_role("heading", name=heading).is_visible()
    assert "FROM scratch" in panel.inner_text()
    assert panel.evaluate("one => one.scrollWidth <= one.clientWidth")
    shown.keyboard.press("Escape")
    panel.wait_for(state="detached")
    link.press("Enter")
    panel.wait_for()
    panel.get_by_role("button", name="Close").press("Enter")
    panel.wait_for(state="detached")


def test_a_point_of_the_chart_opens_its_cell(shown):
    link = shown.locator("figure svg:visible a").first
    target = link.get_attribute("href")
    link.focus()
    shown.keyboard.press("Enter")
    shown.locator("dialog[open]").wait_for()
    assert f"#{shown.locator('dialog[open]').get_attribute('id')}" == target


def faults(page):
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


def test_nobody_is_shut_out(shown):
    assert faults(shown) == []
    shown.goto(f"{shown.url}#{CELL}")
    shown.locator("dialog[open]").wait_for()
    assert faults(shown) == []

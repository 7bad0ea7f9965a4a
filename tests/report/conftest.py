"""A browser for the pages of reports: Chromium, where there is one."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    found = os.environ.get("AFFETTO_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: name one in AFFETTO_BROWSER")
    with api.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=found, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def tab_of(browser, tmp_path):
    """Return a function that opens the text of a page and fails the test for any error or request but of `own`."""
    contexts, troubles = [], []

    def opened(text, own=("data:",), size=(1280, 900), **how):
        path = tmp_path / f"page-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **how)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: said.type in ("error", "warning") and troubles.append(said.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("request", lambda asked: asked.url.startswith((path.as_uri(), *own)) or troubles.append(asked.url))
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not troubles

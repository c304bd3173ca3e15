"""The report in a real browser: it sorts, filters, draws, and asks nobody for anything."""

from __future__ import annotations

import pytest

from benchmark.report.command import report
from tests.evidence.folders import change, make

HOSTILE = '<img src="http://127.0.0.1:9/x" onerror="document.title=1">'


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    folders = make(root, seeds=3)
    change(folders[0], agent=HOSTILE)
    make(root, seeds=20, problems=("v2g",))
    assert report([str(root)]) == 0
    browser.get((root / "report" / "index.html").as_uri())
    # A head takes clicks once the page's script has run; the first load of a cold browser is slow.
    wait_for(browser, "return document.querySelector('table.board th')?.tabIndex === 0")
    return browser


def run(page, script, *arguments):
    return page.execute_script(script, *arguments)


def wait_for(page, script):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(page, 60).until(lambda window: window.execute_script(script))


def column(page, table, index):
    script = """return [...document.querySelector(arguments[0]).tBodies[0].rows]
        .map((row) => row.cells[arguments[1]].textContent.trim())"""
    return run(page, script, table, index)


def click_head(page, table, index):
    script = "document.querySelector(arguments[0]).tHead.rows[0].cells[arguments[1]].click()"
    run(page, script, table, index)


def test_a_click_on_a_head_sorts_by_number_and_a_second_one_turns_it_round(page):
    click_head(page, "table.board", 2)
    rising = [float(text.replace(",", "")) for text in column(page, "table.board", 2)]
    assert rising == sorted(rising) and len(rising) > 4
    click_head(page, "table.board", 2)
    falling = [float(text.replace(",", "")) for text in column(page, "table.board", 2)]
    assert falling == rising[::-1]


def test_what_is_missing_is_sorted_last_whichever_way(page):
    for _ in range(2):
        click_head(page, "table.board", 3)
        shown = column(page, "table.board", 3)
        assert shown[-1] == "–" and "–" not in shown[:-1]


def test_the_table_of_runs_filters_and_every_figure_leads_to_its_run(page):
    everything = run(page, "return document.querySelectorAll('#all tbody tr').length")
    assert everything == 52
    script = """const box = document.getElementById('filter'); box.value = arguments[0];
        box.dispatchEvent(new Event('input'));
        return [...document.querySelectorAll('#all tbody tr')].map((row) => row.textContent)"""
    found = run(page, script, "offload ppo")
    assert len(found) == 3 and all("offload" in text and "ppo" in text for text in found)
    links = run(page, "return [...document.querySelectorAll('#all tbody a')].map((a) => a.href)")
    assert {link.rsplit("/", 1)[1] for link in links} == {"result.json", "manifest.json", ""}
    assert all(link.startswith("file://") and "/offload/ppo/seed" in link for link in links)
    assert run(page, script, "nobody") == []
    assert len(run(page, script, "")) == 52


def test_the_table_of_runs_sorts(page):
    click_head(page, "#all", 4)
    shown = [float(text.replace(",", "")) for text in column(page, "#all", 4)]
    assert shown == sorted(shown)


def test_figures_are_drawn_when_they_come_into_view_and_change_their_abscissa(page):
    run(page, "document.querySelector('.switch').scrollIntoView()")
    wait_for(
        page, "return document.querySelector('.switch ~ .figure .scatterlayer .trace') !== null"
    )
    title = "return document.querySelector('.switch ~ .figure .xtitle').textContent"
    assert run(page, title) == "environment steps"
    run(page, "document.querySelector('[data-against=grams]').click()")
    wait_for(page, f"{title} === 'gCO2e of training'")


def test_every_figure_can_be_drawn(page):
    count = run(page, "return document.querySelectorAll('.figure').length")
    assert count == 10  # three of each of three boards, and the profile over them
    for at in range(count):
        run(page, "document.querySelectorAll('.figure')[arguments[0]].scrollIntoView()", at)
        wait_for(
            page, f"return document.querySelectorAll('.figure')[{at}].dataset.drawn === 'true'"
        )


def test_a_name_from_a_stranger_is_shown_and_not_obeyed(page):
    assert HOSTILE in run(page, "return document.querySelector('table.board').textContent")
    assert run(page, "return document.querySelectorAll('img[src^=http]').length") == 0
    assert page.title == "Low-carbon AIoT benchmark"


def test_it_fits_a_phone(page):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True},
    )
    try:
        wait_for(page, "return document.documentElement.scrollWidth <= 360")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_there_is_no_error_on_the_console_and_no_request_leaves_the_page(page, requests_of):
    # The last of this module: it looks back on all of the others.
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    asked = requests_of(page)
    assert [url for url in asked if not url.startswith(("file://", "data:", "blob:"))] == []
    assert any(url.endswith("/report/index.html") for url in asked)

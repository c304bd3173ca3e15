from pathlib import Path

import pytest

import envs


@pytest.mark.parametrize("name", ["cooling", "irs_beamforming", "offload_paper"])
def test_a_page_shows_its_mathematics_asks_for_nothing_and_complains_of_nothing(
    browser, requests_of, tmp_path: Path, name
):
    page = tmp_path / f"{name}.html"
    page.write_text(envs.as_page(envs.load(name)), encoding="utf-8")
    browser.get("about:blank")
    for kind in ("performance", "browser"):
        browser.get_log(kind)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    assert set(requests_of(browser)) <= {page.as_uri(), "data:,"}
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('math')].map(m => m.getBoundingClientRect().height)"
    )
    assert len(sizes) > 20 and min(sizes) > 5
    # A fraction is drawn as one: MathML is rendered, not flattened into a line of text.
    tall = browser.execute_script(
        "return Math.max(...[...document.querySelectorAll('mfrac')]"
        ".map(f => f.getBoundingClientRect().height))"
    )
    assert tall > 20


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_sticks_out_of_the_window(browser, tmp_path: Path, width):
    page = tmp_path / "page.html"
    page.write_text(envs.as_page(envs.load("v2g")), encoding="utf-8")
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(page.as_uri())
    inner, whole = browser.execute_script(
        "return [window.innerWidth, document.documentElement.scrollWidth]"
    )
    assert whole <= inner == width


def test_a_hostile_title_runs_nothing(browser, tmp_path: Path):
    from tests.language.tiny import problem

    bad = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    page = tmp_path / "page.html"
    spec = problem(meta={"name": "tiny", "title": bad, "summary": bad})
    page.write_text(envs.as_page(spec), encoding="utf-8")
    browser.get(page.as_uri())
    assert browser.title == bad
    assert browser.execute_script("return document.images.length + document.scripts.length") == 0

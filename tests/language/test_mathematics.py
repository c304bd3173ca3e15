import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import envs
from envs.mathematics import as_markdown, as_page
from envs.mathematics.formulas import Formulas
from envs.mathematics.names import Names
from envs.mathematics.tree import latex, mathml
from envs.spec.expressions import parse
from tests.language.tiny import problem


def formula(text: str) -> str:
    tiny = problem(
        sets={"zone": ["DE", "GB"], "zone_b": {"alias_of": "zone"}},
        parameters={
            "price_mean": {"unit": "1", "index": ["zone"], "value": [1, 2]},
            "eta": {"unit": "1", "value": 0.9},
            "load": {"unit": "1", "value": 3},
        },
    )
    return re.sub(r"\s+", " ", latex(Formulas(Names(tiny)).formula(parse(text))))


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("price_mean", r"\mathrm{price}_{\text{mean} , z}"),
        ("price_mean['GB']", r"\mathrm{price}_{\text{mean} , \text{GB}}"),
        ("eta * load", r"\eta \cdot \mathrm{load}"),
        ("load / eta", r"\frac{\mathrm{load}}{\eta}"),
        ("(load + 1) * eta", r"\left( \mathrm{load} + 1 \right) \cdot \eta"),
        ("load - (eta - 1)", r"\mathrm{load} - \left( \eta - 1 \right)"),
        ("sum(price_mean * eta, zone)", r"\sum_{z} \mathrm{price}_{\text{mean} , z} \cdot \eta"),
        ("(load + 1) ** 2", r"\left( \mathrm{load} + 1 \right)^{2}"),
        ("'30 MHz'", r"30 \, \text{MHz}"),
        ("1e-12", r"10^{-12}"),
        ("sqrt(load)", r"\sqrt{\mathrm{load}}"),
        ("log2(1 + load)", r"\mathrm{log}_{2} \left( 1 + \mathrm{load} \right)"),
        ("load > 1", r"\left[ \mathrm{load} > 1 \right]"),
        (
            "where(load > 1, eta, 0)",
            r"\begin{cases} \eta & \text{if} \; \mathrm{load} > 1 \\ 0 & \text{otherwise}"
            r" \end{cases}",
        ),
        ("take(price_mean, zone, 1)", r"\mathrm{price}_{\text{mean} , 1}"),
        ("relabel(price_mean, zone, zone_b)", r"\mathrm{price}_{\text{mean} , z_{\prime}}"),
        ("from_db(load)", r"10^{\mathrm{load} / 10}"),
    ],
)
def test_an_expression_reads_as_mathematics(text, typeset):
    assert formula(text) == typeset.replace(r"z_{\prime}", r"z^{\prime}")


@pytest.mark.parametrize("name", envs.problems())
def test_every_problem_of_the_library_has_a_page_that_is_well_formed(name):
    page = as_page(envs.load(name))
    for section in ("Objective", "Decisions", "Parameters", "Where it comes from"):
        assert f"<h2>{section}</h2>" in page
    for one in re.findall(r"<math.*?</math>", page, re.DOTALL):
        ElementTree.fromstring(one.replace("&nbsp;", " "))
    assert "<script" not in page
    assert set(re.findall(r"https?://[^\"\s>]+", _markup(page))) <= {
        "http://www.w3.org/1998/Math/MathML"
    }


def _markup(page: str) -> str:
    """Tags alone: a source may name an address in its words."""
    return " ".join(re.findall(r"<[^>]*>", page))


@pytest.mark.parametrize("name", envs.problems())
def test_braces_and_fences_of_every_problem_are_balanced(name):
    text = as_markdown(envs.load(name))
    blocks = re.findall(r"```math\n(.*?)\n```", text, re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        plain = block.replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
        assert plain.count(r"\left") == plain.count(r"\right")
        assert plain.count(r"\begin") == plain.count(r"\end")


def test_everything_of_a_spec_is_shown():
    spec = envs.load("offload_paper")
    text = as_markdown(spec)
    for words in (spec.digest, "Auer et al\\. 2011", "winter evenings", "-174 dBm/Hz"):
        assert words.replace("\\.", ".") in text.replace("\\", "")
    for source in ("0.01 gCO₂e per s", "Formulas of the field"):
        assert (source in text) == (source != "Formulas of the field")


def test_equations_stand_after_what_they_are_made_of():
    spec = problem(
        equations={
            "late": {"unit": "1", "expr": "early + 1"},
            "early": {"unit": "1", "expr": "knob"},
        }
    )
    text = as_markdown(spec)
    assert text.index(r"\mathrm{early} = \mathrm{knob}") < text.index(r"\mathrm{late} = ")


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    r"$\input{/etc/passwd}$ \href{javascript:alert(1)}{x}",
    "``` \n# heading\n[link](http://example.org) ![](http://example.org/x.png)",
    "\u202egnp.exe \u2066\u200b",
    "a | b | c & d < e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_strangers_are_words_and_nothing_else(text):
    spec = problem(
        meta={"name": "tiny", "title": text, "summary": text, "sources": [text]},
        sets={"zone": [text, "other"]},
        parameters={"a": {"unit": "1", "index": ["zone"], "value": [1, 2], "source": text}},
        constraints={"kept": {"unit": "1", "expr": "knob - a[0]", "penalty": 1, "summary": text}},
    )
    page, document = as_page(spec), as_markdown(spec)
    assert "<script>" not in page and "<img" not in page
    assert "<" not in document.replace("$`", "") or "&#60;" in document
    for written in (page, document):
        assert not set("\u202e\u2066\u200b") & set(written)
    assert "\n# heading" not in document
    assert not re.search(r"(?<!\\)\]\(", document)
    # A label in a formula neither runs a command nor ends the block.
    for block in re.findall(r"```math\n(.*?)\n```", document, re.DOTALL):
        assert r"\input" not in block and r"\href" not in block
        assert "`" not in block


def show(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "benchmark", "show", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
    )


def test_show_prints_markdown_and_writes_what_the_name_says(tmp_path):
    printed = show("channels", cwd=tmp_path)
    assert printed.returncode == 0 and printed.stdout.startswith("# ")
    for name in ("a.md", "a.html"):
        done = show("channels", "--out", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.md").read_text() == printed.stdout
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("chanels",), "did you mean 'channels'"),
        (("nothing.yaml",), "no file"),
        (("channels", "--out", "a.pdf"), ".md or .html"),
        (("channels", "--out", "no/such/a.md"), "cannot write"),
        ((), "usage"),
    ],
)
def test_show_tells_in_a_line_what_it_cannot_do(tmp_path, arguments, words):
    done = show(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr


def test_mathml_spells_a_negative_power_of_ten():
    assert mathml(Formulas(Names(problem())).formula(parse("-2.5e-3 * knob")))
    assert "<mo>−</mo><mn>0.0025</mn>" in mathml(
        Formulas(Names(problem())).formula(parse("-2.5e-3 * knob"))
    )

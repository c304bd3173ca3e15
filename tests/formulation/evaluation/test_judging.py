import json
import subprocess
import sys

import pytest

from envs.formulation.evaluation.components import components
from envs.formulation.evaluation.funnel import STAGES, passage
from envs.formulation.evaluation.judging import judged
from envs.formulation.evaluation.scenarios import FOLDER, reference, scenarios
from envs.formulation.transcript import TranscriptError

SPEC = (FOLDER / "sensor" / "reference.yaml").read_text()
ANSWER = f"```yaml\n{SPEC}\n```"


def through(answer: str, determined: bool = True):
    return passage(answer, reference("sensor"), determined)


def recording(path, *answers, request=None, sources=(), tokens=None):
    asked = next(s for s in scenarios() if s.name == "sensor-clear").request
    data = {
        "format": 1,
        "opening": {
            "request": request or asked,
            "chunks": [
                {"id": f"{s}#{n}", "source": "a paper", "title": "", "text": "", "score": 1.0}
                for n, s in enumerate(sources)
            ],
            "system": "",
            "prompt": "",
        },
        "attempts": [
            {
                "prompt": "",
                "answer": a,
                "diagnostics": [],
                "prompt_tokens": tokens,
                "answer_tokens": tokens,
            }
            for a in answers
        ],
        "model": "unknown",
        "provider": "files",
        "date": "2026-01-01",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def test_the_reference_itself_passes_every_stage():
    assert through(ANSWER).passed == STAGES


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("decisions:", "choices:", 0),
        ("ci_mains * backup * time_step", "backup * time_step", 1),
        ("ci_mains * backup * time_step", "ci_mains * backups * time_step", 2),
        ("penalty: 0.03", "penalty: 0.3", 4),
    ],
)
def test_an_answer_gets_as_far_as_it_is_right(old, new, stages):
    found = through(ANSWER.replace(old, new))
    assert found.passed == STAGES[:stages]
    assert found.reason


def test_prose_is_no_spec():
    assert through("I am afraid I cannot do that.").passed == ()


def test_an_underspecified_request_is_not_asked_for_the_one_answer():
    found = through(ANSWER.replace("penalty: 0.03", "penalty: 0.3"), determined=False)
    assert found.passed == STAGES[:4]
    assert found.reason == ""


def test_right_parts_are_counted_though_the_whole_is_wrong():
    wrong = SPEC.replace("penalty: 0.03", "penalty: 0.3").replace("box: [0, 3]", "box: [0, 30]")
    found = components(reference("sensor").compiled(), through(wrong).problem.compiled())
    assert (found["constraints"].right, found["constraints"].reference) == (1, 2)
    assert (found["decisions"].right, found["decisions"].candidate) == (1, 2)
    assert found["states"].right == found["states"].reference == 1


def test_a_repaired_recording_has_two_verdicts_and_no_regret(tmp_path):
    broken = ANSWER.replace("decisions:", "choices:")
    notes = ("wind_harvesting", "pv_harvesting", "battery_wear", "queueing")
    verdict = judged(recording(tmp_path / "a.json", broken, ANSWER, sources=notes), "bm25")
    assert (verdict.first, verdict.last) == ((), STAGES)
    assert verdict.regret == pytest.approx(0, abs=1e-9)
    assert (verdict.precision, verdict.recall, verdict.reciprocal_rank) == (0.5, 0.5, 0.5)
    assert verdict.tokens is None and verdict.seconds is None and verdict.carbon_g is None


def test_deciding_in_a_wrong_problem_costs_regret(tmp_path):
    # Images that are never asked for: the answer's own rule sends none.
    wrong = ANSWER.replace('"wanted - sent", penalty: 0.03', '"wanted - sent", penalty: 0')
    wrong = wrong.replace('sent: "wanted"', "sent: \"'0 image'\"")
    verdict = judged(recording(tmp_path / "a.json", wrong), "none")
    assert verdict.regret > 0.05


def test_tokens_are_added_where_they_were_counted(tmp_path):
    assert judged(recording(tmp_path / "a.json", ANSWER, tokens=50), "none").tokens == 100


def test_a_recording_of_another_request_is_left_aside(tmp_path):
    assert judged(recording(tmp_path / "a.json", ANSWER, request="Something else."), "none") is None


def test_a_file_that_is_no_recording_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(TranscriptError, match="format 1"):
        judged(tmp_path / "a.json", "none")


def command(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "benchmark", "formulate-eval", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
    )


def test_the_command_writes_a_page_and_its_data(tmp_path):
    recording(tmp_path / "in" / "hybrid" / "a.json", ANSWER, sources=("pv_harvesting",))
    recording(tmp_path / "in" / "none" / "b.json", "no", ANSWER)
    done = command("--transcripts", "in", "--out", "page.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert "2 recorded formulations of 24 requests" in page
    assert "| hybrid | last | 1 | 1/1 | 1/1 | 1/1 | 1/1 | 1/1 |" in page
    assert "| none | first | 1 | 0/1 |" in page
    data = json.loads((tmp_path / "page.json").read_text())
    assert [v["retrieval"] for v in data["verdicts"]] == ["none", "hybrid"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--transcripts", "nowhere"), "no folder"),
        (("--transcripts",), "expected a path"),
        (("--out", "page.txt"), ".md"),
        (("--quickly",), "not understood"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_a_line(tmp_path, arguments, words):
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr

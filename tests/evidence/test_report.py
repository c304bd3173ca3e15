"""The report: what it shows, what it refuses to mix, and that it trusts no run folder."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchmarkError
from benchmark.report.boards import group
from benchmark.report.command import report
from benchmark.report.figures import pareto_front
from benchmark.report.reading import RunRecord, Skipped, read_runs
from benchmark.report.standings import leagues, paper_terms, standings
from tests.evidence.folders import change, make

HOSTILE = '</script><img src=x onerror="alert(1)">|`$[x](javascript:1)'


def write(root, out, *options):
    return report([str(root), "--out", str(out), *options])


def boards_of(root):
    return group([item for item in read_runs(root) if isinstance(item, RunRecord)])


def test_a_report_is_a_page_a_table_a_csv_and_figures_and_every_run_is_in_them(tmp_path):
    make(tmp_path / "runs", seeds=2)
    assert write(tmp_path / "runs", tmp_path / "out") == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"index.html", "results.md", "runs.csv", "notes.txt", "figures"}
    kinds = {path.suffix for path in (tmp_path / "out" / "figures").iterdir()}
    assert kinds == {".png", ".svg"}
    with (tmp_path / "out" / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 and {row["agent"] for row in rows} == {"gdm", "ppo"}
    page = (tmp_path / "out" / "index.html").read_text()
    for row in rows:
        assert f"../runs/{row['folder']}/" in page
    table = (tmp_path / "out" / "results.md").read_text()
    assert "**gdm**" in table and "oracle (certified)" in table and "exploratory" in table


def test_the_committed_sweep_is_what_its_tables_were_made_of(tmp_path):
    quick = Path(__file__).parents[2] / "docs" / "quick"
    assert write(quick / "runs", tmp_path, "--strict") == 0
    assert (tmp_path / "results.md").read_text() == (quick / "results.md").read_text()


def test_the_page_asks_nothing_of_the_network(tmp_path):
    make(tmp_path / "runs", seeds=1)
    write(tmp_path / "runs", tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", own)
    assert "default-src 'none'" in own and page.count("plotly.js v") <= 2


def test_a_corrupt_folder_is_named_and_skipped_and_only_strict_makes_it_an_error(tmp_path, capsys):
    folders = make(tmp_path / "runs", seeds=2)
    (folders[0] / "result.json").write_text('{"status": "do')
    (folders[1] / "manifest.json").unlink()
    (folders[2] / "learning_curve.csv").write_text("env_steps,seconds,objective_g\n1,x,2\n")
    assert write(tmp_path / "runs", tmp_path / "out") == 0
    told = capsys.readouterr()
    for folder in folders[:3]:
        assert f"skipped {folder}" in told.err
    assert "5 runs" in told.out
    assert write(tmp_path / "runs", tmp_path / "out", "--strict") == 1


def test_a_run_that_is_not_finished_is_left_out_by_name_and_no_error(tmp_path, capsys):
    folder = make(tmp_path / "runs", seeds=2)[0]
    (folder / "status.json").write_text('{"status": "failed", "message": "the loss is not finite"}')
    folder.rename(folder.with_name(folder.name + ".partial"))
    assert write(tmp_path / "runs", tmp_path / "out", "--strict") == 0
    assert "not finished: failed; the loss is not finite" in capsys.readouterr().err


@pytest.mark.parametrize(
    "broken",
    ["[]", '{"status": "done"}', "[" * 5_000, "\x00", '{"status": "done", "env": 3}', "1e999"],
)
def test_whatever_a_result_holds_it_is_skipped_with_a_reason(tmp_path, broken):
    folder = make(tmp_path, seeds=1)[0]
    (folder / "result.json").write_text(broken)
    (skipped,) = [item for item in read_runs(tmp_path) if isinstance(item, Skipped)]
    assert skipped.corrupt and "result.json" in skipped.reason


def test_a_folder_without_runs_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(BenchmarkError, match="there is no finished run"):
        write(tmp_path, tmp_path / "out")
    with pytest.raises(BenchmarkError, match="there is no folder"):
        write(tmp_path / "missing", tmp_path / "out")


def test_the_folder_may_be_given_as_hydra_has_it(tmp_path):
    make(tmp_path, seeds=1)
    assert report([f"results={tmp_path}"]) == 0
    assert (tmp_path / "report" / "index.html").is_file()
    assert report([f"results={tmp_path}"]) == 0  # the report of the first is no run of the second


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("digest", "other"),
        ("conditions", "other"),
        ("code_version", "other"),
        ("protocol", "v2"),
        ("reference_rows", {"random": {"objective_g": 7}}),
    ],
)
def test_runs_that_differ_in_what_counts_never_share_a_table(tmp_path, part, value):
    folders = make(tmp_path, seeds=2, problems=("irs",))
    change(folders[0], **{part: value})
    boards, notes = boards_of(tmp_path)
    assert sorted(board.runs for board in boards) == [1, 3]
    assert part == "protocol" or any("2 tables" in note for note in notes)


def test_an_agent_with_other_values_is_another_entrant(tmp_path):
    folders = make(tmp_path, seeds=2, problems=("irs",), agents=("gdm",))
    change(folders[0], agent_digest="f" * 16)
    (board,), notes = boards_of(tmp_path)
    assert len(board.entrants) == 2 and any("kept apart" in note for note in notes)


def test_the_same_seed_twice_is_counted_once_and_told(tmp_path):
    first, second = make(tmp_path, seeds=2, problems=("irs",), agents=("gdm",))
    change(second, seed=json.loads((first / "result.json").read_text())["seed"])
    (board,), notes = boards_of(tmp_path)
    assert len(board.entrants["gdm"].runs) == 1 and any("set aside" in note for note in notes)


def test_a_run_without_a_number_is_shown_and_averaged_with_nothing(tmp_path):
    folders = make(tmp_path, seeds=11, problems=("irs",), agents=("gdm",))
    change(folders[0], objective_g=float("nan"))
    (board,), notes = boards_of(tmp_path)
    ((standing,), _) = standings(board)
    assert len(standing.entrant.failed) == 1 and len(standing.points) == 10
    assert standing.exploratory and standing.rank is None
    assert any("not averaged" in note for note in notes)
    write(tmp_path, tmp_path / "out")
    assert "10 + 1 failed (exploratory)" in (tmp_path / "out" / "results.md").read_text()


def test_under_ten_seeds_there_is_no_rank_and_no_interval(tmp_path):
    make(tmp_path, seeds=9, problems=("irs",))
    (board,), _ = boards_of(tmp_path)
    found, pairs = standings(board)
    assert not pairs
    for standing in found:
        assert standing.exploratory and standing.rank is None
        assert standing.spread == (min(standing.points), max(standing.points))


def test_ten_seeds_have_an_interval_and_a_rank(tmp_path):
    make(tmp_path, seeds=10, problems=("irs",))
    (board,), _ = boards_of(tmp_path)
    best, worst = standings(board)[0]
    # The folders' ppo is well above their gdm.
    assert (best.entrant.label, best.rank, worst.rank) == ("ppo", 1, 2)
    assert best.spread is not None and best.spread[0] < best.gap_closed < best.spread[1]
    assert best.spread[1] - best.spread[0] < max(best.points) - min(best.points)


def test_where_seeds_are_too_few_for_the_comparisons_nobody_is_ranked_and_it_is_told(tmp_path):
    for number in range(4):  # eight agents, 28 comparisons
        for folder in make(tmp_path / "made", seeds=10, problems=("irs",)):
            place = folder.parent.with_name(f"{folder.parent.name}{number}")
            change(folder, agent=place.name)
            place = tmp_path / "all" / "irs" / place.name / folder.name
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(place)
    assert write(tmp_path / "all", tmp_path / "out") == 0
    (board,), _ = boards_of(tmp_path / "all")
    assert all(standing.rank is None for standing in standings(board)[0])
    assert "it takes 11 seeds" in (tmp_path / "out" / "notes.txt").read_text()


def test_a_reader_is_told_which_agents_had_the_gradients_of_the_simulation(tmp_path):
    folders = make(tmp_path / "runs", seeds=2, problems=("irs",))
    assert write(tmp_path / "runs", tmp_path / "without") == 0
    assert "gradients" not in (tmp_path / "without" / "notes.txt").read_text()
    for folder in folders:
        if folder.parent.name == "gdm":
            change(folder, agent="gdm_shac")
    assert write(tmp_path / "runs", tmp_path / "with") == 0
    for name in ("notes.txt", "results.md", "index.html"):
        text = (tmp_path / "with" / name).read_text().replace("\\_", "_")
        assert "gdm_shac: learnt through the gradients" in text


def test_over_problems_only_agents_that_ran_on_all_of_them_are_compared(tmp_path):
    make(tmp_path, seeds=2)
    make(tmp_path, seeds=2, problems=("irs",), agents=("sac",))
    boards, _ = boards_of(tmp_path)
    (league,) = leagues(boards)
    assert league.agents == ["ppo", "gdm"] and league.absent == ["sac"] and league.exploratory
    assert league.improvement["gdm", "ppo"] == pytest.approx(1 - league.improvement["ppo", "gdm"])


def test_the_papers_terms_are_the_share_of_ppos_j_that_is_saved(tmp_path):
    folders = make(tmp_path, seeds=1, problems=("irs",))
    for folder, objective in zip(folders, (90.0, 100.0), strict=True):
        change(folder, objective_g=objective, train_wh=2.0)
    (terms,) = paper_terms(boards_of(tmp_path)[0])
    assert (terms.agent, terms.seeds, terms.wh) == ("gdm", 1, 2.0)
    assert terms.reward_over_ppo == pytest.approx(0.1)


def test_names_from_a_stranger_stay_text(tmp_path):
    folders = make(tmp_path / "runs", seeds=1, problems=("irs",))
    change(folders[0], agent=HOSTILE)
    assert write(tmp_path / "runs", tmp_path / "out") == 0
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<img src=x" not in page and page.count("onerror=&#34;alert") > 0
    table = (tmp_path / "out" / "results.md").read_text()
    assert re.search(r"\\<img", table) and not re.search(r"(?<!\\)(<img|\]\(javascript)", table)
    with (tmp_path / "out" / "runs.csv").open() as file:
        assert HOSTILE in {row["agent"] for row in csv.DictReader(file)}


def test_a_formula_in_a_name_is_none_in_the_csv(tmp_path):
    folders = make(tmp_path / "runs", seeds=1, problems=("irs",))
    change(folders[0], agent="=1+1")
    write(tmp_path / "runs", tmp_path / "out")
    assert "'=1+1" in (tmp_path / "out" / "runs.csv").read_text()


def test_a_picture_that_is_none_is_not_embedded(tmp_path):
    folders = make(tmp_path / "runs", seeds=1, problems=("irs",))
    (folders[0] / "strategy.png").write_bytes(b"<svg onload=alert(1)>")
    (folders[1] / "strategy.png").symlink_to("/etc/hostname")
    write(tmp_path / "runs", tmp_path / "out")
    assert "<img" not in (tmp_path / "out" / "index.html").read_text().split("<script")[0]


def test_a_figure_that_is_missing_has_its_reason_beside_the_table(tmp_path):
    folders = make(tmp_path / "runs", seeds=1, problems=("irs",))
    for folder in folders:
        change(folder, gap_closed=None, reasons={"gap_closed": f"refused in {folder.name}"})
    (board,), _ = boards_of(tmp_path / "runs")
    assert len(board.entrants) == 2  # the words of a reason keep nobody apart
    write(tmp_path / "runs", tmp_path / "out")
    assert "gap closed: refused in seed0" in (tmp_path / "out" / "index.html").read_text()
    assert "gap closed: refused in seed0" in (tmp_path / "out" / "results.md").read_text()


def test_the_pareto_front_holds_what_nothing_is_below_in_both():
    points = [(0.0, 5.0), (1.0, 3.0), (1.0, 4.0), (2.0, 3.0), (3.0, 1.0), (4.0, 2.0)]
    assert pareto_front(points) == [(0.0, 5.0), (1.0, 3.0), (3.0, 1.0)]
    # Every point that is left out has one on the front that is no worse in either.
    front = np.array(pareto_front(points))
    for point in points:
        assert np.any(np.all(front <= point, axis=1))

"""Energy that is published is measured alone, and says so when it was not."""

from __future__ import annotations

import json
import time

import pytest

from benchmark import measure
from benchmark.load import Load, LoadMeter


def machine(monkeypatch, *busy: float) -> None:
    """Others keep the machine so busy: while it is watched, and while it is measured."""
    shares = iter(busy)

    class Meter:
        def read(self) -> Load:
            return Load(10.0, 0.0, 10.0 * next(shares), 1)

    monkeypatch.setattr(measure, "LoadMeter", Meter)
    monkeypatch.setattr(measure, "WATCH_S", 0.0)


def test_a_busy_machine_is_refused_and_nothing_is_written(run, command, monkeypatch):
    machine(monkeypatch, 0.4)
    code, _, err = command("measure", run)
    assert code == 1 and "others keep 40% of this machine busy" in err
    assert not (run / "measured.json").exists()


def test_an_idle_machine_gives_a_reading_with_its_method_or_null_with_a_reason(
    run, command, monkeypatch
):
    machine(monkeypatch, 0.0, 0.01)
    code, out, err = command("measure", run)
    assert code == 0, err
    measured = json.loads((run / "measured.json").read_text())
    assert measured["alone"] and measured["same_training"]
    if measured["wh"] is None:
        assert measured["reason"] in out and measured["gco2"] is None
    else:
        assert measured["method"] in out and measured["wh"] > 0
    assert measured["machine"]["cores"] and measured["versions"]["python"]


def test_company_during_the_measurement_is_marked(run, command, monkeypatch):
    machine(monkeypatch, 0.0, 0.3)
    code, _, _ = command("measure", run)
    measured = json.loads((run / "measured.json").read_text())
    assert code == 0
    assert not measured["alone"] and measured["others_share"] == pytest.approx(0.3)


def test_payback_follows_the_measured_carbon_and_is_null_without_it():
    stored = {"decisions": 100.0, "units": 4.0, "unit": "image", "against": "heuristic.x"}
    result = {"train_gco2": 2.0, "payback": stored}
    assert measure._payback(result, 3.0) == {**stored, "decisions": 150.0, "units": 6.0}
    assert measure._payback(result, None) is None
    assert measure._payback({"train_gco2": 2.0, "payback": {"decisions": None}}, 3.0) is None


def test_this_process_is_told_from_the_others():
    meter = LoadMeter()
    begun = time.process_time()
    while time.process_time() - begun < 0.3:
        sum(range(1000))
    load = meter.read()
    assert load.own_s >= 0.25 and load.busy_s >= load.own_s
    assert 0 < (load.own_share or 0) <= 1 and 0 <= load.others <= 1
    assert Load(1.0, 0.0, 0.0, 2).own_share is None
    assert Load(10.0, 5.0, 15.0, 2).others == pytest.approx(0.5)

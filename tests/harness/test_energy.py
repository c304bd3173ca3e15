"""What is measured is told from what is estimated, and what is missing is null."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmark import energy
from benchmark.energy import EnergyMeter, is_estimate, read

DATA = {
    "duration": 60.0,
    "energy_consumed": 0.002,
    "emissions": 0.0008,
    "cpu_energy": 0.0015,
    "gpu_energy": 0.0,
    "ram_energy": 0.0005,
}


def device(name: str, **attributes: str) -> object:
    return type(name, (SimpleNamespace,), {})(**attributes)


def test_a_counter_is_called_by_its_name():
    reading = read(DATA, [device("RAM"), device("CPU", _mode="intel_rapl")], "DEU", "cpu")
    assert reading.method is not None and reading.method.startswith("processor: RAPL")
    assert not is_estimate(reading.method)
    assert (reading.wh, reading.gco2) == pytest.approx((2.0, 0.8))
    assert reading.carbon_intensity_g_kwh == pytest.approx(400)


@pytest.mark.parametrize("mode", ["cpu_load", "constant"])
def test_an_estimate_is_called_one(mode):
    reading = read(DATA, [device("CPU", _mode=mode)], "DEU", "cpu")
    assert is_estimate(reading.method)
    assert "rated power" in str(reading.method)


def test_a_part_without_a_meter_is_null_and_not_zero():
    reading = read(DATA, [device("CPU", _mode="cpu_load")], "DEU", "cpu")
    assert reading.gpu_wh is None
    with_gpu = [device("CPU", _mode="cpu_load"), device("GPU")]
    assert "NVML" in str(read(DATA, with_gpu, "DEU", "cuda").method)


@pytest.mark.parametrize(
    ("changes", "hardware", "where", "reason"),
    [
        ({}, [device("RAM")], "cpu", "no meter for the processor"),
        ({}, [device("CPU", _mode="cpu_load")], "cuda", "no meter for the accelerator"),
        ({"energy_consumed": 0.0}, [device("CPU", _mode="cpu_load")], "cpu", "counted nothing"),
        ({"duration": 0.2}, [device("CPU", _mode="cpu_load")], "cpu", "too short"),
    ],
)
def test_a_reading_that_is_missing_is_null_with_a_reason(changes, hardware, where, reason):
    reading = read({**DATA, **changes}, hardware, "DEU", where)
    assert reading.wh is None and reading.gco2 is None and reading.method is None
    assert reason in str(reading.reason)


def test_a_meter_that_does_not_start_does_not_stop_the_run(monkeypatch):
    def broken(country, interval_s, mode):
        raise RuntimeError("no such file")

    monkeypatch.setattr(energy, "_start", broken)
    with EnergyMeter("DEU", 5.0, "cpu") as meter:
        ran = True
    assert ran
    assert meter.reading.wh is None
    assert "did not start" in str(meter.reading.reason)


def test_a_meter_that_breaks_at_the_end_gives_null(monkeypatch):
    class Broken:
        def stop(self):
            raise OSError("gone")

    monkeypatch.setattr(energy, "_start", lambda country, interval_s, mode: Broken())
    with EnergyMeter("DEU", 5.0, "cpu") as meter:
        pass
    assert meter.reading.wh is None
    assert "gave no reading" in str(meter.reading.reason)


def test_a_counter_is_apportioned_by_the_runs_share_and_an_estimate_is_not():
    counter = [device("CPU", _mode="intel_rapl")]
    half = read(DATA, counter, "DEU", "cpu", share=0.5)
    # Half of the processor's 1.5 Wh, all of the memory's 0.5 Wh.
    assert half.wh == pytest.approx(1.25) and half.cpu_wh == pytest.approx(0.75)
    assert half.gco2 == pytest.approx(0.8 * 1.25 / 2.0)
    assert half.own_share == 0.5 and "50% of the busy processor time" in str(half.method)
    estimate = read(DATA, [device("CPU", _mode="cpu_load")], "DEU", "cpu", share=0.5)
    assert estimate.wh == pytest.approx(2.0)

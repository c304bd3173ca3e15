"""Files are read as their publishers ship them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from envs.spec.diagnostics import Finding
from envs.traces import read_file, read_series, read_sessions, whole_days
from envs.traces.humid_air import wet_bulb_c
from envs.traces.series import Series
from tests.language import tiny
from tests.traces import files

DAYS = files.carbon_of_days(3)


def refused(data: bytes, column: str | None = None, interval_s: int | None = None) -> Finding:
    with pytest.raises(Finding) as caught:
        read_series(data, column, interval_s)
    return caught.value


def test_the_life_cycle_intensity_is_meant_unless_another_is_named() -> None:
    data = files.carbon(DAYS).encode()
    assert np.array_equal(read_series(data).values, DAYS)
    assert np.array_equal(read_series(data, "life_cycle").values, DAYS)
    assert np.allclose(read_series(data, "direct").values, DAYS / 2)
    heading = "Carbon Intensity gCO₂eq/kWh (LCA)"
    assert np.array_equal(read_series(data, heading).values, DAYS)
    series = read_series(data)
    assert (series.interval_s, series.first_s, series.utc) == (3600, 0, True)
    assert series.unit == "gCO2e/kWh"


@pytest.mark.parametrize("newer", ["(Life cycle)", "(life-cycle)"])
def test_other_spellings_of_the_publisher_are_known(newer: str) -> None:
    text = files.carbon(DAYS).replace("(LCA)", newer)
    assert np.array_equal(read_series(text.encode(), "life_cycle").values, DAYS)


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm() -> None:
    text = "\ufeff" + files.carbon(DAYS).replace("\n", "\r\n")
    assert np.array_equal(read_series(text.encode()).values, DAYS)


def test_short_gaps_are_bridged_and_long_ones_refused() -> None:
    rows = files.carbon(DAYS).splitlines()
    without = "\n".join(rows[:10] + rows[13:])
    assert np.allclose(
        read_series(without.encode()).values[9:12], np.linspace(100.08, 100.12, 5)[1:4]
    )
    empty = "\n".join([*rows[:5], rows[5].replace(",100.04,", ",,"), *rows[6:]])
    assert read_series(empty.encode()).values[4] == pytest.approx(100.04)
    found = refused("\n".join(rows[:10] + rows[17:]).encode())
    assert "six hours" in found.expected


def test_rows_out_of_order_or_between_are_refused() -> None:
    rows = files.carbon(DAYS).splitlines()
    swapped = "\n".join([rows[0], rows[2], rows[1], *rows[3:]])
    assert "order" in refused(swapped.encode()).expected
    assert "order" in refused("\n".join([*rows[:4], *rows[3:]]).encode()).expected
    assert "7200" in refused(files.carbon(DAYS).encode(), interval_s=7200).expected


def test_weather_has_the_columns_of_the_data_dictionary() -> None:
    hours = np.arange(48.0)
    data = files.weather(10 + hours / 10, 50 + hours / 10, hours).encode()
    dry = read_series(data, "dry_bulb")
    assert np.allclose(dry.values, 10 + hours / 10)
    assert (dry.unit, dry.utc, dry.first_s) == ("degC", False, 0)
    assert np.allclose(read_series(data, "humidity").values, 50 + hours / 10)
    assert read_series(data, "humidity").unit == "percent"
    assert np.allclose(read_series(data, "irradiance").values, hours)
    assert np.all(read_series(data, "pressure").values == 101325)
    assert "wet_bulb" in refused(data).expected
    assert "wet_bulb" in refused(data, "pressure_of_time").expected


def test_codes_of_missing_weather_are_gaps() -> None:
    dry = np.full(24, 10.0)
    dry[5] = 99.9
    assert np.all(read_series(files.weather(dry, dry + 40).encode(), "dry_bulb").values == 10)


@pytest.mark.parametrize(
    # Computed with PsychroLib 2.5 at 101,325 Pa.
    ("dry", "humidity", "wet"),
    [(30, 0.5, 22.005), (25, 0.5, 17.889), (20, 1.0, 20.0), (35, 0.2, 18.870), (0.01, 0.5, -2.966)],
)
def test_wet_bulb_is_as_an_independent_program_has_it(
    dry: float, humidity: float, wet: float
) -> None:
    found = wet_bulb_c(np.array([dry]), np.array([humidity]), np.array([101325.0]))
    assert found[0] == pytest.approx(wet, abs=0.002)


def test_wet_bulb_agrees_with_the_published_fit() -> None:
    # Stull 2011, Journal of Applied Meteorology and Climatology 50, within 0.65 K at sea level.
    t, rh = np.meshgrid(np.arange(0.0, 41, 5), np.arange(20.0, 100, 10))
    stull = t * np.arctan(0.151977 * np.sqrt(rh + 8.313659)) + np.arctan(t + rh)
    stull += 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh) - np.arctan(rh - 1.676331) - 4.686035
    found = wet_bulb_c(t, rh / 100, np.full_like(t, 101325.0))
    assert np.abs(found - stull).max() < 1.0


def test_wet_bulb_agrees_with_psychrolib_from_frost_to_desert() -> None:
    psychrolib = pytest.importorskip("psychrolib", reason="psychrolib is not installed")
    psychrolib.SetUnitSystem(psychrolib.SI)
    for dry in np.arange(-20.0, 46, 5):
        for humidity in (0.02, 0.1, 0.2, 0.5, 0.8, 0.99):
            for pressure in (85000.0, 101325.0):
                theirs = psychrolib.GetTWetBulbFromRelHum(dry, humidity, pressure)
                ours = wet_bulb_c(np.array([dry]), np.array([humidity]), np.array([pressure]))
                assert ours[0] == pytest.approx(theirs, abs=0.001)


@pytest.mark.parametrize("dry", [-15.0, 8.0, 21.0, 39.0])
@pytest.mark.parametrize("humidity", [0.1, 0.6, 1.0])
def test_a_weather_file_and_the_language_have_one_wet_bulb(dry: float, humidity: float) -> None:
    text = f"(wet_bulb(from_celsius({dry}), {humidity}, '95000 Pa') - from_celsius(0)) / '1 K'"
    node = tiny.problem(equations={"probe": {"unit": "1", "expr": text}}).compiled()
    value = node.named["probe"][0].value
    assert value is not None
    (ours,) = wet_bulb_c(np.array([dry]), np.array([humidity]), np.array([95000.0]))
    assert float(value[0]) == pytest.approx(ours, abs=0.002)


def test_a_plain_table_has_one_column_or_a_named_one() -> None:
    load = np.linspace(0.2, 0.8, 30)
    series = read_series(files.plain(load).encode())
    assert np.allclose(series.values, load)
    assert (series.interval_s, series.unit, series.utc) == (3600, None, False)
    assert np.allclose(read_series(files.plain(load).encode(), "CPU_Load").values, load)
    two = "a,b\n" + "\n".join(f"{i},{i + 1}" for i in range(9))
    assert np.array_equal(read_series(two.encode(), "b").values, np.arange(1, 10))
    assert "column" in refused(two.encode()).expected
    assert refused(two.encode(), "c").code == "bad-trace"


def test_a_dated_table_says_its_own_interval_and_clock() -> None:
    rows = ["time,x"] + [
        f"2024-03-0{1 + i // 96}T{i // 4 % 24:02}:{i % 4 * 15:02}Z,{i}" for i in range(192)
    ]
    series = read_series("\n".join(rows).encode())
    assert (series.interval_s, series.utc, series.first_s) == (900, True, 60 * 86400)


@pytest.mark.parametrize("value", ["1e999", "abc", "0x10", "1_0", "٣", "inf"])
def test_what_is_no_number_is_refused_by_its_row(value: str) -> None:
    text = files.plain(np.ones(9)).replace("4,1.0", f"4,{value}")
    found = refused(text.encode())
    assert "row 5" in found.actual
    assert value not in str(found)


def test_sessions_are_read_in_local_time(tmp_path: Path) -> None:
    rows = [
        ("2019-05-04 08:00:00-07:00", "2019-05-04 10:00:00-07:00", 20, 10.0),
        ("2019-05-03 18:00:00-07:00", "2019-05-04 06:00:00-07:00", 9, 8.0),
    ]
    path = files.write(tmp_path / "acn.csv.gz", files.sessions(rows))
    found = read_sessions(path)
    assert found.arrival_h.tolist() == [18, 8]
    assert found.stay_h.tolist() == [12, 2]
    assert found.delivered_kwh.tolist() == [8, 10]
    assert found.requested_kwh.tolist() == [9, 20]
    assert found.weekend.tolist() == [False, True]


def test_sessions_are_read_as_the_network_itself_gives_them(tmp_path: Path) -> None:
    item = {
        "connectionTime": "Fri, 03 May 2019 15:00:00 GMT",
        "disconnectTime": "Fri, 03 May 2019 17:30:00 GMT",
        "kWhDelivered": 7.5,
        "timezone": "America/Los_Angeles",
        "userInputs": [{"kWhRequested": 10}],
    }
    document = {"_meta": {}, "_items": [item, {**item, "userInputs": None}]}
    found = read_sessions(files.write(tmp_path / "acn.json", json.dumps(document)))
    assert found.arrival_h.tolist() == [8, 8]
    assert found.stay_h.tolist() == [2.5, 2.5]
    assert found.delivered_kwh.tolist() == [7.5, 7.5]
    assert found.requested_kwh[0] == 10 and np.isnan(found.requested_kwh[1])
    series = read_series(json.dumps(document).encode(), "connected", 3600)
    assert series.values[7:12].tolist() == [0, 2, 2, 1, 0]


def test_a_zip_with_one_series_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.zip"
    text = files.weather(np.full(48, 10.0), np.full(48, 50.0))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("site.epw", text)
        archive.writestr("site.ddy", "another")
    assert read_file(path) == text.encode()


def test_sessions_come_to_vehicles_arrivals_and_energy() -> None:
    rows = [
        ("2019-05-03 08:00:00-07:00", "2019-05-03 10:00:00-07:00", 20, 10.0),
        ("2019-05-03 09:30:00-07:00", "2019-05-03 12:00:00-07:00", 20, 5.0),
    ]
    data = files.sessions(rows).encode()
    hourly = {c: read_series(data, c, 3600).values for c in ("connected", "arrivals", "energy")}
    assert hourly["connected"][7:13].tolist() == [0, 1, 1.5, 1, 1, 0]
    assert hourly["arrivals"][8:10].tolist() == [1, 1]
    assert hourly["energy"].sum() == pytest.approx(15)
    assert len(read_series(data, "connected").values) == 96


def test_steps_hold_or_average_so_that_the_mean_is_kept() -> None:
    series = Series(np.arange(72.0), 3600)
    fine, day = whole_days(series, 300)
    assert (len(fine), day) == (3 * 288, 0)
    assert np.array_equal(fine, np.repeat(np.arange(72.0), 12))
    coarse, _ = whole_days(series, 7200)
    assert np.allclose(coarse, np.arange(72.0).reshape(-1, 2).mean(axis=1))
    odd, _ = whole_days(series, 2700)
    assert odd.mean() == pytest.approx(series.values.mean())


def test_a_clock_apart_moves_the_days() -> None:
    series = Series(np.arange(72.0), 3600, utc=True)
    rows, day = whole_days(series, 3600, offset_s=3600)
    assert (rows[0], day, len(rows)) == (23, 1, 48)
    rows, day = whole_days(series, 3600, offset_s=-8 * 3600)
    assert (rows[0], day, len(rows)) == (8, 0, 48)


def test_a_recording_tells_when_it_was() -> None:
    series = read_series(files.carbon(DAYS, start="2023-03-01").encode(), "day_of_year")
    assert np.array_equal(np.floor(series.values), np.repeat([59, 60, 61], 24))
    site = files.weather(np.ones(48), np.full(48, 50.0)).encode()
    assert np.array_equal(np.floor(read_series(site, "day_of_year").values), np.repeat([0, 1], 24))
    refused(files.plain(np.ones(30)).encode(), "day_of_year")

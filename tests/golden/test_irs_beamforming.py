"""Phases for four users, written again in complex numbers; the precoder and bounds, proven."""

import numpy as np
import pytest
from scipy.optimize import minimize

import envs
from envs.oracle import irs_phases
from envs.oracle.irs_channel import Moments, Price, moments
from tests.golden.played import Played, play

ROWS = 30
NOISE_W = 6.31e-13


@pytest.fixture(scope="module")
def problem() -> envs.Problem:
    return envs.load("irs_beamforming")


@pytest.fixture(scope="module")
def played() -> Played:
    return play("irs_beamforming", ROWS, ("phase",))


def feed() -> np.ndarray:
    """From eight antennas to 64 elements: line of sight and two walls, ``(antenna, row, col)``."""
    m, r, c = np.meshgrid(np.arange(8), np.arange(8), np.arange(8), indexing="ij")
    paths = zip(
        (0.7, 0.15, 0.15),
        (0, 1.9, 4.4),
        (0.707, -0.2, 0.35),
        (-0.707, -0.3, 0.45),
        (0.07, -0.1, -0.2),
        strict=True,
    )
    return np.asarray(
        sum(
            np.sqrt(w) * np.exp(1j * (np.pi * (s * m + u * c + v * r) + angle))
            for w, angle, s, u, v in paths
        )
    )


def channel(played: Played, t: int) -> np.ndarray:
    """Channels of a step, ``(batch, user, antenna)``."""
    p = {name: path[t] for name, path in played.scenarios.paths.items()}
    s, d = played.scenarios.parameters, played.decisions[t]
    x = np.clip(s["start_x"] + s["speed"] * t, 30, 90)
    y = s["start_y"]
    blocked = np.where(p["blocked"] > 0.5, 0.01, 1.0)
    direct = 4.677e-5 * np.hypot(x - 20, y - 40) ** -3.1 * blocked
    h = np.sqrt(direct)[:, :, None] * (p["fading"][:, 0] + 1j * p["fading"][:, 1]).swapaxes(1, 2)
    far, fed = np.sqrt((x - 60) ** 2 + y**2 + 4.5**2), np.hypot(40, 40)
    gain = 4.677e-5**2 * fed**-2.2 * far**-2.8 * np.pi**2 * (40 / fed) * (y / far)
    r, c = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    wave = lambda u, v: np.exp(1j * np.pi * (u[..., None, None] * c + v[..., None, None] * r))  # noqa: E731
    scatter = p["scatter"][:, 0] + 1j * p["scatter"][:, 1]
    arriving = np.sqrt(3 / 4) * wave((x - 60) / far, -4.5 / far) + np.sqrt(1 / 8) * np.einsum(
        "bks,bksrc->bkrc", scatter, wave(s["scatter_u"], s["scatter_v"])
    )
    turned = arriving * np.exp(1j * d["phase"])[:, None]
    return np.asarray(h + np.sqrt(gain)[..., None] * np.einsum("mrc,bkrc->bkm", feed(), turned))


def least_power(rows: np.ndarray, sinr: np.ndarray) -> tuple[float, np.ndarray]:
    """The fixed point of the dual uplink, to the end; noise is 1."""
    power = np.zeros(len(sinr))
    for _ in range(4000):
        before = power
        whole = np.eye(rows.shape[1]) + np.einsum("k,km,kn->mn", power, rows.conj(), rows)
        own = np.einsum("km,mn,kn->k", rows, np.linalg.inv(whole), rows.conj()).real
        power = sinr / (own / (1 - power * own))
        if np.allclose(power, before, rtol=1e-13):
            break
    return float(power.sum()), power


def test_carbon_and_missing_bits_follow_from_the_channels(played: Played) -> None:
    s = played.scenarios.parameters
    means = np.array([367, 187, 261, 488, 749, 702]) / 3.6e6
    ci = s["ci_level"] * means[s["zone_now"].astype(int)]
    sinr = 2 ** s["efficiency"] - 1
    for t in (0, 4, 9):
        h = channel(played, t) / np.sqrt(NOISE_W)
        info = played.info[t]
        need = np.array([least_power(h[b], sinr[b])[0] for b in range(ROWS)])
        sound = need < 15  # beyond, single powers may be cut
        power = np.minimum(need, 6.3)
        energy = 2.6 * power
        share = 6.3 / np.maximum(need, 6.3)
        lost = 20e6 * np.log2((1 + sinr) / (1 + share[:, None] * sinr)).sum(axis=1)
        # Six rounds of the fixed point leave the power within 0.1 % of the least.
        np.testing.assert_allclose(info["energy_j"], energy, rtol=1e-3)
        assert (info["energy_j"] >= energy * (1 - 1e-6)).all()
        np.testing.assert_allclose(info["carbon_g"], ci * info["energy_j"], rtol=1e-9)
        np.testing.assert_allclose(
            info["penalty_g"][sound], (5e-10 * lost)[sound], rtol=2e-2, atol=1e-7
        )


def test_carbon_is_energy_at_the_reported_intensity(played: Played) -> None:
    total = played.episode
    carbon = total["metric.intensity"] * total["metric.energy"] / 3.6e6
    np.testing.assert_allclose(total["carbon_g"], carbon, rtol=1e-9)


def random_rows(rng: np.random.Generator, users: int = 4) -> np.ndarray:
    """Channels of very different strength."""
    shape = (users, 8)
    strength = 10 ** rng.uniform(-0.5, 1, (users, 1))
    return np.asarray(strength * (rng.normal(size=shape) + 1j * rng.normal(size=shape)))


PRICE = Price(2.6, 6.3, 1e6, 20e6, 0.0)


def test_the_precoder_attains_every_rate_with_the_least_power() -> None:
    """Beams along the uplink's receivers meet every SINR in the downlink with the same power."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows, sinr = random_rows(rng), rng.uniform(1, 20, 4)
        total, power = least_power(rows, sinr)
        whole = np.eye(8) + np.einsum("k,km,kn->mn", power, rows.conj(), rows)
        beams = np.linalg.inv(whole) @ rows.conj().T
        beams /= np.linalg.norm(beams, axis=0)
        cross = abs(rows @ beams) ** 2
        downlink = np.linalg.solve(np.diag(np.diag(cross) * (1 + 1 / sinr)) - cross, np.ones(4))
        assert (downlink > 0).all()
        assert downlink.sum() == pytest.approx(total, rel=1e-6)
        found = irs_phases.needed_power(PRICE, rows[None], sinr[None])[0]
        assert total * (1 - 1e-6) <= found <= total * 1.002


def test_a_general_solver_finds_no_cheaper_beams() -> None:
    rng = np.random.default_rng(1)
    rows, sinr = random_rows(rng, 2)[:, :3], np.array([3.0, 7.0])

    def beams(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[:6] + 1j * x[6:]).reshape(3, 2)

    def slack(x: np.ndarray) -> np.ndarray:
        cross = abs(rows @ beams(x)) ** 2
        own = np.diag(cross)
        return np.asarray(own / sinr - (cross.sum(axis=1) - own) - 1)

    start = np.linalg.pinv(rows) * np.sqrt(sinr)
    found = minimize(
        lambda x: x @ x,
        np.r_[start.real.ravel(), start.imag.ravel()],
        constraints={"type": "ineq", "fun": slack},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert found.fun == pytest.approx(least_power(rows, sinr)[0], rel=1e-4)


def test_one_user_on_a_rank_one_link_has_a_closed_form_and_the_bound_attains_it() -> None:
    """Align every element to the direct path, then transmit along the channel."""
    rng = np.random.default_rng(2)
    steer = np.exp(1j * np.pi * 0.3 * np.arange(8))
    to_elements = np.exp(1j * np.pi * -0.5 * np.arange(64))
    link = np.outer(steer, to_elements)
    shape = (6, 1, 8)
    direct = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    hops = 0.05 * (rng.normal(size=(6, 1, 64)) + 1j * rng.normal(size=(6, 1, 64)))
    m = Moments(direct, hops, np.full((6, 1), 7.0), np.ones(6))
    aligned = abs(steer.conj() @ direct[:, 0].T) / np.sqrt(8)
    summed = np.sqrt(8) * abs(hops[:, 0]).sum(axis=1)
    rest = (abs(direct[:, 0]) ** 2).sum(axis=1) - aligned**2
    closed = 7 / ((aligned + summed) ** 2 + rest)
    reflection = irs_phases.beside_direct(link, m, np.ones((6, 1)))
    need = irs_phases.needed_power(PRICE, irs_phases.channels(link, m, reflection), m.sinr)
    np.testing.assert_allclose(need, closed, rtol=1e-6)
    free = Price(1.0, 1e6, 1e6, 20e6, 0.0)
    bound = irs_phases.lower_bound(free, link, m, np.angle(reflection))
    np.testing.assert_allclose(bound, closed, rtol=1e-6)


def test_no_phases_undercut_the_bound(problem: envs.Problem) -> None:
    some = np.arange(1)
    found = irs_phases.solve(problem, "test", some)
    assert (found["certified"] <= found["best_known"]).all()
    price, link, m = moments(problem, "test", some)
    rng = np.random.default_rng(3)
    bound = irs_phases.lower_bound(price, link, m, rng.uniform(-3, 3, (10, 64)))
    for _ in range(20):
        phases = np.exp(1j * rng.uniform(-np.pi, np.pi, (10, 64)))
        need = irs_phases.needed_power(price, irs_phases.channels(link, m, phases), m.sinr)
        assert (price.cost(need, m) >= bound).all()


def test_starts_far_apart_descend_to_the_same_power(problem: envs.Problem) -> None:
    """Continuous phases are not called multimodal: see the page of the problem."""
    price, link, m = moments(problem, "train", np.arange(1))
    rng = np.random.default_rng(4)
    needs = []
    for _ in range(3):
        start = rng.uniform(-np.pi, np.pi, (10, 64))
        found = irs_phases.descend(price, link, m, start, 200)
        needs.append(
            irs_phases.needed_power(price, irs_phases.channels(link, m, np.exp(1j * found)), m.sinr)
        )
    assert (np.ptp(needs, axis=0) / np.min(needs, axis=0)).mean() < 0.05


def test_missing_bits_cost_more_than_the_power_that_would_send_them(problem: envs.Problem) -> None:
    """At full power, in the dirtiest grid, for the one user that takes all of it."""
    dearest = 1.3 * 749 / 3.6e6
    slope_w_per_mbit = 6.3 * np.log(2) * 2**4.5 / (2**4.5 - 1) / 20
    penalty = next(c for c in problem.compiled("test").constraints if c.name == "missing")
    assert penalty.penalty_g > dearest * 2.6 * slope_w_per_mbit

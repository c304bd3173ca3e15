"""The Gymnasium skins: many environments as one array, and a single one as a batch of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.compiler.decisions import to_action
from envs.problem import Problem
from envs.simulation.batch import BatchSimulation, State, to_numpy
from envs.simulation.stored import from_arrays, to_arrays
from envs.spec.diagnostics import nearest

FloatArray = NDArray[np.float64]


def observation_space(problem: Problem) -> gymnasium.spaces.Box:
    """Entries are scaled to about [-1, 1], without a hard limit."""
    return gymnasium.spaces.Box(-np.inf, np.inf, (problem.compiled().observation_size,), np.float32)


def action_space(problem: Problem) -> gymnasium.spaces.Box:
    """Every agent acts in the same box; bounds, logarithms and simplexes are applied inside."""
    return gymnasium.spaces.Box(-1.0, 1.0, (problem.compiled().action_size,), np.float32)


def heuristic_actions(
    problem: Problem, simulation: BatchSimulation, name: str
) -> NDArray[np.float32]:
    """What a heuristic of the spec does now, ``(batch, action_size)`` in [-1, 1]."""
    compiled = simulation.compiled
    if name not in compiled.heuristics:
        raise ValueError(
            f"{problem.name} has no heuristic '{name}'; {nearest(name, compiled.heuristics)}"
        )
    wanted = compiled.heuristics[name]
    values = simulation.values(list(wanted.values()))
    actions = np.empty((compiled.action_size, simulation.batch))
    for plan, node, value in zip(compiled.decisions, wanted.values(), values, strict=True):
        wide = (*compiled.graph.sizes(plan.node.index), simulation.batch)
        physical = np.broadcast_to(compiled.graph.aligned(node, value, plan.node.index), wide)
        actions[plan.offset : plan.offset + plan.count] = to_action(plan, physical).reshape(
            plan.count, -1
        )
    return actions.T.astype(np.float32)


_CACHE_LINE = 16
"""Values of four bytes in a line of the processor's cache."""


class LastStep:
    """The step just taken, kept so that it can be looked into after the simulation has moved on."""

    def __init__(self, simulation: BatchSimulation) -> None:
        """Look at steps of a simulation."""
        self._simulation = simulation
        self._moment: tuple[State, Any] | None = None
        self._replay: BatchSimulation | None = None
        self._replayed: State | None = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy looks for itself."""
        return {**self.__dict__, "_replay": None, "_replayed": None}

    def before(self, actions: Any) -> None:
        """Remember the moment before a step, and what is about to be done."""
        self._moment = self._simulation.clone_state(), np.array(actions)

    def forget(self) -> None:
        """There is no last step."""
        self._moment = None

    def quantities(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Named quantities of the step, ``(batch, *index)`` in their declared units.

        Raises:
            gymnasium.error.ResetNeeded: No step was taken yet.
            KeyError: There is no such name.
        """
        if self._moment is None:
            raise gymnasium.error.ResetNeeded("take a step before looking at its quantities")
        before, actions = self._moment
        simulation = self._simulation
        if self._replay is None:
            self._replay = BatchSimulation(simulation.compiled, simulation.batch, simulation.split)
        if self._replayed is not before:
            self._replay.set_state(before)
            self._replay.decide(actions)
            self._replayed = before
        named = simulation.compiled.named
        values = self._replay.values([named[name][0] for name in names])
        result: dict[str, FloatArray] = {}
        for name, value in zip(names, values, strict=True):
            wide = np.broadcast_to(value, (*value.shape[:-1], simulation.batch))
            result[name] = np.moveaxis(wide, -1, 0) / named[name][1].factor
        return result


class ProblemVectorEnv(
    gymnasium.vector.VectorEnv[NDArray[np.float32], NDArray[np.float32], NDArray[Any]]
):
    """Many scenarios of a problem as one vector environment.

    Episodes run in lock step and reset in the step that ends them (`AutoresetMode.SAME_STEP`).
    """

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        problem: Problem,
        num_envs: int = 1,
        split: str = "train",
        seed: int = 0,
        reward_scale: float = 1.0,
        backend: str = "numpy",
        device: str = "cpu",
    ) -> None:
        """Make the environment.

        Args:
            problem: What is simulated.
            num_envs: Scenarios simulated together.
            split: ``train``, ``validation``, ``test`` or ``ood``.
            seed: Which scenarios of the split are met first.
            reward_scale: Grams that make a reward of -1.
            backend: ``numpy`` or ``torch``.
            device: Of the torch backend.
        """
        self.problem, self.num_envs, self.reward_scale = problem, num_envs, reward_scale
        self.single_observation_space = observation_space(problem)
        self.single_action_space = action_space(problem)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.simulation = BatchSimulation(
            problem.compiled(split), num_envs, split, seed, backend, device
        )
        shape = len(problem.observation_names), num_envs + _CACHE_LINE
        self._narrow = np.empty(shape, dtype=np.float32)
        self._last = LastStep(self.simulation)
        self._started = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin new episodes in all environments.

        Args:
            seed: Start at the scenarios of this seed.
            options: ``{"scenarios": numbers (num_envs,)}`` names the scenarios.
        """
        first = seed[0] if isinstance(seed, list) else seed
        super().reset(seed=first)
        if first is not None:
            self.simulation.seed(first)
        self.simulation.reset(None if options is None else options.get("scenarios"))
        self._last.forget()
        self._started = True
        return self._observation(), {}

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[
        NDArray[np.float32], FloatArray, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
    ]:
        """Act in all environments; ``actions`` is ``(num_envs, action_size)``."""
        if not self._started:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        simulation = self.simulation
        self._last.before(actions)
        done = simulation.step(actions)
        carbon, penalty = to_numpy(simulation.carbon_g), to_numpy(simulation.penalty_g)
        info: dict[str, Any] = {
            "carbon_g": carbon,
            "penalty_g": penalty,
            "energy_j": to_numpy(simulation.energy_j),
            "cost": to_numpy(simulation.cost).T,
        }
        if done:
            info["final_obs"] = self._observation()
            info["totals"] = {name: to_numpy(value) for name, value in simulation.episode().items()}
            simulation.reset()
        reward = -(carbon + penalty) / self.reward_scale
        terminated = np.full(self.num_envs, done)
        return self._observation(), reward, terminated, np.zeros(self.num_envs, dtype=bool), info

    def _observation(self) -> NDArray[np.float32]:
        # The simulation's layout has the batch last. It is narrowed before it is transposed, into
        # rows with a gap: of rows a power of two apart a column falls into few lines of the cache.
        narrow = self._narrow[:, : self.num_envs]
        narrow[...] = to_numpy(self.simulation.observation).T
        return np.ascontiguousarray(narrow.T)

    def heuristic_actions(self, name: str) -> NDArray[np.float32]:
        """What a heuristic of the spec does now, ``(num_envs, action_size)``."""
        return heuristic_actions(self.problem, self.simulation, name)

    def quantities(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Named quantities of the step just taken, ``(num_envs, *index)``, in declared units."""
        return self._last.quantities(names)

    def clone_state(self) -> State:
        """A copy of this moment."""
        return self.simulation.clone_state()

    def set_state(self, state: State) -> None:
        """Return to a moment of this or an equal environment."""
        self.simulation.set_state(state)
        self._started = True

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """This moment as plain arrays, to be kept on disk."""
        return to_arrays(self.simulation.clone_state())

    def set_state_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Return to the moment that ``state_arrays`` gave."""
        self.set_state(from_arrays(self.simulation, arrays))


class ProblemEnv(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """One scenario at a time: a batch of one."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self, problem: Problem, split: str = "train", seed: int = 0, reward_scale: float = 1.0
    ) -> None:
        """Make the environment; see `ProblemVectorEnv` for the arguments."""
        self.problem, self.reward_scale = problem, reward_scale
        # Gymnasium types spaces by the exact dtype, which Box does not tell.
        self.observation_space = observation_space(problem)  # type: ignore[assignment]
        self.action_space = action_space(problem)  # type: ignore[assignment]
        self.simulation = BatchSimulation(problem.compiled(split), 1, split, seed)
        self._last = LastStep(self.simulation)
        self._running = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode; ``options={"scenario": number}`` names the scenario."""
        super().reset(seed=seed)
        if seed is not None:
            self.simulation.seed(seed)
        scenario = None if options is None else options.get("scenario")
        self.simulation.reset(None if scenario is None else np.array([scenario]))
        self._last.forget()
        self._running = True
        return self._observation(), {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Act; ``action`` is ``(action_size,)``."""
        if not self._running:
            raise gymnasium.error.ResetNeeded("the episode has ended: call reset() before step()")
        simulation = self.simulation
        action = np.asarray(action)[None, :]
        self._last.before(action)
        done = simulation.step(action)
        self._running = not done
        carbon, penalty = float(simulation.carbon_g[0]), float(simulation.penalty_g[0])
        info: dict[str, Any] = {
            "carbon_g": carbon,
            "penalty_g": penalty,
            "energy_j": float(simulation.energy_j[0]),
            "cost": simulation.cost[:, 0],
        }
        if done:
            info["totals"] = {name: float(value[0]) for name, value in simulation.episode().items()}
        return self._observation(), -(carbon + penalty) / self.reward_scale, done, False, info

    def _observation(self) -> NDArray[np.float32]:
        row: NDArray[np.float32] = self.simulation.observation[0].astype(np.float32)
        return row

    def heuristic_action(self, name: str) -> NDArray[np.float32]:
        """What a heuristic of the spec does now, ``(action_size,)``."""
        action: NDArray[np.float32] = heuristic_actions(self.problem, self.simulation, name)[0]
        return action

    def quantities(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Named quantities of the step just taken, in their declared units."""
        return {name: value[0] for name, value in self._last.quantities(names).items()}

    def clone_state(self) -> State:
        """A copy of this moment."""
        return self.simulation.clone_state()

    def set_state(self, state: State) -> None:
        """Return to a moment of this or an equal environment."""
        self.simulation.set_state(state)
        self._running = not state.ended

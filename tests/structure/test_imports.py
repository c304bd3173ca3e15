"""Imports run one way, and nothing in the packages executes or unpickles what it is handed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.project import PACKAGES, python, sources

HARNESS_ONLY = {"codecarbon", "hydra", "hydra_plugins", "omegaconf", "optuna", "wandb"}
LEARNERS = {"stable_baselines3", "tianshou"}
FORBIDDEN = {
    "envs": {"agents", "benchmark", "conf", "scripts", "tests"} | HARNESS_ONLY | LEARNERS,
    "agents": {"envs", "benchmark", "conf", "scripts", "tests"} | HARNESS_ONLY,
    "conf": {"agents", "benchmark", "envs", "scripts", "tests"} | HARNESS_ONLY | LEARNERS,
    "benchmark": {"scripts", "tests"},
}
EXECUTES = {"eval", "exec", "compile", "__import__"}
UNPICKLES = {"cloudpickle", "dill", "marshal", "pickle", "shelve"}


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, lazily too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            if node.args and isinstance(node.args[0], ast.Constant):
                yield node.lineno, str(node.args[0].value)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _keyword(node: ast.Call, name: str) -> object:
    for keyword in node.keywords:
        if keyword.arg == name:
            return getattr(keyword.value, "value", keyword.value)
    return None


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    found = [
        f"{path}:{line} imports {name}"
        for path, tree in sources(package)
        for line, name in imported(tree)
        if name.split(".")[0] in FORBIDDEN[package]
    ]
    assert not found, "\n".join(found)


def test_torch_is_not_imported_with_the_module_in_envs() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources("envs")
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(name.split(".")[0] == "torch" for _, name in imported(ast.Module([node], [])))
    ]
    assert not found, f"import torch where it is used, not with the module: {found}"


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_executed_or_unpickled(package: str) -> None:
    found = [
        f"{path}:{node.lineno} {what}"
        for path, tree in sources(package)
        for node in ast.walk(tree)
        if (what := _dangerous(node))
    ]
    found += [
        f"{path}:{line} imports {name}"
        for path, tree in sources(package)
        for line, name in imported(tree)
        if name.split(".")[0] in UNPICKLES
    ]
    assert not found, "\n".join(found)


def _dangerous(node: ast.AST) -> str:
    """What is wrong with a call, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Name) and node.func.id in EXECUTES:
        return f"calls {node.func.id}"
    owner = ast.unparse(node.func)
    if owner == "torch.load" and _keyword(node, "weights_only") is not True:
        return "calls torch.load without weights_only=True"
    if owner in ("np.load", "numpy.load") and _keyword(node, "allow_pickle") not in (None, False):
        return "calls numpy.load with allow_pickle"
    if owner in ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"):
        return f"calls {owner}"
    if owner in ("os.system", "os.popen") or _keyword(node, "shell") is True:
        return "calls a shell"
    if owner in ("sympy.sympify", "sympy.parse_expr", "pint.UnitRegistry", "numexpr.evaluate"):
        return f"calls {owner} on text"
    return ""


# Stable-Baselines3 itself draws from NumPy's global generator, and seeds it.
GLOBAL_STATE_ALLOWED = ("agents/sb3",)


@pytest.mark.parametrize("package", ["agents", "envs"])
def test_no_global_random_state_is_used(package: str) -> None:
    functions = {"choice", "normal", "rand", "randint", "randn", "random", "seed", "shuffle"}
    found = [
        f"{path}:{node.lineno} calls {ast.unparse(node.func)}"
        for path, tree in sources(package)
        for node in ast.walk(tree)
        if not path.as_posix().startswith(GLOBAL_STATE_ALLOWED)
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in functions
        and ast.unparse(node.func.value) in ("np.random", "numpy.random", "random")
    ]
    assert not found, "\n".join(found)


def test_importing_envs_pulls_in_no_learner_and_no_harness(tmp_path: Path) -> None:
    heavy = sorted(
        {"torch", "matplotlib", "pandas", "agents", "benchmark", "conf"} | HARNESS_ONLY | LEARNERS
    )
    code = f"import sys, envs; print([name for name in {heavy} if name in sys.modules])"
    result = python("-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_importing_agents_pulls_in_no_environment_and_no_harness(tmp_path: Path) -> None:
    heavy = sorted({"envs", "benchmark", "conf"} | HARNESS_ONLY)
    code = f"import sys, agents; print([name for name in {heavy} if name in sys.modules])"
    result = python("-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_importing_prints_nothing_and_writes_nothing(tmp_path: Path) -> None:
    result = python("-c", "import envs, agents, benchmark, conf", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())

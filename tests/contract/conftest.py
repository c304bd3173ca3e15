"""Every promise is held to every problem of the library."""

from __future__ import annotations

from functools import cache

import pytest

import envs

_load = cache(envs.load)


@pytest.fixture(scope="session", params=envs.problems())
def problem(request: pytest.FixtureRequest) -> envs.Problem:
    """A problem of the library."""
    return _load(request.param)

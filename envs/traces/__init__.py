"""Recorded series as their publishers ship them, read safely: nothing here knows the compiler."""

from envs.traces.files import Access, data_folder, read_file
from envs.traces.publishers import read_series
from envs.traces.series import Series, whole_days
from envs.traces.sessions import Sessions, read_sessions

__all__ = [
    "Access",
    "Series",
    "Sessions",
    "data_folder",
    "read_file",
    "read_series",
    "read_sessions",
    "whole_days",
]

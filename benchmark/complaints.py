"""Hydra's exceptions, put as one message each."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from benchmark.errors import BenchmarkError, unknown

OPEN_MAPS = ("env.parameters.", "env.processes.")
"""Maps any key may be added to: the spec checks them."""

HYDRA_ERRORS = (HydraException, OmegaConfBaseException)


def translate(
    error: Exception, config_name: str, arguments: Sequence[str], hint: str
) -> BenchmarkError:
    """Turn an exception of Hydra or OmegaConf into a message for a person.

    Args:
        error: What Hydra raised.
        config_name: The primary config that was being composed.
        arguments: The command line after the command.
        hint: An example of the command that works.
    """
    if isinstance(error, OverrideParseException):
        return BenchmarkError(
            f"cannot read '{error.override.lstrip('+')}': {_parser_message(error.message)}. "
            "An override is KEY=VALUE; a value with spaces or brackets is quoted twice, as in "
            "'env.parameters.bandwidth_max=\"30 MHz\"'"
        )
    if isinstance(error, MissingConfigException) and error.missing_cfg_file is not None:
        group, _, option = error.missing_cfg_file.rpartition("/")
        if group:
            return BenchmarkError(unknown(group, option, options_of(error.options or ())))
        return BenchmarkError(f"no config is called '{option}'")
    text = str(error)
    if match := re.match(r"You must specify '([\w/]+)'", text):
        known = options_of(re.findall(r"^\t(\S+)$", text, re.MULTILINE))
        return BenchmarkError(
            f"say which {match[1]}: {match[1]}=NAME, known: {', '.join(known)} (example: {hint})"
        )
    if match := re.match(r"Could not override '([^']+)'", text):
        return BenchmarkError(_unknown_key(match[1], config_name, arguments))
    if isinstance(error, MissingMandatoryValue):
        key = re.search(r"full_key: (\S+)", text)
        return BenchmarkError(f"a value is missing: {key[1] if key else _first_line(text)}=…")
    if isinstance(error, ConfigCompositionException) and error.__cause__ is not None:
        return BenchmarkError(f"{_first_line(text)}: {_first_line(str(error.__cause__))}")
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return BenchmarkError(f"{error.full_key}: {_first_line(text)}")
    return BenchmarkError(_first_line(text))


def options_of(names: Sequence[str]) -> list[str]:
    """The options of a group that are meant to be chosen: those without a leading underscore."""
    return sorted(name for name in names if not name.startswith("_"))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip() if text.strip() else "no reason was given"


def _parser_message(text: str) -> str:
    return re.sub(r"^\w+Exception: ", "", _first_line(text)).replace("++env.", "env.")


def _unknown_key(key: str, config_name: str, arguments: Sequence[str]) -> str:
    return unknown("override", key, _known_keys(config_name, arguments))


def _known_keys(config_name: str, arguments: Sequence[str]) -> set[str]:
    """Every key the command line could have meant, given the groups it chose."""
    choices = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("env", "agent", "protocol", "tracking") and value:
            choices.append(f"{key}={value.split(',')[0]}")
    for flag, folder in itertools.pairwise(arguments):
        if flag in ("--config-dir", "-cd"):
            choices.append(f"hydra.searchpath=[file://{Path(folder).resolve()}]")
    groups = {"env"} if config_name == "oracle" else {"env", "agent", "protocol", "tracking"}
    try:
        with initialize_config_module("conf", version_base="1.3"):
            config = compose(config_name, overrides=choices)
    except HYDRA_ERRORS:
        return groups
    known = set(_flatten(OmegaConf.to_container(config)))
    return groups | {key for key in known if not key.endswith(("._target_", "_target_"))}


def _flatten(values: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield f"{prefix}{key}"
            yield from _flatten(value, f"{prefix}{key}.")

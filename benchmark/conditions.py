"""The conditions a protocol gives a problem, as its files say and nobody overrode them."""

from typing import Any

from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from benchmark.protocol import Protocol, conditions_digest


def composed(overrides: list[str]) -> dict[str, Any]:
    """All values of a run as its config files and these overrides have them."""
    with initialize_config_module("conf", version_base="1.3"):
        config = compose("config", overrides)
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def conditions_of(protocol: str, env: str) -> str:
    """The digest of the conditions of ``protocol=…`` on ``env=…``."""
    overrides = [f"env={env}", f"protocol={protocol}", "agent=random"]
    if env == "spec":
        overrides.append("env.spec=any.yaml")
    values = composed(overrides)
    return conditions_digest(Protocol.from_config(values["protocol"]), values["env"])

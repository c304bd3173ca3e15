"""The fields' own formulas, as functions of the expression language; one module for each field."""

from envs.compiler.fields import cooling, grid, radio, sun, surface
from envs.compiler.fields.formula import DomainFunction

__all__ = ["DOMAIN_FUNCTIONS", "DomainFunction"]

DOMAIN_FUNCTIONS: dict[str, DomainFunction] = {
    function.name: function
    for field in (cooling, grid, radio, sun, surface)
    for function in field.FUNCTIONS
}
"""All registered formulas by name."""

"""The fields' own formulas, as functions of the expression language; one module for each field."""

from envs.compiler.fields import grid, radio, sun
from envs.compiler.fields.formula import DomainFunction

__all__ = ["DOMAIN_FUNCTIONS", "DomainFunction"]

DOMAIN_FUNCTIONS: dict[str, DomainFunction] = {
    function.name: function for field in (grid, radio, sun) for function in field.FUNCTIONS
}
"""All registered formulas by name."""

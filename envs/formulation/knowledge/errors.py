"""What can go wrong with a document or an index that a person can put right."""

import importlib
from types import ModuleType


class KnowledgeError(Exception):
    """One clear message: what was found, what was expected, what to do."""


def optional(module: str, package: str) -> ModuleType:
    """Import a module of the ``formulate`` extra where it is needed.

    Args:
        module: What to import.
        package: What it is called on the package index.

    Raises:
        KnowledgeError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise KnowledgeError(
            f"{package} is not installed ({error}): pip install 'lowcarbon-bench[formulate]'"
        ) from error

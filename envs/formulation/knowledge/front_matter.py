"""The few lines of YAML between ``---`` at the top of a Markdown document."""

from collections.abc import Mapping

import yaml

_LIMIT = 8_192
"""Characters of front matter at most."""


def split_front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Take the front matter off.

    Args:
        text: A Markdown document.

    Returns:
        Its front matter and the rest; no front matter, and the whole text, where there is none or
        where it is no map of plain values. It is data: nothing in it is opened or followed.
    """
    if not text.startswith("---\n"):
        return {}, text
    head, mark, body = text[4:].partition("\n---\n")
    if not mark or len(head) > _LIMIT:
        return {}, text
    # An alias costs nothing to write and gigabytes to expand.
    if any(isinstance(token, yaml.AliasToken | yaml.AnchorToken) for token in _tokens(head)):
        return {}, body
    try:
        found = yaml.safe_load(head)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, body
    return (found if isinstance(found, dict) else {}), body


def _tokens(head: str) -> list[yaml.Token]:
    try:
        return list(yaml.scan(head, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return []

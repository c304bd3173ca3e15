"""A spec as mathematics: one typeset tree, written as LaTeX in Markdown or as MathML in a page."""

from envs.mathematics.markdown import as_markdown
from envs.mathematics.page import as_page

__all__ = ["as_markdown", "as_page"]

"""Text as index terms: words without the commonest, in lower case, without plural endings."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_COMMON = frozenset(
    "a about all also am an and any are as at be been but by can could did do does for from had "
    "has have he her his how i if in into is it its just may me might more most my no not of on "
    "one only or other our over per she should so some such than that the their them then there "
    "these they this those to too under up us very was we were what when where which while who "
    "whose why will with would you your".split()
)


def terms(text: str) -> list[str]:
    """The terms of a text, in order.

    ``CO₂`` and ``CO2`` are one word, and so are a word and its plural.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return [term for word in words if (term := _term(word))]


@lru_cache(maxsize=200_000)
def _term(word: str) -> str:
    """The term of a word; empty where it has none. Texts repeat their words: this is the speed."""
    return "" if word in _COMMON or len(word) > 40 else _singular(word)


def _singular(word: str) -> str:
    """The S-stemmer (Harman, How effective is suffixing?, JASIS 42(1), 1991; recalled)."""
    if len(word) > 4 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word

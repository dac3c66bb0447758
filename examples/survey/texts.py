"""Take texts apart."""

import re

WORD = re.compile(r"[a-z]+")


def words(text: str) -> list[str]:
    """Split a text into its words."""
    return WORD.findall(text.lower())

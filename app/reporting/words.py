"""Words as they are found in a comment, in whichever language."""

from dataclasses import dataclass, replace

DENIAL = "¬"


@dataclass(frozen=True, slots=True)
class Word:
    """A word with a meaning of its own: the `key` that its forms share, and where it stands.

    One that says little by itself, such as "there is no" in Japanese, stands in phrases only.
    """

    key: str
    start: int
    end: int
    is_term: bool = True

    def denied(self, start: int, end: int) -> "Word":
        """The contrary, as it stands with its negation from `start` to `end`."""
        return replace(self, key=f"{DENIAL}{self.key}", start=start, end=end, is_term=True)


def split_words(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())

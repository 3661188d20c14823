"""How a demo comment is put together from sentences that each stand on their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Group = Literal["promoter", "passive", "detractor"]
Theme = Literal[
    "onboarding",
    "support",
    "price",
    "mobile",
    "reports",
    "performance",
    "integrations",
    "invoices",
    "permissions",
    "wording",
]
Sentences = tuple[str, ...]


@dataclass(frozen=True)
class Phrasebook:
    """All sentences of one language.

    `remarks` may be joined in any order within a group; `whole` comments are never joined, because
    they are very short, very long or in another register; only those of at most `longest_repeat`
    characters come back, because nobody writes another's long comment again. `turns` lead
    from praise to a complaint. `redesign` and `repair` are about the story's two events;
    `aftermath` follows a redesign remark.
    """

    joiner: str
    full_stop: str
    longest_repeat: int
    remarks: Mapping[Group, Mapping[Theme, Sentences]]
    whole: Mapping[Group, Sentences]
    closings: Mapping[Group, Sentences]
    contexts: Mapping[str, Sentences]
    turns: Sentences
    redesign: Mapping[Group, Sentences]
    aftermath: Sentences
    repair: Mapping[Group, Sentences]

    def every_sentence(self) -> frozenset[str]:
        """Return every sentence and whole comment, punctuation included."""
        listed = [self.turns, self.aftermath, *self.contexts.values()]
        for grouped in (self.whole, self.closings, self.redesign, self.repair):
            listed.extend(grouped.values())
        for themed in self.remarks.values():
            listed.extend(themed.values())
        return frozenset(sentence for sentences in listed for sentence in sentences)


@dataclass
class Decks:
    """Draws sentences like shuffled cards: none comes back before its whole deck has been dealt."""

    rng: Random
    _left: dict[Sentences, list[str]] = field(default_factory=dict)

    def draw(self, sentences: Sentences, longest_repeat: int | None = None) -> str:
        """Deal the next sentence; later rounds leave out those longer than `longest_repeat`.

        Raises IndexError when there is nothing to deal.
        """
        first_round = sentences not in self._left
        cards = self._left.setdefault(sentences, [])
        if not cards:
            again = [s for s in sentences if first_round or len(s) <= (longest_repeat or len(s))]
            cards.extend(self.rng.sample(again, len(again)))
        return cards.pop()


# What people in each group tend to write about; a theme not named here has weight 1.
THEME_WEIGHTS: Mapping[Group, Mapping[Theme, float]] = {
    "promoter": {"support": 3, "invoices": 3, "onboarding": 2, "integrations": 2, "mobile": 2},
    "passive": {"price": 1.5, "reports": 1.5},
    "detractor": {"price": 3, "mobile": 2, "performance": 2, "wording": 2, "support": 1.5},
}

# Who says "I only hand in my expenses" goes on about what such a person gets to see.
ROLE_THEMES: Mapping[str, tuple[Theme, ...]] = {
    "admin": ("onboarding", "support", "price", "integrations", "permissions"),
    "accountant": ("support", "reports", "performance", "integrations", "invoices"),
    "manager": ("mobile", "performance", "wording"),
    "member": ("mobile", "performance", "wording"),
}


@dataclass(frozen=True)
class Author:
    """What is known of somebody who comments; `role` may be unknown."""

    group: Group
    role: str | None
    is_paying: bool

    def may_mention(self, theme: Theme) -> bool:
        """Tell whether the theme concerns this customer: nobody complains of a price of nothing."""
        return self.is_paying or theme != "price"


@dataclass(frozen=True)
class CommentWriter:
    """Writes comments in one language, from its phrasebook."""

    book: Phrasebook
    rng: Random
    decks: Decks

    def everyday(self, author: Author) -> str:
        """Write about the product as such."""
        recipes: Sequence[Callable[[Author], Sequence[str]]] = (
            self._whole,
            self._one_theme,
            self._two_themes,
            self._with_context,
            self._with_closing,
        )
        recipe = self.rng.choices(recipes, weights=(15, 28, 30, 12, 15))[0]
        return self._join(recipe(author))

    def about_redesign(self, group: Group) -> str:
        """Write about the redesign that the enterprise plan disliked."""
        sentences = [self.decks.draw(self.book.redesign[group])]
        if group == "detractor" and self.rng.random() < 0.55:
            sentences.append(self.decks.draw(self.book.aftermath))
        return self._join(sentences)

    def about_repair(self, group: Group) -> str:
        """Write about the release that put the redesign right."""
        return self._join([self.decks.draw(self.book.repair[group])])

    def _whole(self, author: Author) -> Sequence[str]:
        return [self.decks.draw(self.book.whole[author.group], self.book.longest_repeat)]

    def _one_theme(self, author: Author) -> Sequence[str]:
        return [self._remark(author.group, self._theme(author))]

    def _two_themes(self, author: Author) -> Sequence[str]:
        first = self._theme(author)
        second = self._any_of([t for t in self.book.remarks[author.group] if t != first], author)
        if author.group == "passive" and self.rng.random() < 0.5:
            praise = self._remark("promoter", first)
            turn = self.decks.draw(self.book.turns)
            return [praise, turn, self._remark("detractor", second)]
        return [self._remark(author.group, first), self._remark(author.group, second)]

    def _with_context(self, author: Author) -> Sequence[str]:
        if author.role is None:
            return self._one_theme(author)
        theme = self._any_of(ROLE_THEMES[author.role], author)
        context = self.decks.draw(self.book.contexts[author.role])
        return [context, self._remark(author.group, theme)]

    def _with_closing(self, author: Author) -> Sequence[str]:
        remark = self._remark(author.group, self._theme(author))
        return [remark, self.decks.draw(self.book.closings[author.group])]

    def _theme(self, author: Author) -> Theme:
        themes = [t for t in self.book.remarks[author.group] if author.may_mention(t)]
        weights = [THEME_WEIGHTS[author.group].get(theme, 1) for theme in themes]
        return self.rng.choices(themes, weights)[0]

    def _any_of(self, themes: Sequence[Theme], author: Author) -> Theme:
        return self.rng.choice([theme for theme in themes if author.may_mention(theme)])

    def _remark(self, group: Group, theme: Theme) -> str:
        return self.decks.draw(self.book.remarks[group][theme])

    def _join(self, sentences: Sequence[str]) -> str:
        comment = self.book.joiner.join(sentences)
        # People often leave the last full stop out, the more so the shorter the comment.
        leave_out = 0.35 if len(sentences) == 1 else 0.12
        if self.rng.random() < leave_out:
            return comment.removesuffix(self.book.full_stop)
        return comment

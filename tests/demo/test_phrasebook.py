"""What people wrote: enough of it, about what it claims to be about, and about nobody."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, combinations
from random import Random

import pytest

from app.demo.comments_en import ENGLISH
from app.demo.comments_ja import JAPANESE
from app.demo.phrasebook import Author, CommentWriter, Decks, Group, Phrasebook, Theme
from app.demo.story import DEMO_DIMENSIONS

BOOKS = {"en": ENGLISH, "ja": JAPANESE}
GROUPS: tuple[Group, ...] = ("promoter", "passive", "detractor")

# A remark of a theme names it in one of these ways.
SIGNS: Mapping[Theme, str] = {
    "onboarding": "start|setup|set.?up|train|onboarding|learn|import|moving|staff|initial|"
    "導入|初期設定|新しく|新しい社員|定着",
    "support": "support|help|chat|サポート|問い合わせ|ヘルプ",
    "price": "price|cost|cheap|expensive|pay|worth|料金|価格|費用|値上げ",
    "mobile": "phone|app|android|スマホ|アプリ",
    "reports": "report|export|csv|レポート|出力",
    "performance": "fast|slow|quick|outage|speed|time-out|速|遅|重|軽|障害|固ま",
    "integrations": "connect|integrat|api|sync|連携|API",
    "invoices": "invoice|請求|インボイス",
    "permissions": "permission|role|access|approval|権限|承認",
    "wording": "screen|wording|interface|layout|menu|message|画面|ボタン|表示|メニュー",
}


def _themed(book: Phrasebook) -> Iterator[tuple[Group, Theme, str]]:
    for group, themes in book.remarks.items():
        for theme, remarks in themes.items():
            for remark in remarks:
                yield group, theme, remark


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_each_remark_is_about_its_theme(book: Phrasebook) -> None:
    for _, theme, remark in _themed(book):
        assert re.search(SIGNS[theme], remark, re.IGNORECASE), (theme, remark)


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_every_group_writes_about_every_theme(book: Phrasebook) -> None:
    for group in GROUPS:
        assert set(book.remarks[group]) == set(SIGNS)
        assert all(len(remarks) >= 4 for remarks in book.remarks[group].values())


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_at_least_120_distinct_remarks_and_no_sentence_twice(book: Phrasebook) -> None:
    remarks = [remark for _, _, remark in _themed(book)]
    assert len(set(remarks)) == len(remarks) >= 120
    by_group = [
        set(
            chain(book.whole[group], book.closings[group], book.redesign[group], book.repair[group])
        )
        | {remark for owner, _, remark in _themed(book) if owner == group}
        for group in GROUPS
    ]
    for one, other in combinations(by_group, 2):
        assert not one & other


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_sentences_that_are_joined_end_like_sentences(book: Phrasebook) -> None:
    free_standing = set(chain.from_iterable(book.whole.values()))
    for sentence in book.every_sentence() - free_standing:
        assert sentence.endswith(book.full_stop), sentence


def test_japanese_remarks_are_polite_so_that_they_can_be_joined() -> None:
    polite = re.compile("(です|ます|ません|ました|でした|ください)。$")
    for _, _, remark in _themed(JAPANESE):
        assert polite.search(remark), remark


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_nothing_points_to_a_person(book: Phrasebook) -> None:
    personal = re.compile(r"@|https?:|\d{3,}|さん|(?<!仕)様|\b(Mr|Ms|Mrs|Dr)\b")
    for sentence in book.every_sentence():
        assert not personal.search(sentence), sentence


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_every_role_has_something_to_say_about_itself(book: Phrasebook) -> None:
    roles = next(dimension for dimension in DEMO_DIMENSIONS if dimension.key == "role")
    assert set(book.contexts) == {value.key for value in roles.values}


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
@pytest.mark.parametrize("group", GROUPS)
def test_a_comment_is_made_of_whole_sentences_of_its_book(book: Phrasebook, group: Group) -> None:
    rng = Random(7)
    writer = CommentWriter(book, rng, Decks(rng))
    for role in [None, *book.contexts] * 8:
        _assert_made_of(book, writer.everyday(Author(group, role, is_paying=True)))
        _assert_made_of(book, writer.about_redesign(group))
        _assert_made_of(book, writer.about_repair(group))


def _assert_made_of(book: Phrasebook, comment: str) -> None:
    rest = comment
    for sentence in sorted(book.every_sentence(), key=len, reverse=True):
        rest = rest.replace(sentence, "").replace(sentence.removesuffix(book.full_stop), "")
    assert not rest.strip(), (comment, rest)


def test_no_sentence_comes_back_before_the_deck_is_dealt() -> None:
    decks = Decks(Random(1))
    sentences = ("one", "two", "three", "four")
    for _ in range(3):
        assert {decks.draw(sentences) for _ in sentences} == set(sentences)


def test_long_comments_are_dealt_only_once() -> None:
    decks = Decks(Random(1))
    sentences = ("OK", "A long story that nobody would write twice.")
    dealt = [decks.draw(sentences, longest_repeat=10) for _ in range(6)]
    assert sorted(dealt) == sorted([sentences[1], *["OK"] * 5])


@pytest.mark.parametrize("group", GROUPS)
def test_nobody_on_the_free_plan_writes_about_the_price(group: Group) -> None:
    rng = Random(3)
    writer = CommentWriter(ENGLISH, rng, Decks(rng))
    paid, free = (
        {writer.everyday(Author(group, "admin", is_paying=pays)) for _ in range(300)}
        for pays in (True, False)
    )
    price = [r for themes in ENGLISH.remarks.values() for r in themes["price"]]
    about_price = re.compile("|".join(re.escape(r.removesuffix(".")) for r in price))
    assert any(about_price.search(comment) for comment in paid)
    assert not any(about_price.search(comment) for comment in free)

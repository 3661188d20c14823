"""What happened to the invented company in its demo year, and the answers that tell it.

Days are counted back from the last day of the story (0) to the first (364). Chances are written as
NPS from -1 to 1, because that is how the story is told: a mood is split into promoters and
detractors around a fixed share of passives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Literal, TypeVar

from app.demo.comments_en import ENGLISH
from app.demo.comments_ja import JAPANESE
from app.demo.phrasebook import Author, CommentWriter, Decks, Group

Language = Literal["en", "ja"]
Channel = Literal["link", "email", "embed", "qr", "api"]
Source = Literal["link", "question", "api"]
Texts = Mapping[str, str]
T = TypeVar("T")

SEED = 20_260_420
STORY_DAYS = 365
REDESIGN_DAY = 152
REPAIR_DAY = 62
RECOVERED_DAY = 34


@dataclass(frozen=True)
class DemoValue:
    """A declared value of a segment dimension."""

    key: str
    label: Texts


@dataclass(frozen=True)
class DemoDimension:
    """A segment dimension and where its value comes from."""

    key: str
    label: Texts
    source: Source
    values: tuple[DemoValue, ...]


@dataclass(frozen=True)
class DemoSurvey:
    """The demo survey's wording; texts are keyed by language."""

    company: Texts
    name: str
    subject: Texts
    purpose: Texts
    thank_you: Texts
    privacy_url: str
    default_language: Language
    languages: tuple[Language, ...]


@dataclass(frozen=True)
class DemoEvent:
    """Something the company did, `days_before_end` (0 to 364) days before the story's last day."""

    days_before_end: int
    title: Texts


@dataclass(frozen=True)
class DemoAnswer:
    """One answer: a score from 0 to 10, `days_before_end` (0 to 364) days before the last day."""

    days_before_end: int
    score: int
    language: Language
    channel: Channel
    segments: Mapping[str, str]
    comment: str | None


def _texts(en: str, ja: str) -> Texts:
    return MappingProxyType({"en": en, "ja": ja})


def _value(key: str, en: str, ja: str) -> DemoValue:
    return DemoValue(key, _texts(en, ja))


DEMO_DIMENSIONS: list[DemoDimension] = [
    DemoDimension(
        "plan",
        _texts("Plan", "プラン"),
        "link",
        (
            _value("free", "Free", "フリー"),
            _value("standard", "Standard", "スタンダード"),
            _value("pro", "Pro", "プロ"),
            _value("enterprise", "Enterprise", "エンタープライズ"),
        ),
    ),
    DemoDimension(
        "role",
        _texts("Role", "役割"),
        "question",
        (
            _value("admin", "Administrator", "管理者"),
            _value("accountant", "Accounting", "経理担当"),
            _value("manager", "Manager", "承認者・管理職"),
            _value("member", "Member", "一般利用者"),
        ),
    ),
    DemoDimension(
        "region",
        _texts("Region", "地域"),
        "link",
        (
            _value("kanto", "Kanto", "関東"),
            _value("kansai", "Kansai", "関西"),
            _value("other_japan", "Elsewhere in Japan", "国内その他"),
            _value("overseas", "Overseas", "海外"),
        ),
    ),
    DemoDimension(
        "tenure",
        _texts("Customer for", "利用期間"),
        "api",
        (
            _value("under_1y", "Less than a year", "1年未満"),
            _value("1_3y", "One to three years", "1〜3年"),
            _value("over_3y", "More than three years", "3年超"),
        ),
    ),
]

DEMO_SURVEY = DemoSurvey(
    company=_texts("Fudezumi, Inc.", "株式会社フデズミ"),
    name="Fudezumi NPS",
    subject=_texts("Fudezumi", "フデズミ"),
    purpose=_texts(
        "Your answer is used only to improve Fudezumi, our invoicing and expense service.",
        "ご回答は、請求書・経費精算サービス「フデズミ」の改善のためにのみ利用します。",
    ),
    thank_you=_texts(
        "Thank you. Our product team reads every comment.",
        "ご回答ありがとうございました。いただいた声は開発チームがすべて読んでいます。",
    ),
    privacy_url="https://example.com/privacy",
    default_language="ja",
    languages=("ja", "en"),
)

DEMO_EVENTS: list[DemoEvent] = [
    DemoEvent(
        318,
        _texts(
            "Faster receipt scanning in the mobile app", "モバイルアプリの領収書読み取りを高速化"
        ),
    ),
    DemoEvent(
        REDESIGN_DAY,
        _texts("Permissions and reports redesigned", "権限とレポートをリニューアル"),
    ),
    DemoEvent(
        REPAIR_DAY,
        _texts(
            "Saved reports and finer permissions restored",
            "保存済みレポートと詳細な権限設定を復旧",
        ),
    ),
]

REGIONS: Mapping[str, float] = {"kanto": 43, "kansai": 19, "other_japan": 17, "overseas": 21}
PLANS_IN_JAPAN: Mapping[str, float] = {"free": 20, "standard": 35, "pro": 24, "enterprise": 21}
# The free plan is not sold abroad, so that one combination stays too small to be shown.
PLANS_OVERSEAS: Mapping[str, float] = {"free": 0.3, "standard": 35, "pro": 34, "enterprise": 30.7}
ROLES: Mapping[str, Mapping[str, float]] = {
    "free": {"admin": 45, "accountant": 30, "manager": 3, "member": 22},
    "standard": {"admin": 28, "accountant": 34, "manager": 15, "member": 23},
    "pro": {"admin": 20, "accountant": 34, "manager": 20, "member": 26},
    "enterprise": {"admin": 16, "accountant": 30, "manager": 24, "member": 30},
}
TENURES: Mapping[str, Mapping[str, float]] = {
    "free": {"under_1y": 66, "1_3y": 29, "over_3y": 5},
    "standard": {"under_1y": 36, "1_3y": 42, "over_3y": 22},
    "pro": {"under_1y": 24, "1_3y": 44, "over_3y": 32},
    "enterprise": {"under_1y": 14, "1_3y": 41, "over_3y": 45},
}
CHANNELS: Mapping[Channel, float] = {"link": 40, "email": 36, "embed": 15, "qr": 4, "api": 5}
# A link without a value, a question left blank, a customer the API did not know.
MISSING = {"plan": 0.04, "role": 0.13, "region": 0.05, "tenure": 0.06}

MOOD_SHIFTS: Mapping[str, float] = {
    "free": -0.08,
    "pro": 0.04,
    "enterprise": 0.09,
    "admin": 0.05,
    "member": -0.06,
    "under_1y": -0.05,
    "over_3y": 0.05,
}
# Japanese answers keep to the middle of the scale, which lowers the score at equal content.
MOOD: Mapping[Language, float] = {"en": 0.31, "ja": 0.17}
PASSIVE_SHARE: Mapping[Language, float] = {"en": 0.31, "ja": 0.41}
SCORES: Mapping[Language, Mapping[Group, Mapping[int, float]]] = {
    "en": {
        "promoter": {9: 45, 10: 55},
        "passive": {7: 42, 8: 58},
        "detractor": {0: 6, 1: 3, 2: 5, 3: 9, 4: 13, 5: 27, 6: 37},
    },
    "ja": {
        "promoter": {9: 52, 10: 48},
        "passive": {7: 50, 8: 50},
        "detractor": {0: 4, 1: 2, 2: 3, 3: 7, 4: 11, 5: 41, 6: 32},
    },
}
UPSET_SCORES: Mapping[int, float] = {0: 12, 1: 9, 2: 14, 3: 21, 4: 17, 5: 16, 6: 11}
COMMENT_CHANCE: Mapping[Group, float] = {"promoter": 0.41, "passive": 0.36, "detractor": 0.58}


def demo_answers() -> list[DemoAnswer]:
    """All answers of the demo year, oldest day first; the same list on every call."""
    # Two generators, so that another sentence in a phrasebook leaves every count as it was.
    # Nothing here is secret: the point is that it can be told again.
    events, words = Random(SEED), Random(SEED)  # noqa: S311
    return list(_Year(events, words).answers())


class _Year:
    """One telling of the year: `events` decides who answers what, `words` how it is put."""

    def __init__(self, events: Random, words: Random) -> None:
        self._rng = events
        decks = Decks(words)
        self._writers: Mapping[Language, CommentWriter] = {
            "en": CommentWriter(ENGLISH, words, decks),
            "ja": CommentWriter(JAPANESE, words, decks),
        }

    def answers(self) -> Iterator[DemoAnswer]:
        for day in reversed(range(STORY_DAYS)):
            for _ in range(self._volume(day)):
                yield self._answer(day)

    def _volume(self, day: int) -> int:
        """Answers of one day: two quiet days in seven, and a little more as the company grows."""
        growth = 1.15 - 0.3 * day / STORY_DAYS
        typical = 3.5 if day % 7 in (0, 1) else 13.5
        return round(typical * growth * self._rng.uniform(0.6, 1.4))

    def _answer(self, day: int) -> DemoAnswer:
        profile = self._profile()
        language = self._language(profile["region"])
        group = self._group(language, self._mood(language, profile, day))
        upset = profile["plan"] == "enterprise" and REPAIR_DAY < day <= REDESIGN_DAY
        scores = UPSET_SCORES if upset and group == "detractor" else SCORES[language][group]
        segments = {k: v for k, v in profile.items() if self._rng.random() >= MISSING[k]}
        return DemoAnswer(
            days_before_end=day,
            score=self._pick(scores),
            language=language,
            channel=self._pick(CHANNELS),
            segments=MappingProxyType(segments),
            comment=self._comment(language, group, profile, day),
        )

    def _profile(self) -> dict[str, str]:
        region = self._pick(REGIONS)
        plan = self._pick(PLANS_OVERSEAS if region == "overseas" else PLANS_IN_JAPAN)
        role, tenure = self._pick(ROLES[plan]), self._pick(TENURES[plan])
        return {"plan": plan, "role": role, "region": region, "tenure": tenure}

    def _language(self, region: str) -> Language:
        english = 0.93 if region == "overseas" else 0.14
        return "en" if self._rng.random() < english else "ja"

    def _mood(self, language: Language, profile: Mapping[str, str], day: int) -> float:
        """Expected NPS (-1 to 1) of one kind of customer on one day."""
        trend = 0.08 - 0.17 * day / STORY_DAYS
        shifts = sum(MOOD_SHIFTS.get(value, 0.0) for value in profile.values())
        drop = 0.78 * disruption(day) if profile["plan"] == "enterprise" else 0.0
        return MOOD[language] + trend + shifts - drop

    def _group(self, language: Language, mood: float) -> Group:
        passive = PASSIVE_SHARE[language]
        promoter = min(max((1 - passive + mood) / 2, 0.03), 1 - passive)
        shares: dict[Group, float] = {
            "promoter": promoter,
            "passive": passive,
            "detractor": 1 - passive - promoter,
        }
        return self._pick(shares)

    def _comment(
        self, language: Language, group: Group, profile: Mapping[str, str], day: int
    ) -> str | None:
        enterprise = profile["plan"] == "enterprise"
        chance = COMMENT_CHANCE[group] + (0.12 * disruption(day) if enterprise else 0.0)
        if self._rng.random() >= chance:
            return None
        writer = self._writers[language]
        subject = self._pick(_subjects(group, day)) if enterprise else "everyday"
        if subject == "redesign":
            return writer.about_redesign(group)
        if subject == "repair":
            return writer.about_repair(group)
        return writer.everyday(Author(group, profile["role"], profile["plan"] != "free"))

    def _pick(self, weights: Mapping[T, float]) -> T:
        return self._rng.choices(list(weights), list(weights.values()))[0]


def disruption(day: int) -> float:
    """How much of the redesign's damage is felt: 1 from its release to the repair, then fading."""
    if day > REDESIGN_DAY:
        return 0.0
    if day > REPAIR_DAY:
        return 1.0
    return max(0.0, (day - RECOVERED_DAY) / (REPAIR_DAY - RECOVERED_DAY))


def _subjects(group: Group, day: int) -> Mapping[str, float]:
    """What an enterprise customer writes about on that day."""
    if day > REDESIGN_DAY:
        return {"everyday": 1}
    if day > REPAIR_DAY:
        return {"redesign": 1, "everyday": 4 if group == "promoter" else 0.35}
    return {"repair": 1, "everyday": 1.2}

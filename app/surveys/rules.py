"""What a survey may be: every rule on the input of API and forms, each problem named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import mark
from app.surveys.inputs import (
    CONTACT_LIMIT,
    LABEL_LIMIT,
    MAX_GROUP_SIZE,
    MAX_RETENTION_MONTHS,
    NAME_LIMIT,
    DimensionInput,
    SurveyInput,
    Texts,
    ValueInput,
)
from app.surveys.models import (
    MAX_DIMENSIONS,
    MAX_QUESTION_DIMENSIONS,
    MAX_VALUES,
    MIN_GROUP_SIZE_FLOOR,
    DimensionSource,
)
from app.surveys.origins import clean_origins, find_origin_problems
from app.surveys.segments import is_dimension_key, is_value_key
from app.surveys.ways import clean_thanks_urls, find_thanks_problems, is_web_address
from app.surveys.wording import (
    MAX_LANGUAGES,
    MISSING,
    SUBJECT,
    TEXTS,
    clean_text,
    complete_wording,
    find_text_problems,
    find_wording_problems,
    parse_language,
)


@dataclass(frozen=True, slots=True)
class CheckedSurvey:
    """A survey's content after every rule: cleaned, complete, ready to be stored."""

    name: str
    languages: list[str]
    default_language: str
    wording: dict[str, dict[str, str]]
    min_group_size: int
    retention_months: int
    privacy_url: str
    contact: str
    opens_on: date | None
    closes_on: date | None
    embed_origins: list[str]
    thanks_urls: dict[str, str]
    support: str
    asks_contact: bool


def check_survey(given: SurveyInput) -> CheckedSurvey:
    """`given` cleaned and completed; Invalid names everything that is wrong with it at once."""
    languages = [parse_language(tag) or tag for tag in given.languages]
    default_language = given.default_language or next(iter(languages), "")
    checked = CheckedSurvey(
        name=clean_text(given.name),
        languages=languages,
        default_language=parse_language(default_language) or default_language,
        wording=_wording(given, languages, default_language),
        min_group_size=given.min_group_size,
        retention_months=given.retention_months,
        privacy_url=given.privacy_url.strip(),
        contact=clean_text(given.contact),
        opens_on=given.opens_on,
        closes_on=given.closes_on,
        embed_origins=clean_origins(given.embed_origins),
        thanks_urls=clean_thanks_urls(given.thanks_urls),
        support=clean_text(given.support),
        asks_contact=given.asks_contact,
    )
    refuse([*_language_problems(checked), *_wording_problems(given, checked), *_problems(checked)])
    refuse(find_dimension_problems(given.dimensions))
    return checked


def refuse(problems: Sequence[InvalidParam]) -> None:
    """Invalid where there are problems."""
    if problems:
        raise Invalid(mark("See which inputs were refused."), invalid_params=problems)


def _wording(
    given: SurveyInput, languages: Sequence[str], default_language: str
) -> dict[str, dict[str, str]]:
    subjects = by_language(given.subject, languages)
    fallback = subjects.get(default_language) or next(iter(subjects.values()), "")
    texts = {parse_language(tag) or tag: dict(texts) for tag, texts in given.wording.items()}
    for language in languages:
        texts[language] = {
            **texts.get(language, {}),
            SUBJECT: subjects.get(language) or fallback,
        }
    return complete_wording(languages, texts)


def by_language(texts: Texts, languages: Sequence[str]) -> dict[str, str]:
    """Language → text; a single text stands for all of `languages`."""
    if isinstance(texts, str):
        return {language: clean_text(texts) for language in languages if texts.strip()}
    return {parse_language(tag) or tag: clean_text(text) for tag, text in texts.items()}


def _language_problems(survey: CheckedSurvey) -> Iterator[InvalidParam]:
    count = len(survey.languages)
    if not 1 <= count <= MAX_LANGUAGES or len(set(survey.languages)) < count:
        yield InvalidParam(
            "languages",
            mark("Name 1 to %(limit)s languages, each once."),
            {"limit": MAX_LANGUAGES},
        )
    for index, tag in enumerate(survey.languages):
        if parse_language(tag) is None:
            yield InvalidParam(f"languages.{index}", BAD_LANGUAGE)
    if survey.default_language not in survey.languages:
        yield InvalidParam("default_language", mark("Choose one of the survey's languages."))


BAD_LANGUAGE = mark("Write a language tag such as en, ja or pt-BR.")
NOT_A_LANGUAGE_HERE = mark("The survey is not asked in this language.")


def _wording_problems(given: SurveyInput, survey: CheckedSurvey) -> Iterator[InvalidParam]:
    subjects = given.subject if isinstance(given.subject, dict) else {}
    for path, tags in ((SUBJECT, subjects), ("wording", given.wording)):
        for tag in tags:
            if (parse_language(tag) or tag) not in survey.languages:
                yield InvalidParam(f"{path}.{tag}", NOT_A_LANGUAGE_HERE)
    for tag, texts in given.wording.items():
        for name in texts:
            if name not in TEXTS or name == SUBJECT:
                yield InvalidParam(f"wording.{tag}.{name}", mark("There is no such text."))
    if not given.subject or not any(by_language(given.subject, survey.languages).values()):
        yield InvalidParam(SUBJECT, MISSING)
        return
    languages = [tag for tag in survey.languages if parse_language(tag)]
    yield from find_wording_problems({tag: survey.wording[tag] for tag in languages})


def _problems(survey: CheckedSurvey) -> Iterator[InvalidParam]:
    yield from _name_problems("name", survey.name)
    yield from find_text_problems("contact", survey.contact, CONTACT_LIMIT)
    yield from _range_problems(
        "min_group_size", survey.min_group_size, MIN_GROUP_SIZE_FLOOR, MAX_GROUP_SIZE
    )
    yield from _range_problems("retention_months", survey.retention_months, 1, MAX_RETENTION_MONTHS)
    if survey.privacy_url and not is_web_address(survey.privacy_url):
        yield InvalidParam(
            "privacy_url", mark("Write an address that begins with https:// or http://.")
        )
    if survey.opens_on and survey.closes_on and survey.closes_on < survey.opens_on:
        yield InvalidParam("closes_on", mark("Choose a day on or after the opening day."))
    yield from find_text_problems("support", survey.support, CONTACT_LIMIT)
    yield from find_thanks_problems(survey.thanks_urls)
    yield from find_origin_problems(survey.embed_origins)


def _name_problems(path: str, name: str) -> list[InvalidParam]:
    return find_text_problems(path, name, NAME_LIMIT) if name else [InvalidParam(path, MISSING)]


def check_name(path: str, name: str) -> str:
    """`name` without space around it; Invalid where it is empty or too long."""
    refuse(_name_problems(path, clean_text(name)))
    return clean_text(name)


def _range_problems(path: str, value: int, least: int, most: int) -> Iterator[InvalidParam]:
    if not least <= value <= most:
        yield InvalidParam(
            path,
            mark("Write a number from %(least)s to %(most)s."),
            {"least": least, "most": most},
        )


def find_dimension_problems(
    dimensions: Sequence[DimensionInput], path: str = "dimensions"
) -> list[InvalidParam]:
    """What is wrong with a survey's dimensions taken together, or each."""
    problems = []
    asked = [entry for entry in dimensions if entry.source is DimensionSource.QUESTION]
    if len(dimensions) > MAX_DIMENSIONS:
        problems.append(
            InvalidParam(path, mark("At most %(limit)s dimensions."), {"limit": MAX_DIMENSIONS})
        )
    if len(asked) > MAX_QUESTION_DIMENSIONS:
        problems.append(
            InvalidParam(
                path,
                mark("At most %(limit)s dimensions may be asked on the form."),
                {"limit": MAX_QUESTION_DIMENSIONS},
            )
        )
    for index, dimension in enumerate(dimensions):
        problems += _dimension_problems(f"{path}.{index}.", dimension)
    keys = [dimension.key for dimension in dimensions]
    return problems + _repeated(keys, lambda index: f"{path}.{index}.key")


def check_dimension(dimension: DimensionInput) -> None:
    """Invalid where something is wrong with a dimension taken alone."""
    refuse(list(_dimension_problems("", dimension)))


def _dimension_problems(path: str, dimension: DimensionInput) -> Iterator[InvalidParam]:
    if not is_dimension_key(dimension.key):
        reason = mark("Use 1 to 40 of the characters a–z, 0–9 and _; not “lang” or “embed”.")
        yield InvalidParam(f"{path}key", reason)
    yield from _label_problems(f"{path}label", dimension.label)
    if len(dimension.values) > MAX_VALUES:
        yield InvalidParam(
            f"{path}values", mark("At most %(limit)s values."), {"limit": MAX_VALUES}
        )
    for index, value in enumerate(dimension.values):
        yield from find_value_problems(f"{path}values.{index}", value)
    keys = [value.key for value in dimension.values]
    yield from _repeated(keys, lambda index: f"{path}values.{index}.key")


def find_value_problems(path: str, value: ValueInput) -> list[InvalidParam]:
    """What is wrong with one segment value."""
    problems = _label_problems(f"{path}.label", value.label)
    if not is_value_key(value.key):
        reason = mark("Use 1 to 80 visible characters; “other” and “none” are reserved.")
        problems.append(InvalidParam(f"{path}.key", reason))
    return problems


def _label_problems(path: str, label: Texts) -> list[InvalidParam]:
    if isinstance(label, str):
        return find_text_problems(path, label, LABEL_LIMIT)
    problems = [InvalidParam(path, BAD_LANGUAGE) for tag in label if parse_language(tag) is None]
    for tag, text in label.items():
        problems += find_text_problems(f"{path}.{tag}", text, LABEL_LIMIT)
    return problems


def _repeated(keys: Sequence[str], path: Callable[[int], str]) -> list[InvalidParam]:
    return [
        InvalidParam(path(index), mark("This key is there twice."))
        for index, key in enumerate(keys)
        if key in keys[:index]
    ]


def clean_label(label: Texts, key: str, languages: Sequence[str]) -> dict[str, str]:
    """Language → label for the survey's languages and those given; the key where none was."""
    texts = by_language(label, languages)
    fallback = next(filter(None, texts.values()), key)
    return {**dict.fromkeys(languages, fallback), **_filled(texts)}


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {tag: text for tag, text in texts.items() if text}

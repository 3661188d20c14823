"""A survey as the controls of a form: read from what was typed, shown again beside its errors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from starlette.datastructures import FormData

from app.foundation.errors import HonneError, Invalid, InvalidParam
from app.foundation.translation import INTERFACE_LANGUAGES, form_languages, gettext, mark
from app.scoring import Category
from app.surveys.inputs import (
    DEFAULT_GROUP_SIZE,
    DEFAULT_RETENTION_MONTHS,
    DimensionInput,
    SurveyChanges,
    SurveyInput,
    ValueInput,
    VersionInput,
)
from app.surveys.listings import SurveyDetail
from app.surveys.models import MAX_DIMENSIONS, DimensionSource
from app.surveys.wording import (
    SUBJECT,
    TEXTS,
    default_texts,
    language_name,
    parse_language,
    thanks_link_name,
    thanks_name,
)

WORDED = tuple(name for name in TEXTS if name != SUBJECT)
OPTIONAL_TEXTS = tuple(
    name(group) for group in Category for name in (thanks_name, thanks_link_name)
)
NEEDED_TEXTS = tuple(name for name in WORDED if not TEXTS[name].is_optional)
ROWS = range(MAX_DIMENSIONS)
TEXT_LABELS: Mapping[str, str] = {
    SUBJECT: mark("What is recommended"),
    "question": mark("Question"),
    "low_label": mark("Label at 0"),
    "high_label": mark("Label at 10"),
    "reason_question": mark("Question about the reason"),
    "thanks": mark("Thank-you text"),
    "purpose": mark("Why you ask"),
    thanks_name(Category.PROMOTER): mark("Thank-you text for promoters (9–10)"),
    thanks_link_name(Category.PROMOTER): mark("Words of the link for promoters"),
    thanks_name(Category.PASSIVE): mark("Thank-you text for passives (7–8)"),
    thanks_link_name(Category.PASSIVE): mark("Words of the link for passives"),
    thanks_name(Category.DETRACTOR): mark("Thank-you text for detractors (0–6)"),
    thanks_link_name(Category.DETRACTOR): mark("Words of the link for detractors"),
}
URL_LABELS: Mapping[Category, str] = {
    Category.PROMOTER: mark("Where the link for promoters leads"),
    Category.PASSIVE: mark("Where the link for passives leads"),
    Category.DETRACTOR: mark("Where the link for detractors leads"),
}
GROUP_NAMES: Mapping[Category, str] = {
    Category.PROMOTER: mark("Promoters (9–10)"),
    Category.PASSIVE: mark("Passives (7–8)"),
    Category.DETRACTOR: mark("Detractors (0–6)"),
}
YES = "yes"
CONTROL_LABELS: Mapping[str, str] = {
    "name": mark("Name"),
    "subject": mark("What is recommended"),
    "languages": mark("Languages"),
    "default_language": mark("Main language"),
    "min_group_size": mark("Group minimum"),
    "retention_months": mark("Months that answers are kept"),
    "privacy_url": mark("Privacy policy"),
    "contact": mark("Contact"),
    "support": mark("Help for respondents"),
    "asks_contact": mark("Address box"),
    "opens_on": mark("First day"),
    "closes_on": mark("Last day"),
    "channel": mark("Where you use it"),
    "key": mark("Key"),
    "label": mark("Label"),
    "values": mark("Values"),
    "source": mark("Where the value comes from"),
    "origin": mark("Address of the site"),
}
SOURCE_LABELS: Mapping[DimensionSource, str] = {
    DimensionSource.LINK: mark("The link that people open"),
    DimensionSource.QUESTION: mark("A question on the form"),
    DimensionSource.API: mark("The API or an import"),
}


@dataclass(frozen=True, slots=True)
class SurveyForm:
    """What stands in the controls, as typed, and the languages ticked or listed."""

    values: Mapping[str, str]
    languages: Sequence[str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def offered_languages(self) -> list[str]:
        """Languages to tick, with neutral texts: the interface's, then the others.

        In the order of their tags and not of their names, which depends on the reader: the labels
        of segments are typed in this order.
        """
        return list(dict.fromkeys([*INTERFACE_LANGUAGES, *form_languages()]))

    @property
    def shown_languages(self) -> list[str]:
        """Languages whose texts have controls: the interface's and the form's."""
        return list(dict.fromkeys([*INTERFACE_LANGUAGES, *self._known_languages]))

    @property
    def main_languages(self) -> list[str]:
        """Languages to choose the main one from: whatever may be ticked or was typed."""
        return list(dict.fromkeys([*self.offered_languages, *self._known_languages]))

    @property
    def other_languages(self) -> str:
        offered = self.offered_languages
        return ", ".join(tag for tag in self.languages if tag not in offered)

    @property
    def _known_languages(self) -> list[str]:
        return [tag for tag in self.languages if parse_language(tag)]

    @property
    def main_language(self) -> str:
        wanted = self["default_language"]
        return wanted if wanted in self.languages else next(iter(self.languages), "")


@dataclass(frozen=True, slots=True)
class FormErrors:
    """Sentences about refused controls, in the reader's language."""

    messages: Mapping[str, str] = field(default_factory=dict)
    summary: Sequence[Mapping[str, str]] = ()

    def of(self, name: str) -> str | None:
        return self.messages.get(name)

    def within(self, *prefixes: str) -> bool:
        """True where some refused control's name begins with one of `prefixes`."""
        return any(name.startswith(prefixes) for name in self.messages)


NO_ERRORS = FormErrors()


def errors_of(error: HonneError, form: SurveyForm | None = None) -> FormErrors:
    """The errors of a refused form; a refusal as a whole stands in the summary only."""
    messages: dict[str, str] = {}
    summary = []
    for param in error.invalid_params:
        control = _control(param.name, form)
        messages.setdefault(control, param.text())
        summary.append({"name": control, "message": f"{_label(control)}: {param.text()}"})
    if not summary:
        summary.append({"name": "", "message": error.text() or gettext(error.title)})
    return FormErrors(messages, summary)


def _control(name: str, form: SurveyForm | None) -> str:
    """The control that a refused input was typed into."""
    first, *rest = name.split(".")
    if first == SUBJECT and rest and form is not None:
        is_main = (parse_language(rest[0]) or rest[0]) == form.main_language
        return SUBJECT if is_main else f"wording.{rest[0]}.{SUBJECT}"
    if first == "dimensions":
        row, part = (rest + ["0", "key"][len(rest) :])[:2]
        return f"dimensions.{row}.{part}"
    if first == "wording":
        return name
    if first in ("preset", "thanks_urls"):
        return name
    return first


def _label(control: str) -> str:
    first, *rest = control.split(".")
    if first == "wording" and len(rest) == 2 and rest[1] in TEXT_LABELS:
        return f"{gettext(TEXT_LABELS[rest[1]])} ({rest[0]})"
    if first == "dimensions" and rest:
        return gettext(mark("Segment %(number)s")) % {"number": int(rest[0]) + 1}
    if first == "preset" and rest:
        return rest[0]
    if first == "thanks_urls" and rest and rest[0] in set(Category):
        return gettext(URL_LABELS[Category(rest[0])])
    return gettext(CONTROL_LABELS.get(first, first))


def read_form(data: FormData) -> SurveyForm:
    """The form as it was sent; files and repeated controls other than languages are left out."""
    values = {name: value for name, value in data.items() if isinstance(value, str)}
    ticked = [value for value in data.getlist("languages") if isinstance(value, str)]
    typed = [tag for tag in re.split(r"[\s,、]+", values.get("other_languages", "")) if tag]
    languages = [parse_language(tag) or tag for tag in [*ticked, *typed]]
    return SurveyForm(values, list(dict.fromkeys(languages)))


def blank_form(language: str) -> SurveyForm:
    """A new survey's form, with defaults that suit most."""
    values = {
        "min_group_size": str(DEFAULT_GROUP_SIZE),
        "retention_months": str(DEFAULT_RETENTION_MONTHS),
    }
    return SurveyForm(values, [language if language in INTERFACE_LANGUAGES else "en"])


def form_of(detail: SurveyDetail) -> SurveyForm:
    """A stored survey in the form; neutral texts leave their controls empty."""
    survey, wording = detail.survey, detail.version.wording
    main = wording[survey.default_language][SUBJECT]
    values = {
        "name": survey.name,
        "subject": main,
        "default_language": survey.default_language,
        "min_group_size": str(survey.min_group_size),
        "retention_months": str(survey.retention_months),
        "privacy_url": survey.privacy_url,
        "contact": survey.contact,
        "support": survey.support,
        "asks_contact": YES if survey.asks_contact else "",
        "opens_on": survey.opens_on.isoformat() if survey.opens_on else "",
        "closes_on": survey.closes_on.isoformat() if survey.closes_on else "",
    }
    values |= {f"thanks_urls.{group}": url for group, url in survey.thanks_urls.items()}
    for language, texts in wording.items():
        usual = {**default_texts(language), SUBJECT: main}
        values |= {
            f"wording.{language}.{name}": text
            for name, text in texts.items()
            if text != usual.get(name)
        }
    return SurveyForm(values, survey.languages)


def to_survey(form: SurveyForm) -> SurveyInput:
    """The new survey that the form describes; Invalid for a date that is none."""
    return SurveyInput.model_validate(
        {
            **_common(form),
            **_worded(form),
            **_promise(form),
            "dimensions": [
                to_dimension(form, f"dimensions.{row}.")
                for row in ROWS
                if form[f"dimensions.{row}.key"].strip() or form[f"dimensions.{row}.values"].strip()
            ],
        }
    )


def to_changes(form: SurveyForm, is_frozen: bool) -> SurveyChanges:
    """What the edit form asks for; without what the first answer froze."""
    given = _common(form)
    if is_frozen:
        # The frozen form has no language boxes, so that only a known one can be chosen.
        given["default_language"] = form["default_language"] or None
    else:
        given |= {**_worded(form), **_promise(form)}
    return SurveyChanges.model_validate(given)


def to_version(form: SurveyForm) -> VersionInput:
    """The wording that the form asks for."""
    return VersionInput.model_validate(_worded(form))


def _common(form: SurveyForm) -> dict[str, object]:
    return {
        "name": form["name"],
        "contact": form["contact"],
        "support": form["support"],
        "thanks_urls": {group.value: form[f"thanks_urls.{group}"] for group in Category},
        "opens_on": _day(form, "opens_on"),
        "closes_on": _day(form, "closes_on"),
    }


def _promise(form: SurveyForm) -> dict[str, object]:
    """The promise as far as the form had controls for it."""
    numbers = ("min_group_size", "retention_months")
    given: dict[str, object] = {name: _whole(form[name]) for name in numbers if name in form.values}
    if "privacy_url" in form.values:
        given["privacy_url"] = form["privacy_url"]
    if "asks_contact" in form.values:
        given["asks_contact"] = form["asks_contact"] == YES
    return given


def _worded(form: SurveyForm) -> dict[str, object]:
    languages = list(form.languages)
    subject = {
        tag: form[f"wording.{tag}.{SUBJECT}"].strip() or form["subject"] for tag in languages
    }
    if form.main_language:
        subject[form.main_language] = form["subject"]
    return {
        "languages": languages,
        "default_language": form.main_language or None,
        "subject": subject,
        "wording": {
            tag: {name: form[f"wording.{tag}.{name}"] for name in WORDED} for tag in languages
        },
    }


def to_dimension(form: SurveyForm, prefix: str = "") -> DimensionInput:
    """One segment dimension of the form; `prefix` tells several apart."""
    source = form[f"{prefix}source"]
    known = {choice.value for choice in DimensionSource}
    return DimensionInput(
        key=form[f"{prefix}key"].strip(),
        label=_labels(form[f"{prefix}label"].split("|"), form.languages),
        values=to_values(form[f"{prefix}values"], form.languages),
        source=DimensionSource(source if source in known else DimensionSource.LINK),
    )


def to_values(text: str, languages: Sequence[str]) -> list[ValueInput]:
    """Values from lines of `key | label | label`, the labels in the order of `languages`."""
    lines = [line.split("|") for line in text.splitlines() if line.strip()]
    return [ValueInput(key=key.strip(), label=_labels(labels, languages)) for key, *labels in lines]


def _labels(texts: Sequence[str], languages: Sequence[str]) -> dict[str, str]:
    pairs = zip(languages, texts, strict=False)
    return {
        tag: text.strip() for tag, text in pairs if text.strip() and parse_language(tag) is not None
    }


def _whole(text: str) -> int:
    """The whole number typed, or one that is out of every range."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _day(form: SurveyForm, name: str) -> date | None:
    text = form[name].strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(
            mark("See which inputs were refused."), invalid_params=[InvalidParam(name, BAD_DAY)]
        ) from None


BAD_DAY = mark("Write a date such as 2026-04-30.")


def language_options() -> list[tuple[str, str]]:
    """The languages that have ready words, each in its own name."""
    return [(tag, language_name(tag)) for tag in INTERFACE_LANGUAGES]

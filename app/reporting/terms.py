"""The terms of a comment: its words and two-word phrases, each form of a word under one key.

Negations stay with what they deny: whoever finds something "not easy" does not mention "easy".
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from snowballstemmer import stemmer

from app.foundation.tokens import fingerprint
from app.reporting import japanese, words
from app.reporting.words import Word, split_words

MAX_WORDS = 600  # of one comment; 4,000 characters have fewer
SKIPPED = 2  # words without a meaning of their own that a phrase or a negation may reach across

_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[^\w\s]", re.UNICODE)
_FRENCH_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\w)")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a language's words are looked up in; `stops` have no meaning of their own."""

    algorithm: str
    denials: frozenset[str]
    stops: frozenset[str]


LEXICONS: Mapping[str, Lexicon] = {
    "en": Lexicon(
        "english",
        split_words(
            "not no never nothing without cannot can't cant don't dont doesn't doesnt didn't"
            " didnt isn't isnt aren't wasn't weren't won't wouldn't couldn't shouldn't haven't"
            " hasn't hadn't hardly barely nor neither"
        ),
        split_words(
            "a an the and or but if so as of at by for from in into on onto to with about"
            " over than then that this these those there here it its it's i'm i i've i'd i'll"
            " me my we we're we've our us you your you're he she his her they them their who"
            " which what when where why how is are was were be been being am do does did done"
            " doing have has had having will would can could should may might must shall just"
            " very really too also only even still more most much many some any all each every"
            " both other such own same again because while during before after up down out off"
            " through between against get gets got getting make makes made one two lot lots"
            " bit quite rather thing things etc well"
        ),
    ),
    "fr": Lexicon(
        "french",
        split_words("pas non jamais rien aucun aucune sans ni guère"),
        split_words(
            "le la les un une des de du d l au aux à a et ou mais donc or car que qui quoi"
            " dont où ce cet cette ces ça c cela je j tu il elle on nous vous ils elles me m"
            " te t se s moi toi lui leur leurs mon ma mes ton ta tes son sa ses notre nos"
            " votre vos est es suis sont êtes sommes été être était étaient sera serait ai as"
            " avons avez ont avoir avait fait faire fais font y en dans sur sous par pour avec"
            " chez vers entre plus moins très trop assez bien aussi si ne n comme tout tous"
            " toute toutes même mêmes quand lorsque alors encore toujours car peu beaucoup"
            " peut peuvent quelques plusieurs autre autres parce qu jusqu lorsqu puisqu c'est"
            " ici là"
        ),
    ),
    "de": Lexicon(
        "german",
        split_words(
            "nicht kein keine keinen keiner keinem keines nie niemals nichts ohne kaum weder"
        ),
        split_words(
            "der die das den dem des ein eine einen einem einer eines und oder aber sondern"
            " denn weil dass wenn als wie ob so zu zum zur in im ins an am auf aus bei beim"
            " mit nach von vom für über unter um durch gegen vor hinter zwischen ich du er sie"
            " es wir ihr mich mir dich dir ihn ihm uns euch ihnen mein meine meinen meiner"
            " dein sein seine unser unsere ihre ihren ist sind bin bist war waren wäre sein"
            " gewesen wird werden wurde wurden worden hat haben habe hatte hatten kann können"
            " konnte könnte muss müssen soll sollte sollten will wollen würde würden darf man"
            " sich auch nur noch schon sehr mehr viel viele alle alles etwas dies diese dieser"
            " dieses da dort hier dann doch mal ja immer wieder ganz sowie bzw welche was wer"
            " wo warum"
        ),
    ),
    "es": Lexicon(
        "spanish",
        split_words("no nunca jamás nada sin ningún ninguna ninguno tampoco ni"),
        split_words(
            "el la los las un una unos unas de del al a y e o u pero que quien cual como"
            " cuando donde porque por para con en entre sobre desde hasta hacia se me te le"
            " les lo nos os mi mis tu tus su sus nuestro nuestra nuestros nuestras yo tú él"
            " ella ellos ellas nosotros usted ustedes esto este esta estos estas ese esa eso"
            " esos esas aquel es son soy eres somos era eran fue fueron ser sido siendo está"
            " están estoy estaba estar ha han he hay haber había tiene tienen tengo tener hace"
            " hacer hacen puede pueden poder muy más menos mucho mucha muchos muchas poco todo"
            " toda todos todas también ya aún sólo solo si sí otro otra otros otras mismo"
            " misma tan así algo cada bien"
        ),
    ),
    "pt": Lexicon(
        "portuguese",
        split_words("não nunca jamais nada sem nenhum nenhuma nem tampouco"),
        split_words(
            "o a os as um uma uns umas de do da dos das no na nos nas ao aos à às em por pelo"
            " pela pelos pelas para com entre sobre até desde e ou mas que quem qual como"
            " quando onde porque se me te lhe nos vos meu minha meus minhas teu tua seu sua"
            " seus suas nosso nossa nossos nossas eu tu ele ela eles elas nós você vocês isto"
            " este esta estes estas isso esse essa esses essas aquele é são sou somos era eram"
            " foi foram ser sido está estão estou estava estar há havia tem têm tenho ter"
            " tinha faz fazer fazem pode podem poder muito muita muitos muitas mais menos"
            " pouco todo toda todos todas também já ainda só mesmo mesma outro outra outros"
            " outras tão assim algo cada bem"
        ),
    ),
}


def find_terms(comment: str, language: str) -> dict[str, str]:
    """The terms of a comment, each once: key → how it was written, in lower case.

    `language` is that of the form; the script decides where it says otherwise. Languages that
    write without spaces, other than Japanese, have no terms.
    """
    text = comment.lower()
    terms: dict[str, str] = {}
    before: Word | None = None
    for word in islice(_read_words(text, language_of(comment, language)), MAX_WORDS):
        if word is not None and word.is_term:
            terms.setdefault(word.key, text[word.start : word.end])
        if word is not None and before is not None and before.key != word.key:
            written = text[before.start : word.end]
            terms.setdefault(f"{before.key} {word.key}", " ".join(written.split()))
        before = word
    return terms


def language_of(comment: str, language: str) -> str | None:
    """The language a comment is read in; None where Honne does not know its words."""
    if _KANA.search(comment):
        return "ja"
    if _HAN.search(comment):
        return "ja" if language == "ja" else None
    primary = language.partition("-")[0]
    return primary if primary not in ("ja", "zh") else "en"


def _read_words(text: str, language: str | None) -> Iterator[Word | None]:
    """Words in order, None where a phrase ends."""
    if language is None:
        return iter(())
    if language == "ja":
        return japanese.read_words(text)
    return _read_european(text, language)


def _read_european(text: str, language: str) -> Iterator[Word | None]:
    """A phrase ends at punctuation, and where too many words without a meaning stand between."""
    lexicon = LEXICONS.get(language, _UNKNOWN)
    denied_from: int | None = None
    skipped = 0
    for found in _TOKEN.finditer(text):
        token = _plain(found[0], language)
        start = found.end() - len(token)
        if not token[0].isalnum() or skipped == SKIPPED:
            denied_from, skipped = None, 0
            yield None
        if not token[0].isalnum():
            continue
        if token in lexicon.denials:
            denied_from, skipped = start, 0
        elif token in lexicon.stops or len(token) < 2 or token.isdigit():
            skipped += 1
        else:
            word = Word(stem(token, lexicon.algorithm), start, found.end())
            yield word if denied_from is None else word.denied(denied_from, found.end())
            denied_from, skipped = None, 0


def _plain(token: str, language: str) -> str:
    token = token.replace("’", "'")
    return _FRENCH_ELISION.sub("", token) if language == "fr" else token


_UNKNOWN = Lexicon("", frozenset(), frozenset())


@lru_cache(100_000)
def stem(token: str, algorithm: str) -> str:
    """What a word's forms have in common, by the Snowball algorithm; itself where there is none."""
    token = unicodedata.normalize("NFKC", token)
    return str(stemmer(algorithm).stemWord(token)) if algorithm else token


def _number_rules() -> int:
    """Another number wherever comments are read by other rules: by other code or dictionaries.

    Nobody has to remember it, at the price of reading all comments again after any edit here.
    """
    sources = [Path(file).read_bytes() for file in (__file__, japanese.__file__, words.__file__)]
    packages = ("snowballstemmer", "sudachipy", "sudachidict-small")
    versions = [f"{name} {version(name)}".encode() for name in packages]
    return int.from_bytes(fingerprint(b"\n".join([*sources, *versions]))[:4])


RULES = _number_rules()

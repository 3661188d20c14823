"""What bytes mean: one encoding, another, or two at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responses.file_encodings import MIXED, EncodingSurvey, decode_mixed, decoder

FRENCH = "Très bien, j’ai aimé. Le café était à côté, les caissières agréables : rien à redire.\n"
JAPANESE = "サービスがとても良かったです。また利用します。\n"
RUSSIAN = "Привет, это был очень хороший сервис, спасибо. Доставка быстрая, персонал вежливый.\n"
POLISH = "Dostawa była szybka, ale obsługa mogłaby być milsza. Zażółć gęślą jaźń.\n"


def survey(content: bytes) -> str:
    found = EncodingSurvey()
    for line in content.splitlines(keepends=True):
        found.look_at(line)
    return found.name()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", "utf-8"),
        (FRENCH, "utf-8"),
        (FRENCH, "cp1252"),
        ("9,café\n", "cp1252"),
        (JAPANESE, "utf-8"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        ("服务非常好，下次还会再来。价格有点贵，但是质量不错。\n", "gb18030"),
        ("服務非常好，下次還會再來。價格有點貴。\n", "big5"),
        ("서비스가 매우 좋았습니다. 다음에 또 이용하겠습니다.\n", "cp949"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (POLISH, "cp1250"),
    ],
)
def test_a_text_is_read_as_it_was_written(text: str, encoding: str) -> None:
    content = (text * 3).encode(encoding)
    assert decoder(survey(content))(content) == text * 3


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"caf\xe9 et caf\x82", "café et café"),
        (
            b"l'\x82cole, no\x89l, gr\x83ce, go\x96t, bo\x8ctes",
            "l'école, noël, grâce, goût, boîtes",
        ),
        (b"PRIX INTERM\x90DIAIRE, TR\xd4S, \xd2TRE", "PRIX INTERMÉDIAIRE, TRÈS, ÊTRE"),
        (b"15\x80 d'achat, D\x90\x80U", "15€ d'achat, DÉÇU"),
        (b"l\x92eau, \x93oui\x94, fin\x85", "l’eau, “oui”, fin…"),
        (b"muy r\xa0pido, se\xa4or, atendi\xa2", "muy rápido, señor, atendió"),
        (b"de 9 \xb7 37, \xb7 PARIS", "de 9 À 37, À PARIS"),
        (b"plain", "plain"),
    ],
)
def test_each_byte_of_a_mixture_is_read_in_its_context(line: bytes, text: str) -> None:
    assert decode_mixed(line) == text


def test_a_mixture_is_noticed_but_only_where_there_is_one() -> None:
    assert survey(b"caf\xe9\n" * 50 + b"caf\x82\n") == MIXED
    assert survey("“dis” – l’été… 3 €\n".encode("cp1252")) == "cp1252"


@given(st.binary())
def test_no_byte_is_lost_or_refused(line: bytes) -> None:
    assert len(decode_mixed(line)) == len(line)
    assert len(decoder("cp1252")(line)) == len(line)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(LookupError):
        decoder("klingon")

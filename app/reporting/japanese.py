"""Japanese words by SudachiPy: normalised forms as keys, endings and negations with their word."""

import threading
from collections.abc import Iterator
from dataclasses import replace

from sudachipy import Dictionary, SplitMode
from sudachipy.morpheme import Morpheme
from sudachipy.tokenizer import Tokenizer

from app.reporting.words import Word, split_words

MAX_BYTES = 49_149  # what the tokenizer takes at once

_local = threading.local()
_NOUNS = ("普通名詞", "固有名詞")
_ENDS = ("補助記号", "記号", "空白")
# Verbs that say how, not what; and words that stand in comments about anything.
_LIGHT = split_words(
    "為る 居る 有る 成る 呉れる 貰う 頂く 下さる 置く 仕舞う 来る 行く 遣る 言う 思う 考える 事 物"
    " 為 所 時 方 点 先 度 訳 筈 様 中 上 感じ 感じる 其れ 此れ 人 自分 皆 今 年 月 日 回 なし"
)
_DENIALS = split_words("ない ず 無い まい なし")
_BETWEEN = split_words("は も が だ です ます じゃ で て 有る 御座る")
_IN_PHRASES = split_words("多い 以上 こと")  # denied or not
_SAYS_LITTLE = split_words("無い 良く") | _IN_PHRASES


def read_words(text: str) -> Iterator[Word | None]:
    """Words in order, None where a phrase ends."""
    found = list(_tokenizer().tokenize(_cut(text), SplitMode.C))
    at = 0
    while at < len(found):
        kind = found[at].part_of_speech()
        if kind[0] in _ENDS or kind[:2] == ("助詞", "接続助詞"):
            yield None
        elif (word := _word(found[at])) is not None:
            word, at = _with_endings(word, found, at)
            yield word
        at += 1


def _tokenizer() -> Tokenizer:
    """One for each thread: a tokenizer keeps state between calls."""
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = Dictionary(dict="small").tokenizer(mode=SplitMode.C)
    found: Tokenizer = _local.tokenizer
    return found


def _cut(text: str) -> str:
    return text.encode(errors="replace")[:MAX_BYTES].decode(errors="ignore")


def _word(morpheme: Morpheme) -> Word | None:
    key, kind = morpheme.normalized_form(), morpheme.part_of_speech()
    has_meaning = (
        kind[0] in ("動詞", "形容詞", "形状詞")
        or (kind[0] == "名詞" and kind[1] in _NOUNS)
        or key in _SAYS_LITTLE
    )
    if not has_meaning or key in _LIGHT or kind[1] == "助動詞語幹" or key.isdigit():
        return None
    # A verb by itself says what is done and not to what: "出来る" stands in praise and complaint.
    is_term = kind[0] != "動詞" and key not in _SAYS_LITTLE
    return Word(key.lower(), morpheme.begin(), morpheme.end(), is_term)


def _with_endings(word: Word, found: list[Morpheme], at: int) -> tuple[Word, int]:
    """The word with what changes its meaning (-やすい, -にくい, -ない), and where that ends."""
    end = at
    if end + 1 < len(found) and found[end + 1].part_of_speech()[:2] == ("接尾辞", "形容詞的"):
        end += 1
        ending = found[end]
        word = Word(f"{word.key}{ending.normalized_form()}", word.start, ending.end())
    denial = end + 1
    while denial < len(found) and found[denial].normalized_form() in _BETWEEN:
        denial += 1
    if denial < len(found) and found[denial].normalized_form() in _DENIALS:
        is_term = word.key not in _IN_PHRASES
        return replace(word.denied(word.start, found[denial].end()), is_term=is_term), denial
    return word, end

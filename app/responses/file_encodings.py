"""What the bytes of somebody's file mean: finds the encoding, or repairs a mixture of two.

Files are read line by line, each line decoded on its own, so that an unreadable byte can be named
by its line and memory does not grow with the file.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

Decode = Callable[[bytes], str]

MIXED = "cp1252+cp850"
SAMPLE_BYTES = 256 * 1024

_JAPANESE = ("cp932", "euc_jp")
_OTHER_EAST_ASIAN = ("gb18030", "big5", "cp949")
_ALPHABETS = ("cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257")
_LEAST_COHERENCE = 0.3
_WESTERN = frozenset("éèàêçôâûîùïëäöüßñáíóúãõåæøœÉÈÀÊÇÄÖÜÑÁÍÓÚ’‘“”«»–—…€°¿¡ºª\xa0")
_LEAST_WESTERN = 0.95
# Bytes that CP850 has letters for and that never follow a letter in Windows-1252 text.
_CP850_WORD = re.compile(rb"[A-Za-z][\x81\x82\x84\x87\x88\x8d\x8f\x90]")
# Ê Ë È and the quotation marks « » of CP850; as Windows-1252 they would be Ò Ó Ô ® ¯.
_CP850_WHERE_MIXED = frozenset(b"\xd2\xd3\xd4\xae\xaf")
_APOSTROPHES_AND_QUOTES = frozenset(b"\x91\x92\x9b")


@dataclass(slots=True)
class EncodingSurvey:
    """Looks at every line of a file once and then names its encoding."""

    is_utf8: bool = True
    is_iso_2022_jp: bool = False
    has_cp850_words: bool = False
    sample: bytearray = field(default_factory=bytearray)

    def look_at(self, line: bytes) -> None:
        if line.isascii():
            self.is_iso_2022_jp = self.is_iso_2022_jp or b"\x1b$" in line
            return
        self.is_utf8 = self.is_utf8 and _decodes(line, "utf-8")
        self.has_cp850_words = self.has_cp850_words or bool(_CP850_WORD.search(line))
        if len(self.sample) < SAMPLE_BYTES:
            self.sample += line

    def name(self) -> str:
        """The encoding of all lines seen, as `decoder` takes it."""
        if self.is_utf8:
            return "iso2022_jp" if self.is_iso_2022_jp else "utf-8"
        sample = bytes(self.sample)
        return (
            _east_asian(sample)
            or (MIXED if self.has_cp850_words else None)
            or _other_alphabet(sample)
            or "cp1252"
        )


@cache
def decoder(name: str) -> Decode:
    """A function from a line's bytes to its text; it raises UnicodeDecodeError.

    Raises LookupError for an encoding nobody knows. Windows-1252 never fails: its five unused
    bytes are kept as control characters.
    """
    if name == MIXED:
        return decode_mixed
    info = codecs.lookup(name)
    if info.name == "cp1252":
        return _decode_cp1252
    return lambda line: info.decode(line, "strict")[0]


def decode_mixed(line: bytes) -> str:
    """Text whose bytes are partly Windows-1252 and partly CP850, as old exports mix them.

    Each byte is read on its own: as CP850 where that makes a letter that fits its neighbours and
    Windows-1252 would put a sign inside a word.
    """
    if line.isascii():
        return line.decode("ascii")
    return "".join(
        chr(byte) if byte < 0x80 else _decode_in_context(line, place, byte)
        for place, byte in enumerate(line)
    )


def _decode_in_context(line: bytes, place: int, byte: int) -> str:
    western, dos = _decode_cp1252(bytes([byte])), bytes([byte]).decode("cp850")
    if byte in _CP850_WHERE_MIXED:
        return dos
    if western.isalpha() and byte >= 0xA0:
        return western
    before = line[place - 1 : place] if place else b""
    after = line[place + 1 : place + 2]
    return dos if _fits_as_letter(byte, dos, before, after) else western


def _fits_as_letter(byte: int, dos: str, before: bytes, after: bytes) -> bool:
    if not dos.isalpha() or byte in _APOSTROPHES_AND_QUOTES:
        return False
    follows, precedes = _is_letter(before), _is_letter(after)
    if dos.isupper():
        is_lonely = before in (b" ", b'"') and after in (b" ", b'"') and byte >= 0xA0
        starts_word = precedes and not before.isdigit() and not follows
        return is_lonely or starts_word or (follows and not before.islower())
    if byte in (0x93, 0x94):  # ô and ö, which are opening and closing quotation marks elsewhere
        return follows and precedes
    if byte == 0x85:  # à, which is an ellipsis elsewhere
        return not follows or precedes
    return (follows and not after.isupper()) or (precedes and not before.isdigit())


def _is_letter(byte: bytes) -> bool:
    return byte.isalpha() or byte >= b"\x80"


def _decode_cp1252(line: bytes) -> str:
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(_decode_cp1252_byte(byte) for byte in line)


def _decode_cp1252_byte(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _east_asian(sample: bytes) -> str | None:
    """Latin text may decode as well, but only to a few strange characters: scripts decide."""
    for name in _JAPANESE:
        if _share_of_scripts(sample, name, ("HIRAGANA", "KATAKANA")) >= 1 / 4:
            return name
    scripts = ("CJK UNIFIED", "HANGUL", "FULLWIDTH", "IDEOGRAPHIC")
    fitting = [name for name in _OTHER_EAST_ASIAN if _share_of_scripts(sample, name, scripts) > 0.7]
    guess, _coherence = _guess(sample, fitting) if fitting else ("", 0.0)
    return guess if guess in fitting else next(iter(fitting), None)


def _share_of_scripts(sample: bytes, name: str, scripts: tuple[str, ...]) -> float:
    if not _decodes(sample, name):
        return 0.0
    wide = [character for character in sample.decode(name) if ord(character) > 0x7F]
    fitting = sum(unicodedata.name(character, "").startswith(scripts) for character in wide)
    return fitting / max(len(wide), 1)


def _other_alphabet(sample: bytes) -> str | None:
    wide = [character for character in _decode_cp1252(sample) if ord(character) > 0x7F]
    if sum(character in _WESTERN for character in wide) >= _LEAST_WESTERN * len(wide):
        return None
    guess, coherence = _guess(sample, [*_ALPHABETS, "cp1252"])
    return guess if guess in _ALPHABETS and coherence >= _LEAST_COHERENCE else None


def _guess(sample: bytes, among: list[str]) -> tuple[str, float]:
    """The likeliest encoding and how sure that is, from 0 to 1; no name where none fits."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 (slow to import)

    best = from_bytes(sample, cp_isolation=among).best()
    return (best.encoding, best.coherence) if best else ("", 0.0)

"""Other people's CSV files, and files that are none."""

from pathlib import Path

import pytest

from app.responses.csv_reading import MAX_LINE_BYTES, CsvFile, CsvFormat, UnreadableFile, open_csv


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.csv"


def opened(path: Path, content: bytes | str, **wanted: object) -> CsvFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_csv(path, CsvFormat(**wanted))  # type: ignore[arg-type]


def cells(source: CsvFile) -> list[list[str]]:
    return [list(row.cells) for row in source.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(path: Path, delimiter: str) -> None:
    rows = [["score", "comment"], ["9", 'a "very, very; good" one|'], ["3", "two\nlines\tlong"]]
    text = "".join(
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows
    )
    source = opened(path, text)
    assert source.delimiter == delimiter
    assert cells(source) == rows[1:]


def test_a_delimiter_may_be_given(path: Path) -> None:
    assert cells(opened(path, "score;a,b\n9;c,d\n", delimiter=",")) == [["9;c", "d"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8", "cp932", "iso2022_jp"])
def test_byte_order_marks_and_encodings(path: Path, encoding: str) -> None:
    source = opened(path, "点,ひとこと\n9,とても良かったです\n".encode(encoding))
    assert source.columns == ("点", "ひとこと")
    assert cells(source) == [["9", "とても良かったです"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_know_the_line_they_begin_in(path: Path, end: str) -> None:
    text = end.join(["score,comment", '9,"one', 'two"', "", "8,x", ""])
    assert [row.line for row in opened(path, text).rows()] == [2, 5]


def test_lines_before_the_header_and_more_header_rows(path: Path) -> None:
    text = "Export of today\n\nQ1,,Q2\nScore,Label,Answer\n9,Promoter,fine\n"
    source = opened(path, text, skip_rows=2, header_rows=2)
    assert [(row.line, list(row.cells)) for row in source.rows()] == [
        (5, ["9", "Promoter", "fine"])
    ]
    assert source.find_column("Q1") == 0
    assert source.find_column("Label") == 1
    assert source.find_column("#3") == 2


def test_a_column_is_found_whatever_its_case_and_space(path: Path) -> None:
    source = opened(path, " NPS  score ,nps,NPS\n9,8,7\n")
    assert source.find_column("nps score") == 0
    assert source.find_column("NPS") == 2


def test_a_missing_column_is_answered_with_those_there_are(path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        opened(path, "score,100% sure,\n9,8,7\n").find_column("nps")
    assert refused.value.text("en") == (
        "There is no column 'nps'. The columns are: 'score', '100% sure', '#3'."
    )


def test_a_name_over_two_columns_has_to_be_made_clear(path: Path) -> None:
    with pytest.raises(UnreadableFile, match="reason") as refused:
        opened(path, "nps,nps\n9,8\n").find_column("nps")
    assert "#1, #2" in refused.value.text("en")


def test_a_broken_row_is_one_row(path: Path) -> None:
    rows = list(opened(path, 'score,comment\n9,"a" b\n8,fine\n').rows())
    assert [(row.line, bool(row.problem)) for row in rows] == [(2, True), (3, False)]


@pytest.mark.parametrize(
    "text",
    [
        'score,comment\n9,"never closed\n8,a\n7,b\n',
        'score,comment\n9,"closed late\n8,a\n7,"b"\n',
        'score,comment\n9,"' + "huge line\n" * 20_000,
    ],
)
def test_a_quotation_mark_that_swallows_rows_stops_the_reading(path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(opened(path, text).rows())
    assert "opened in line 2" in refused.value.text("en")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"score\n" + b"9" * (MAX_LINE_BYTES + 1), "longer than 1 MiB"),
        (b"score\n" + b"9" * (3 * MAX_LINE_BYTES), "longer than 1 MiB"),
        (bytes(200), "is not text"),
        ("score\n9\n".encode("utf-16-le"), "is not text"),
    ],
)
def test_what_is_no_csv_file_is_refused(path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(opened(path, content).rows())
    assert reason in refused.value.text("en")


def test_a_given_encoding_that_does_not_fit_names_the_line(path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(opened(path, b"score\n9\n\xff\n", encoding="utf-8").rows())
    assert "Line 3 cannot be read as utf-8" in refused.value.text("en")
    with pytest.raises(UnreadableFile) as refused:
        opened(path, b"score\n9\n", encoding="klingon")
    assert "no encoding called 'klingon'" in refused.value.text("en")


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        open_csv(path, CsvFormat())
    assert "No such file" in refused.value.text("en")


def test_progress_ends_at_the_size_of_the_file(path: Path) -> None:
    source = opened(path, "score\n" + "9\n" * 10_000)
    places: list[int] = []
    assert len(list(source.rows(places.append))) == 10_000
    assert places == sorted(places)
    assert places[-1] == source.size

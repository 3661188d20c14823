"""What `make bench` and `make torture` are told on their command lines."""

import pytest

from bench.__main__ import MEASUREMENTS, main
from bench.figures import Figure
from tests.torture.conftest import read_rounds


@pytest.mark.parametrize("scale", ["abc", "", "0", "-1", "nan", "inf"])
def test_a_scale_that_is_none_is_refused_in_a_line(
    scale: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCALE", scale)
    monkeypatch.setitem(MEASUREMENTS, "nothing", lambda _scale: pytest.fail("it was measured"))
    assert main(["nothing"]) == 2
    out, said = capsys.readouterr()
    assert out == "", "figures alone go there"
    assert said == f"SCALE is a number above 0, such as 0.1 for a tenth of the time: {scale}\n"


def test_a_scale_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def measure(scale: float) -> list[Figure]:
        given.append(scale)
        return []

    monkeypatch.setenv("SCALE", "0.1")
    monkeypatch.setitem(MEASUREMENTS, "nothing", measure)
    assert main(["nothing"]) == 0
    assert given == [0.1]


def test_an_unknown_measurement_is_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit_api,sumbit_form"]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith("no such measurement: sumbit_form; there are: submit_api, ")


@pytest.mark.parametrize("text", ["abc", "", "0", "-3", "1.5"])
def test_rounds_that_are_no_number_end_the_run(text: str) -> None:
    with pytest.raises(pytest.exit.Exception, match="whole number above 0"):
        read_rounds(text)


def test_rounds() -> None:
    assert read_rounds("20") == 20

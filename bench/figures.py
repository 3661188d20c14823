"""What a measurement found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, its yardstick from the same run, and value ÷ yardstick."""

    name: str
    value: float
    unit: str
    yardstick: float

    @property
    def ratio(self) -> float:
        return self.value / self.yardstick

    def line(self) -> str:
        """`name value unit yardstick ratio`, separated by tabs."""
        value, yardstick = _short(self.value), _short(self.yardstick)
        return f"{self.name}\t{value}\t{self.unit}\t{yardstick}\t{self.ratio:.2f}"


def _short(number: float) -> str:
    """With one decimal where it has less than four digits before it and is no whole number."""
    return f"{number:.0f}" if number >= 1000 or number == int(number) else f"{number:.1f}"

"""What a measurement found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A median, its yardstick from the same run, and value ÷ yardstick."""

    name: str
    value: float
    unit: str
    yardstick: float

    @property
    def ratio(self) -> float:
        return self.value / self.yardstick

    def line(self) -> str:
        """`name value unit yardstick ratio`, separated by tabs."""
        return f"{self.name}\t{self.value:.0f}\t{self.unit}\t{self.yardstick:.0f}\t{self.ratio:.2f}"

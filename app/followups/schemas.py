"""What the dashboard is told about the workspace's own notes."""

import uuid
from dataclasses import dataclass
from datetime import date

from app.followups.models import Annotation, AnnotationKind


@dataclass(frozen=True, slots=True)
class Note:
    """An event or an action, as far as it is marked on a trend; `day` is where."""

    id: uuid.UUID
    kind: AnnotationKind
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Goal:
    """The NPS to be reached, in points, and by when."""

    nps: int
    reach_by: date | None


@dataclass(frozen=True, slots=True)
class Comparable:
    """What others reach, in points, as the workspace entered it, with source and day."""

    name: str
    average: float | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    source: str
    as_of: date

    @property
    def middle(self) -> float | None:
        """What a line on a chart stands for: the average, or else the median."""
        return self.average if self.average is not None else self.median


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that stands around a survey's score: its notes by day, its goal, the benchmarks."""

    notes: tuple[Note, ...] = ()
    goal: Goal | None = None
    benchmarks: tuple[Comparable, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """An event or an action, and what its owner is called; None where there is none, or where
    they have left the workspace."""

    annotation: Annotation
    owner_name: str | None

    def is_overdue(self, today: date) -> bool:
        """True for what is not done and was due before `today`."""
        row = self.annotation
        return row.done_on is None and row.due_on is not None and row.due_on < today

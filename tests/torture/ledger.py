"""What clients sent and what was acknowledged, kept to be held against what is stored."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

MARK = "t-"  # every comment of a ledger begins with it


@dataclass(frozen=True, slots=True)
class Content:
    """A version of an answer; no other answer and no other version has its comment."""

    score: int
    comment: str


@dataclass
class Submission:
    """One answer as its sender knows it: all versions in the order sent, one after the other.

    `acknowledged` of them, from the first on, were acknowledged or sent again later. An exclusion
    is in doubt from the moment it was sent.
    """

    tag: str
    sent: list[Content] = field(default_factory=list)
    acknowledged: int = 0
    is_exclusion_sent: bool = False
    is_exclusion_acknowledged: bool = False

    def write(self, score: int) -> Content:
        """The next version, about to be sent."""
        content = Content(score, f"{self.tag}.{len(self.sent)} <“warum”> {score} 理由")
        self.sent.append(content)
        return content

    def acknowledge(self) -> None:
        """The newest version was acknowledged."""
        self.acknowledged = len(self.sent)

    @property
    def possible(self) -> list[Content]:
        """What may be stored now: the last acknowledged version or one sent after it."""
        return self.sent[max(self.acknowledged - 1, 0) :]


Row = tuple[str, int, str]  # comment, score, standing


class Ledger:
    """All submissions; faults are sentences for a person."""

    def __init__(self) -> None:
        self.submissions: dict[str, Submission] = {}
        self._lock = threading.Lock()

    def open(self) -> Submission:
        with self._lock:
            submission = Submission(f"{MARK}{len(self.submissions)}")
            self.submissions[submission.tag] = submission
        return submission

    @property
    def acknowledged(self) -> int:
        return sum(bool(found.acknowledged) for found in self.submissions.values())

    def find_faults(self, rows: Iterable[Row]) -> list[str]:
        """Everything in which `rows`, all stored answers of this ledger, differ from it."""
        stored: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            stored[row[0].partition(".")[0]].append(row)
        faults = [f"{tag} was never sent" for tag in stored.keys() - self.submissions.keys()]
        for tag, submission in self.submissions.items():
            faults += _find_faults(submission, stored.get(tag, []))
        return faults


def _find_faults(submission: Submission, rows: list[Row]) -> list[str]:
    tag = submission.tag
    if len(rows) > 1:
        return [f"{tag} is stored {len(rows)} times"]
    if not rows:
        return [f"{tag} was acknowledged and is not stored"] if submission.acknowledged else []
    comment, score, standing = rows[0]
    faults = []
    if Content(score, comment) not in submission.possible:
        faults.append(f"{tag} holds {comment!r}, acknowledged {submission.possible[0].comment!r}")
    if submission.is_exclusion_acknowledged and standing != "excluded":
        faults.append(f"{tag} was left out, and is {standing}")
    if standing == "excluded" and not submission.is_exclusion_sent:
        faults.append(f"{tag} is left out, and nobody asked for it")
    return faults

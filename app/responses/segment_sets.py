"""Segment sets: each combination of segment values once, under an id that follows from it.

Because the id is computed, an answer and its count name their set without a look-up, and two
processes that meet a new combination at the same moment agree on it.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import text

from app.foundation.questions import Executor


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The segment values of an answer to one survey: dimension key → value key."""

    survey_id: uuid.UUID
    labels: Mapping[str, str]

    @property
    def id(self) -> uuid.UUID:
        return segment_set_id(self.survey_id, self.labels)


def canonical(labels: Mapping[str, str]) -> str:
    """The one JSON text of `labels`, whatever their order."""
    return json.dumps(dict(sorted(labels.items())), separators=(",", ":"))


def segment_set_id(survey_id: uuid.UUID, labels: Mapping[str, str]) -> uuid.UUID:
    """The id of the combination `labels` within a survey: UUID version 5 of its canonical JSON."""
    return _set_id(survey_id, tuple(labels.items()))


@lru_cache(10_000)
def _set_id(survey_id: uuid.UUID, labels: tuple[tuple[str, str], ...]) -> uuid.UUID:
    return uuid.uuid5(survey_id, canonical(dict(labels)))


async def ensure_segment_sets(
    session: Executor, workspace_id: uuid.UUID, sets: Iterable[LabelSet]
) -> None:
    """Make a row for each of `sets` that has none."""
    by_id = {label_set.id: label_set for label_set in sets}
    if not by_id:
        return
    ids = sorted(by_id)
    await session.execute(
        _INSERT,
        {
            "workspace_id": workspace_id,
            "ids": ids,
            "survey_ids": [by_id[set_id].survey_id for set_id in ids],
            "labels": [canonical(by_id[set_id].labels) for set_id in ids],
        },
    )


_INSERT = text(
    """
    INSERT INTO segment_sets (workspace_id, id, survey_id, labels)
    SELECT :workspace_id, id, survey_id, CAST(labels AS jsonb)
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:survey_ids AS uuid[]), CAST(:labels AS text[])
    ) AS new_set (id, survey_id, labels)
    ON CONFLICT (workspace_id, id) DO NOTHING
    """
)

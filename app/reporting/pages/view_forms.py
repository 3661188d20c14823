"""The saved views as a page shows them, with the form of one that was refused."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.foundation.errors import HonneError
from app.reporting.view_tables import SavedView
from app.reporting.views import is_same_query


@dataclass(frozen=True, slots=True)
class ViewForm:
    """The form of a view as it was sent and refused; `view_id` is None for a new one."""

    view_id: uuid.UUID | None
    typed: str
    refused: HonneError
    is_default: bool = False

    @property
    def text(self) -> str:
        params = self.refused.invalid_params
        return params[0].text() if params else self.refused.text()


def marked_views(views: Sequence[SavedView], text: str) -> list[tuple[SavedView, bool]]:
    """Each view, and whether it is what a page with that query shows."""
    return [(view, is_same_query(view.query, text)) for view in views]

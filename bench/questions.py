"""What a call for figures and a dashboard want to know, as SQL over the raw answers.

The same text for Postgres and DuckDB; `{answers}` are the rows of one survey, a column for each
label. Days are measured back from yesterday, the last day that was loaded.
"""

from datetime import date, timedelta

from app.reporting.metrics import RECENT

COLUMNS = ("id", "answered_on", "score", "standing", "comment", "language", "channel")
LABELS = ("plan", "region", "role")


def of_metrics(today: date) -> list[str]:
    """Figures by score and standing, by month, by plan, and of the last 90 days against those
    before: what `GET /metrics?group_by=plan&interval=month` answers."""
    return [
        "SELECT standing, score, count(*) FROM {answers} GROUP BY 1, 2",
        (
            "SELECT date_trunc('month', answered_on), score, count(*) FROM {answers} "
            "WHERE standing = 'counted' GROUP BY 1, 2"
        ),
        _by("plan", today),
        (
            f"SELECT answered_on > DATE '{today - RECENT}', score, count(*) FROM {{answers}} "  # noqa: S608
            f"WHERE standing = 'counted' AND answered_on > DATE '{today - 2 * RECENT}' "
            "GROUP BY 1, 2"
        ),
    ]


def of_dashboard(today: date) -> list[str]:
    """The same by every label, and the five latest comments."""
    selectors = [name for name in (*LABELS, "language", "channel") if name != "plan"]
    return [
        *of_metrics(today),
        *(_by(name, today) for name in selectors),
        (
            "SELECT id, answered_on, score, comment FROM {answers} WHERE comment IS NOT NULL "
            "ORDER BY answered_on DESC, id LIMIT 5"
        ),
    ]


def _by(label: str, today: date) -> str:
    months = (today - timedelta(days=2)).replace(day=1)
    return (
        f"SELECT {label}, date_trunc('month', answered_on), score, count(*) FROM {{answers}} "  # noqa: S608
        f"WHERE standing = 'counted' AND answered_on < DATE '{months}' GROUP BY 1, 2, 3"
    )

"""What the rates beside the score are called, and what they are shares of."""

from app.followups.models import IndicatorMetric
from app.foundation.translation import gettext, mark

METRIC_NAMES = {
    IndicatorMetric.CHURN: mark("Churn rate"),
    IndicatorMetric.RETENTION: mark("Retention rate"),
    IndicatorMetric.NRR: mark("Net revenue retention (NRR)"),
}
METRIC_MEANINGS = {
    IndicatorMetric.CHURN: mark("Customers lost in the month ÷ customers at its start."),
    IndicatorMetric.RETENTION: mark("1 − churn rate: customers kept ÷ customers at its start."),
    IndicatorMetric.NRR: mark(
        "(Recurring revenue at the start of the month + expansion − contraction − churned) ÷ "
        "recurring revenue at its start."
    ),
}


def metric_options() -> list[tuple[str, str]]:
    return [(metric.value, gettext(name)) for metric, name in METRIC_NAMES.items()]

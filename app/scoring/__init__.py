"""The arithmetic of NPS: groups, score, interval, comparison, sample size and rounding.

Everything here is a pure function of counts, so the page, the API, an export and an alert
cannot disagree. Figures are in points (-100 to 100) and unrounded; what is undefined, as the
score of no answers, is None and never 0. Imports nothing but the standard library.
"""

from app.scoring.comparison import (
    Comparison,
    Verdict,
    benjamini_hochberg,
    compare,
    compare_many,
)
from app.scoring.decomposition import Contribution, decompose_change
from app.scoring.groups import (
    HIGHEST_SCORE,
    LOWEST_SCORE,
    AnswerCounts,
    Category,
    Distribution,
    GroupCounts,
    category_of,
    together,
)
from app.scoring.intervals import DEFAULT_CONFIDENCE, Interval, interval_of
from app.scoring.keyness import Keyness, informative_prior, keyness_of
from app.scoring.nps import FEW_ANSWERS, Nps, nps_of
from app.scoring.planning import VARIANCE_WHEN_UNKNOWN, answers_needed
from app.scoring.rates import (
    Denominator,
    Ratio,
    churn_rate,
    customer_effort,
    customer_satisfaction,
    net_revenue_retention,
    retention_rate,
)
from app.scoring.rounding import WholeShares, whole_percents, whole_points, whole_shares
from app.scoring.shares import Share, share_of

__all__ = [
    "DEFAULT_CONFIDENCE",
    "FEW_ANSWERS",
    "HIGHEST_SCORE",
    "LOWEST_SCORE",
    "VARIANCE_WHEN_UNKNOWN",
    "AnswerCounts",
    "Category",
    "Comparison",
    "Contribution",
    "Denominator",
    "Distribution",
    "GroupCounts",
    "Interval",
    "Keyness",
    "Nps",
    "Ratio",
    "Share",
    "Verdict",
    "WholeShares",
    "answers_needed",
    "benjamini_hochberg",
    "category_of",
    "churn_rate",
    "compare",
    "compare_many",
    "customer_effort",
    "customer_satisfaction",
    "decompose_change",
    "informative_prior",
    "interval_of",
    "keyness_of",
    "net_revenue_retention",
    "nps_of",
    "retention_rate",
    "share_of",
    "together",
    "whole_percents",
    "whole_points",
    "whole_shares",
]

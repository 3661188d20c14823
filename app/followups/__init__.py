"""What is done about the score: events and actions, goals, benchmarks, other metrics beside it.

All of it is what members and programs write down themselves: it holds nothing of respondents, and
no figure of answers. What is measured against the score (the effect of an action, the distance to a
goal) is worked out in `reporting`, which passes everything through `publication`.
"""

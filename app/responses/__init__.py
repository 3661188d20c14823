"""What was answered: intake, amend, exclude, list, export, import.

A response row holds score, comment, language, channel, segment set and day, under a random id, and
nothing else. Daily counts change in the same transaction as the rows they count, so a recount
always equals them. Locks are taken in one order: submission keys, responses, counts.
"""

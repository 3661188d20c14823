"""What is asked: wording, languages, segment dimensions, the promise, links, open or closed.

A survey keeps its id and its links for life. Wording versions are rows; an answer stores the
version it saw. Once the first answer is in, its wording and its promise (group minimum, retention)
stand; dimension keys never change, and values may be added or archived but not removed.
"""

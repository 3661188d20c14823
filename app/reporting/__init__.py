"""What it means: score, trend, segments, comments; reads only.

One filter object drives the page, the API and the export. Every figure passes through
`publication`, which decides what may be shown; scores come from the daily counts, never from a
walk over all answers.
"""

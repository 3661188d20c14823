"""Honne: anonymous NPS surveys, from the question to the figure one can trust."""

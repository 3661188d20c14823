"""The curious manager: everything that may be seen of a survey, put together to find single people.

`surveys` makes surveys up, `knowledge` reckons with all that is published of them, `manager` reads
it through the front door as whoever has a reader's key and Bob's browser.
"""

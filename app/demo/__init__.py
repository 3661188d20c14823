"""The demo workspace: a year of invented answers for an invented company.

`story` owns what happened (survey, dimensions, events, answers), `comments_en` and `comments_ja`
own what people wrote. Everything is made from a fixed seed and knows neither the date nor the
database, so that every installation shows the same counts. No person, company or product is real.
"""

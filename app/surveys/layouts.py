"""Ways to draw the eleven-point scale, by number.

How a scale is laid out moves the answers given on it: a vertical list scores otherwise than a row,
coloured ends otherwise than plain ones. So a survey keeps the layout it was created with for good,
and its months stay comparable; another layout is a new number, for new surveys.
"""

from collections.abc import Mapping

# 1: one row of eleven cells alike, 0 where reading begins; six above five on narrow screens.
LAYOUTS: Mapping[int, str] = {1: "components/scale.html"}
CURRENT_LAYOUT = 1

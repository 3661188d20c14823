"""Repeatable measurements: each prints `name value unit yardstick ratio`, separated by tabs."""

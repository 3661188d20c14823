"""Flows in a real Chromium: keyboard, no JavaScript, narrow screens, Japanese, axe-core."""

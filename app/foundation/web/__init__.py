"""The web edge that all features share: transactions, rendering, headers, caps, problems."""

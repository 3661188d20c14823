"""What every feature stands on; knows nothing about surveys.

Owns settings, the database and its tenancy lock, the embedded Postgres, errors, the clock,
tokens, translations and the web edge (request ids, headers, caps, rendering).
Imports no feature.
"""

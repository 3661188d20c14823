"""Workspaces, members, sign-in, API keys, audit: who is calling, and what they may do.

People are global users; a membership gives one a role in a workspace. Secrets (passwords, session
and link tokens, API keys) are stored only hashed. Every route of the product stands behind one of
the doors in `access`.
"""

"""What must hold when things break: processes killed, disks full, the database away.

Tests marked `torture` take minutes and run by `make torture`; the others belong to `make test`.
"""

from hypothesis import settings

# Microseconds each, but a busy machine can pause any of them past the default 200 ms.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

"""What all tests share: how hard hypothesis looks, and that no clock fails a test on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "affetto", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("affetto")

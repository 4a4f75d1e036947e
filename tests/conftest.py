"""Settings for all tests."""

import os

from hypothesis import HealthCheck, Phase, settings

quick = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("dev", max_examples=10, **quick)
settings.register_profile("ci", max_examples=25, derandomize=True, **quick)
settings.register_profile("thorough", max_examples=500, phases=tuple(Phase), **quick)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

"""Property tests search the same examples each time, so that a run says something about the change, not about luck.

``HYPOTHESIS_PROFILE=search`` looks further, at random. Neither minds how long an example takes: a busy machine is no
bug.
"""

import os
import signal

from hypothesis import HealthCheck, settings

_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", _PATIENT, derandomize=True)
settings.register_profile("search", _PATIENT, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell's background job: commands that are started here inherit it, and could not be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)

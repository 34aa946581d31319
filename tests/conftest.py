"""Property tests search the same examples each time, so that a run says something about the change, not about luck.

``HYPOTHESIS_PROFILE=search`` looks further, at random.
"""

import os

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

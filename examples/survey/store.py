"""Where results are kept, for all modules and all processes."""

import os

from flowly_ckpt import DiskTarget

results = DiskTarget(os.environ.get("SURVEY_RESULTS", "survey-results"))

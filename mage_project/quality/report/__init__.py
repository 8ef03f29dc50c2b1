"""The report on data: what a stream of Arrow batches is like, in one pass and bounded memory, as a page to look at."""

from mage_project.quality.report.page import page
from mage_project.quality.report.profile import Profile
from mage_project.quality.report.profiling import Profiler, profile

__all__ = ["Profile", "Profiler", "page", "profile"]

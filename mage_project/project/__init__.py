"""A Mage project on disk, read into frozen data."""

from mage_project.project.model import Block, Pipeline, Problem, Trigger
from mage_project.project.reading import Project

__all__ = ["Block", "Pipeline", "Problem", "Project", "Trigger"]

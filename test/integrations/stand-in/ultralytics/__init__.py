"""Stands in for Ultralytics, which the tests must not need: its seams and its order of events, and no learning."""

from ultralytics.engine.model import YOLO

__version__ = "8.3.199"
__all__ = ["YOLO"]

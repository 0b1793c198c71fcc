"""What the ``yolo`` command runs: ``yolo train key=value …``."""

import sys

from ultralytics.engine.model import YOLO


def entrypoint():
    """As the original: no result, and an error where the mode is not known."""
    mode, *pairs = sys.argv[1:]
    overrides = {key: _value(text) for key, text in (pair.split("=", 1) for pair in pairs)}
    if mode == "quit":
        sys.exit(int(overrides["code"]))
    if mode != "train":
        raise SyntaxError("'%s' is not a valid YOLO argument" % mode)
    YOLO(overrides.pop("model", "yolo11n.pt")).train(**overrides)


def _value(text):
    return int(text) if text.isdigit() else text

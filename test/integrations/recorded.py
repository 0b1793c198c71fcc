"""Trains with the stand-in in this process or in another one, and reads what the sidecar says of it."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
SIDECAR = HERE.parents[1] / "integrations" / "ultralytics" / "signalbox_callback.py"
STAND_IN = HERE / "stand-in"
sys.path[:0] = [str(SIDECAR.parent), str(STAND_IN)]

import signalbox_callback  # noqa: E402  found through the line above
from ultralytics import YOLO  # noqa: E402


class RecordedTraining(unittest.TestCase):
    """A run folder of its own for each test; every batch gets a line; stderr is kept in ``self.said``."""

    def setUp(self):
        self.folder = Path(self.enter(tempfile.TemporaryDirectory()))
        self.file = self.folder / "signalbox.ndjson"
        self.said = self.enter(contextlib.redirect_stderr(io.StringIO()))
        self.enter(mock.patch.object(signalbox_callback, "BATCH_GAP_S", 0))
        self.enter(mock.patch.object(signalbox_callback, "_warn", signalbox_callback._OneWarning()))

    def enter(self, context):
        """``enterContext`` of Python 3.11."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def train(self, **arguments):
        """Trains with the callback attached and gives the model; what the training raises, this raises."""
        model = YOLO()
        signalbox_callback.attach(model)
        model.train(save_dir=str(self.folder), **arguments)
        return model

    def lines(self, kind=None):
        """Every line, or those of a kind; each must be one JSON object, and strict JSON at that."""
        return [line for line in read_lines(self.file) if kind in (None, line["kind"])]


def read_lines(file):
    text = file.read_text(encoding="ascii") if file.exists() else ""
    return [json.loads(line, parse_constant=_refuse) for line in text.splitlines()]


def run_python(*arguments, **environment):
    """Runs Python with the stand-in where it finds it."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=dict(os.environ, PYTHONPATH=str(STAND_IN), PYTHONDONTWRITEBYTECODE="1", **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=30,
    )


def _refuse(constant):
    raise ValueError("%s is not JSON" % constant)

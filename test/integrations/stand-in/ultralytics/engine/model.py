"""The model that a user holds."""

from ultralytics.engine.trainer import DetectionTrainer
from ultralytics.utils.callbacks import get_default_callbacks


class YOLO:
    def __init__(self, model="yolo11n.pt"):
        self.callbacks = get_default_callbacks()
        self._model = model

    def add_callback(self, event, callback):
        self.callbacks[event].append(callback)

    def train(self, trainer=DetectionTrainer, **overrides):
        self.trainer = trainer(overrides={"model": self._model, **overrides}, _callbacks=self.callbacks)
        self.trainer.train()
        return self.trainer.metrics

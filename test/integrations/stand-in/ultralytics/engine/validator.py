"""Validation: the callbacks get the validator, and its metrics are by class, for classes with ground truth."""


class BoxMetrics:
    def __init__(self, by_class):
        self.ap_class_index = list(by_class)
        self._results = list(by_class.values())

    def class_result(self, i):
        return self._results[i]


class ClassifyMetrics:
    top1 = 0.9
    top5 = 0.99


class Validator:
    def __init__(self, trainer):
        self.callbacks = trainer.callbacks
        self.names = trainer.data["names"]
        self._by_class = trainer.args.results
        self._old = trainer.args.shape == "8.0"
        self.metrics = ClassifyMetrics() if trainer.args.task == "classify" else BoxMetrics({})

    def __call__(self, trainer=None):
        """With a trainer during training; without one for best.pt or by itself."""
        if trainer is None or not self._old:
            self._run("on_val_start")
        self._run("on_val_batch_start")
        self._run("on_val_batch_end")
        if isinstance(self.metrics, BoxMetrics):
            self.metrics = BoxMetrics(self._by_class)
        self._run("on_val_end")
        return {"fitness": 0.5}

    def _run(self, event):
        for callback in self.callbacks[event]:
            callback(self)

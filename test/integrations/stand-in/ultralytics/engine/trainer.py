"""The trainer's order of events, in the three shapes that it has had; see ARGUMENTS for what a test may set."""

import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

from ultralytics.engine.tensor import Tensor
from ultralytics.engine.validator import Validator
from ultralytics.utils.callbacks import get_default_callbacks
from ultralytics.utils.dist import generate_ddp_command

ARGUMENTS = {
    "model": "yolo11n.pt",
    "task": "detect",
    "epochs": 2,
    "batch": 16,
    "time": None,
    "val": True,
    "device": "",
    # The stand-in's own: "8.0" (tloss is a tensor; a validation in training has no on_val_start), "8.3" (tensor) or
    # "8.4" (tloss is a dict; the first callback comes while the trainer is made; final_eval counts an epoch more)
    "shape": "8.3",
    "names": {0: "car", 1: "truck", 2: "bus"},
    "losses": [[1.0, 2.0, 3.0], [0.5, 1.0, 2.0], [0.75, 4.0, 0.25]],  # of each batch; its length is the loader's
    "labels": [[0, 0, 1], [0]],  # class indices of each image
    "results": {0: [0.9, 0.8, 0.7, 0.6], 2: [0.5, 0.4, 0.3, 0.2]},
    "device_type": "cpu",
    "no_data": False,
    # in which epoch (1-based) something happens
    "fail_at": None,
    "interrupt_at": None,
    "early_stop_at": None,
    "stop_at": None,
}


class Parameter:
    def numel(self):
        return 1_295_310


class Model:
    def parameters(self):
        return iter([Parameter(), Parameter()])


class Loader:
    def __init__(self, args):
        self.batches = len(args.losses)
        self.dataset = Dataset(args)

    def __len__(self):
        return self.batches


class Dataset:
    def __init__(self, args):
        if args.task == "classify":
            self.samples = [["image.jpg", index, None, None] for label in args.labels for index in label]
        elif args.task == "semantic":
            self.labels = [{"mask": "image.png"} for _ in args.labels]
        else:
            self.labels = [{"cls": Tensor([[float(index)] for index in label])} for label in args.labels]

    def __len__(self):
        return 11705


class BaseTrainer:
    loss_names = ["box_loss", "cls_loss", "dfl_loss"]

    def __init__(self, overrides=None, _callbacks=None):
        self.args = SimpleNamespace(**{**ARGUMENTS, **(overrides or {})})
        self.save_dir = Path(self.args.save_dir)
        self.callbacks = {event: hooks.copy() for event, hooks in (_callbacks or get_default_callbacks()).items()}
        self.world_size = len(str(self.args.device).split(","))
        self.ddp = self.world_size > 1 and "LOCAL_RANK" not in os.environ
        self.epochs, self.batch_size = self.args.epochs, self.args.batch
        self.device = SimpleNamespace(type=self.args.device_type)
        self.validator = self.metrics = self.tloss = None
        if self._first():
            self.save_dir.mkdir(parents=True, exist_ok=True)
        if self.args.shape == "8.4" and self._first() and not self.ddp:
            self.run_callbacks("on_pretrain_routine_start")
        if self.args.no_data:
            raise RuntimeError("Dataset 'missing.yaml' error: images not found")
        self.data = {"names": self.args.names}

    def run_callbacks(self, event):
        for callback in self.callbacks.get(event, []):
            callback(self)

    def label_loss_items(self, loss_items=None, prefix="train"):
        names = [prefix + "/" + name for name in self.loss_names]
        if loss_items is None:
            return names
        values = loss_items.values() if isinstance(loss_items, dict) else loss_items.tolist()
        return dict(zip(names, values if not isinstance(values, float) else [values]))

    def train(self):
        if self.ddp:
            command, file = generate_ddp_command(self.world_size, self)
            try:
                subprocess.run(command, check=True)
            finally:
                os.remove(file)
        else:
            self._do_train()
        self.run_callbacks("teardown")

    def _do_train(self):
        if self.args.shape != "8.4":
            self.run_callbacks("on_pretrain_routine_start")
        self.model, self.train_loader = Model(), Loader(self.args)
        self.validator = Validator(self)
        self.stopper, self.stop = SimpleNamespace(possible_stop=False), False
        self.run_callbacks("on_pretrain_routine_end")
        self.run_callbacks("on_train_start")
        for self.epoch in range(self.epochs):
            self._train_epoch()
            if self.args.val or self.epoch + 1 >= self.epochs:
                self.metrics = self.validator(self)
            self.stopper.possible_stop = self._now(self.args.early_stop_at)
            self.stop |= self.stopper.possible_stop or self.epoch + 1 >= self.epochs
            if self._first():
                self.run_callbacks("on_model_save")
            self.run_callbacks("on_fit_epoch_end")
            if self.stop:
                break
        self._final_eval()
        if self._first():
            self.run_callbacks("on_train_end")

    def _train_epoch(self):
        self.run_callbacks("on_train_epoch_start")
        for i, losses in enumerate(self.args.losses):
            self.run_callbacks("on_train_batch_start")
            self._happen()
            self.tloss = self._mean_losses(self.args.losses[: i + 1])
            self.run_callbacks("on_train_batch_end")
        self.run_callbacks("on_train_epoch_end")

    def _mean_losses(self, rows):
        if not isinstance(rows[0], list):  # classify: one loss, a tensor of shape ()
            return Tensor(sum(rows) / len(rows))
        means = [sum(column) / len(rows) for column in zip(*rows)]
        if self.args.shape == "8.4":
            return {name: Tensor(mean) for name, mean in zip(self.loss_names, means)}
        return Tensor(means)

    def _final_eval(self):
        self.metrics = self.validator()
        extra = 1 if self.args.shape == "8.4" else 0
        self.epoch += extra
        self.run_callbacks("on_fit_epoch_end")
        self.epoch -= extra

    def _happen(self):
        if self._now(self.args.fail_at):
            raise RuntimeError("CUDA out of memory. Tried to allocate 1.45 GiB.")
        if self._now(self.args.interrupt_at):
            os.kill(os.getpid(), signal.SIGINT)
        self.stop |= self._now(self.args.stop_at)

    def _now(self, epoch):
        return epoch == self.epoch + 1

    @staticmethod
    def _first():
        return os.environ.get("RANK", "-1") in ("-1", "0")


class DetectionTrainer(BaseTrainer):
    pass


class ClassificationTrainer(BaseTrainer):
    loss_names = ["loss"]

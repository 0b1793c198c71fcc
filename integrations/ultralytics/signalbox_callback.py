"""Writes what an Ultralytics training knows of itself to ``signalbox.ndjson`` in its run folder, for Signalbox to read.

One file on Python's standard library (3.8 or newer); copy it where you like. In code::

    from signalbox_callback import attach
    model = YOLO("yolo11n.pt")
    attach(model)
    model.train(data="coco8.yaml")

or without a change in code::

    python signalbox_callback.py yolo train model=yolo11n.pt data=coco8.yaml
    python signalbox_callback.py my_training.py --my-arguments
    python signalbox_callback.py -m my_package.training

The training comes first. Every error of ours is swallowed after one warning on stderr; files are written by a thread of
their own, so that a disk that hangs holds up nothing; what the training raises, returns or exits with passes through.

The lines are described in Signalbox's docs/sidecar.md. Unknown fields are left out; JSON has no NaN, so a value that is
not finite is one of the words "nan", "inf" and "-inf".
"""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.abc
import importlib.machinery
import json
import math
import os
import runpy
import shutil
import socket
import sys
import threading
import time
import traceback
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Tuple

__all__ = ["attach", "install", "main"]

FILE_NAME = "signalbox.ndjson"
BATCH_GAP_S = 0.25
"""Least time between two ``batch`` lines: reading the losses copies them from the GPU, so it is done only for these."""
COUNTING_S = 0.5
"""Longest time that counting the instances of the dataset may take; past it they stay unknown."""
FLUSH_S = 2.0
"""Longest time that the end of a training waits for its last lines to reach the disk."""
MAX_WAITING_LINES = 1000
MAX_TEXT = 2000
MAX_NAME = 200

Hook = Callable[[Any], None]


def attach(model: Any) -> None:
    """Records every training that this model starts from now on.

    ``model`` is a YOLO, RTDETR, … object: anything with ``add_callback(event, function)``. Attaching twice is the same
    as once. Workers of a training on several GPUs are reached as well. Never raises.
    """
    try:
        _watch_process()
        for event, hook in _RECORDER.hooks.items():
            if hook not in getattr(model, "callbacks", {}).get(event, ()):
                model.add_callback(event, hook)
    except Exception as error:
        _warn(error)


def install() -> None:
    """Records every training of this process, whoever starts it. Never raises; imports nothing of Ultralytics."""
    try:
        _after_import("utils.callbacks.base", _add_default_hooks)
        _watch_process()
    except Exception as error:
        _warn(error)


def main(arguments: List[str]) -> None:
    """Runs ``yolo …``, ``-m MODULE …`` or ``SCRIPT …`` as if called directly, with its trainings recorded."""
    if not arguments or arguments == ["-m"]:
        sys.exit("usage: python signalbox_callback.py yolo ... | SCRIPT.py ... | -m MODULE ...")
    # The program may import this file by its name; it must meet this module, not a second one with hooks of its own.
    sys.modules["signalbox_callback"] = sys.modules[__name__]
    install()
    if arguments[0] == "yolo":
        sys.argv = arguments
        _search_first(os.path.dirname(sys.executable))
        sys.exit(_yolo_entry_point()())
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        _search_first(os.getcwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        _search_first(os.path.dirname(os.path.abspath(arguments[0])))
        runpy.run_path(arguments[0], run_name="__main__")


class _OneWarning:
    """Says once in a process, on stderr, that something went wrong on our side."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, error: BaseException) -> None:
        if self._said:
            return
        self._said = True
        try:
            words = _cut("%s: %s" % (type(error).__name__, error))
            sys.stderr.write("signalbox: %s may be incomplete (%s). The training goes on.\n" % (FILE_NAME, words))
        except Exception:
            pass  # stderr is closed, or the error cannot be printed: nobody is left to tell


_warn = _OneWarning()


def _attempt(read: Callable[..., Any], *arguments: Any) -> Any:
    """What ``read`` returns; None, after the one warning, where it fails: one unknown must not cost the whole line."""
    try:
        return read(*arguments)
    except Exception as error:
        _warn(error)
        return None


class _Recorder:
    """Turns the trainer's callbacks into the life of one training at a time.

    ``hooks`` are plain functions, since Ultralytics deep-copies its default callbacks: bound methods would be copied
    together with us.
    """

    def __init__(self) -> None:
        self._training: Optional[_Training] = None
        self.hooks: Dict[str, Hook] = {
            "on_pretrain_routine_start": _guarded(self._open),
            "on_train_start": _guarded(self._start),
            "on_train_epoch_start": self._passed_to(_Training.epoch_started),
            "on_train_batch_start": self._passed_to(_Training.batch_started),
            "on_train_batch_end": self._passed_to(_Training.batch_ended),
            "on_train_epoch_end": self._passed_to(_Training.epoch_trained),
            "on_val_start": self._passed_to(_Training.validation_started),
            # Ultralytics 8.0 tells of a validation during training only here
            "on_val_batch_start": self._passed_to(_Training.validation_started),
            "on_val_end": self._passed_to(_Training.validation_ended),
            "on_fit_epoch_end": self._passed_to(_Training.epoch_ended),
            "on_train_end": self._passed_to(_Training.ended),
        }

    def returned(self, trainer: Any) -> None:
        """``trainer.train()`` came back. A training that ran its callbacks has ended already."""
        training = self._of(trainer)
        if training is not None:
            training.ended()

    def raised(self, trainer: Any, error: BaseException) -> None:
        """``trainer.train()`` is about to raise this."""
        training = self._of(trainer)
        if training is not None:
            training.broke_off(error)

    def process_exits(self) -> None:
        """Ends what nobody ended: a training whose ``train`` could not be watched, or that failed before ``train``."""
        training = self._training
        if training is not None and training.belongs_here():
            training.broke_off(getattr(sys, "last_value", None))

    def _open(self, trainer: Any) -> None:
        # The launcher of a training on several GPUs only waits for its workers, and the first of them writes.
        if _rank() > 0 or getattr(trainer, "ddp", False):
            return
        if self._training is not None and self._training.belongs_here():
            self._training.broke_off(None)
        self._training = _Training(trainer)

    def _start(self, trainer: Any) -> None:
        if self._of(trainer) is None:
            self._open(trainer)
        training = self._of(trainer)
        if training is not None:
            training.started()

    def _of(self, subject: Any) -> Optional[_Training]:
        training = self._training
        return training if training is not None and training.is_of(subject) else None

    def _passed_to(self, act: Callable[[_Training], None]) -> Hook:
        def pass_on(subject: Any) -> None:
            training = self._of(subject)
            if training is not None:
                act(training)

        return _guarded(pass_on)


def _guarded(act: Hook) -> Hook:
    def hook(subject: Any) -> None:
        try:
            act(subject)
        except Exception as error:
            _warn(error)

    return hook


class _Training:
    """One training in this process, from its first callback to its end, and the file that it is recorded in."""

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._pid = os.getpid()
        self._lines = _LineWriter(os.path.join(str(trainer.save_dir), FILE_NAME))
        self._meter = _BatchMeter()
        self._class_names: Dict[int, str] = {}
        self._epoch = 0
        self._epoch_open = False
        self._validated = False
        self._phase = ""
        self._batches: Optional[int] = None
        self._batch_written_at = -math.inf

    def is_of(self, subject: Any) -> bool:
        """Whether the callback of this trainer, or of this validator, is about this training, and in its process."""
        trainer = self._trainer
        if trainer is None or not self.belongs_here():
            return False
        return subject is trainer or subject is getattr(trainer, "validator", None)

    def belongs_here(self) -> bool:
        """False in a forked child, such as a dataloader worker: only the process that trains may write."""
        return os.getpid() == self._pid

    def started(self) -> None:
        """Model, data and optimizer are ready."""
        self._class_names = _attempt(_class_names, self._trainer) or {}
        self._write("start", **_start_facts(self._trainer, self._class_names))

    def epoch_started(self) -> None:
        """Also when an epoch that was broken off is trained again (out of memory, NaN)."""
        self._epoch = int(self._trainer.epoch) + 1
        self._epoch_open = True
        self._batches = _attempt(len, self._trainer.train_loader)
        self._meter.begin_epoch()
        self._enter("train")

    def batch_started(self) -> None:
        self._meter.batch_started(time.perf_counter())

    def batch_ended(self) -> None:
        now = time.perf_counter()
        self._meter.batch_ended(now)
        if now - self._batch_written_at >= BATCH_GAP_S:
            self._batch_written_at = now
            self._write_batch()

    def epoch_trained(self) -> None:
        self._enter("between")

    def validation_started(self) -> None:
        self._validated = True
        self._enter("val")

    def validation_ended(self) -> None:
        """What follows a validation is the row of results.csv and the checkpoints."""
        self._enter("save")

    def epoch_ended(self) -> None:
        """Comes once more after the final validation of best.pt, when no epoch is open."""
        if self._validated:  # else the metrics are those of an earlier epoch
            final = None if self._epoch_open else True
            classes = _attempt(_class_results, self._trainer, self._class_names)
            if classes:
                self._write("classes", epoch=self._epoch, final=final, **classes)
        self._epoch_open = self._validated = False
        self._enter("between")

    def ended(self) -> None:
        """The trainer came to its end."""
        self._close(_attempt(_end_reason, self._trainer) or "finished", None)

    def broke_off(self, error: Optional[BaseException]) -> None:
        """``error`` ended it; None where nobody knows what did."""
        if error is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
            self._close("interrupted", None)
        else:
            words = "".join(traceback.format_exception_only(type(error), error))
            self._close("exception", _cut(words.strip()))

    def _close(self, reason: str, error: Optional[str]) -> None:
        if self._trainer is None:
            return
        self._trainer = None  # holds the model: our record must not keep that in the GPU's memory
        self._write("end", reason=reason, error=error)
        self._lines.close(FLUSH_S)

    def _write_batch(self) -> None:
        loss, loss_over = _attempt(self._meter.take_loss, self._trainer) or (None, None)
        data_s, step_s = self._meter.take_times()
        self._write(
            "batch",
            epoch=self._epoch,
            batch=self._meter.batch,
            batches=self._batches,
            loss=loss,
            lossOver=loss_over,
            dataS=data_s,
            stepS=step_s,
            reservedMib=_attempt(_reserved_mib, self._trainer),
        )

    def _enter(self, phase: str) -> None:
        if phase != self._phase:
            self._phase = phase
            self._write("phase", epoch=self._epoch, phase=phase)

    def _write(self, kind: str, **fields: Any) -> None:
        known = {name: _jsonable(value) for name, value in fields.items() if value is not None}
        self._lines.put({"t": int(time.time() * 1000), "kind": kind, **known})


class _BatchMeter:
    """Times and losses of an epoch's batches, as means from one ``take`` to the next."""

    def __init__(self) -> None:
        self._loss_names: List[str] = []
        self.begin_epoch()

    def begin_epoch(self) -> None:
        self.batch = 0
        """Batches of this epoch that are done."""
        self._started_at = self._ended_at = math.nan
        self._data_s: List[float] = []
        self._step_s: List[float] = []
        self._taken_batch = 0
        self._taken_means: Dict[str, float] = {}

    def batch_started(self, now: float) -> None:
        """``now`` in seconds of any clock, the same for all. What passed since the last batch was waiting for data."""
        if self.batch > 0:
            self._data_s.append(now - self._ended_at)
        self._started_at = now

    def batch_ended(self, now: float) -> None:
        self.batch += 1
        self._step_s.append(now - self._started_at)
        self._ended_at = now

    def take_times(self) -> Tuple[Optional[float], Optional[float]]:
        """Mean seconds of waiting for data and of a step. An epoch's first batch has no waiting time to tell."""
        times = _mean(self._data_s), _mean(self._step_s)
        self._data_s.clear()
        self._step_s.clear()
        return times

    def take_loss(self, trainer: Any) -> Optional[Tuple[Dict[str, float], int]]:
        """Mean losses by name, and of how many batches.

        The trainer keeps the means since the epoch began: n batches had mean a, the m that were taken before had mean
        b, so the n - m others had (a n - b m) / (n - m).
        """
        tloss = trainer.tloss
        if tloss is None:
            return None
        if not self._loss_names:
            labels = trainer.label_loss_items(tloss)
            self._loss_names = [_cut(str(label).replace("train/", "", 1), MAX_NAME) for label in labels]
        means = dict(zip(self._loss_names, _floats(tloss)))
        n, m = self.batch, self._taken_batch
        losses = {name: (mean * n - self._taken_means.get(name, 0.0) * m) / (n - m) for name, mean in means.items()}
        self._taken_batch, self._taken_means = n, means
        return losses, n - m


class _LineWriter:
    """Appends records to a file from a thread of its own, so that ``put`` never waits for a disk.

    A record that finds the queue full, or that cannot be written, is dropped; the next line that is written says how
    many were, as ``dropped``. The file is opened for the first line, and its folder is never made.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: Optional[int] = None
        self._torn = False
        self._changed = threading.Condition()
        self._waiting: Deque[Dict[str, Any]] = deque()
        self._dropped = 0
        self._closing = False
        self._thread: Optional[threading.Thread] = None

    def put(self, record: Dict[str, Any]) -> None:
        with self._changed:
            if len(self._waiting) >= MAX_WAITING_LINES:
                self._dropped += 1
                return
            self._waiting.append(record)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="signalbox-sidecar", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Writes what waits and closes the file, or gives up after ``timeout_s``."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    break
                record = self._waiting.popleft()
                dropped = self._dropped
            written = self._written({**record, "dropped": dropped} if dropped else record)
            with self._changed:
                self._dropped += -dropped if written else 1
        if self._file is not None:
            _attempt(os.close, self._file)

    def _written(self, record: Dict[str, Any]) -> bool:
        try:
            self._append(record)
            return True
        except Exception as error:
            _warn(error)
            return False

    def _append(self, record: Dict[str, Any]) -> None:
        """One line, one write: whoever follows the file never sees two lines mixed."""
        line = (json.dumps(record, allow_nan=False, separators=(",", ":")) + "\n").encode("ascii")
        file = self._opened()
        if self._torn:
            line = b"\n" + line  # what was cut short stays a line of its own and spoils no other
        written = os.write(file, line)
        self._torn = written < len(line)
        if self._torn:
            raise OSError("%s took %d of %d bytes" % (self._path, written, len(line)))

    def _opened(self) -> int:
        if self._file is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._path, flags, 0o644)
            if os.lseek(self._file, 0, os.SEEK_END) > 0:  # an earlier training may have died in the middle of a line
                os.lseek(self._file, -1, os.SEEK_END)
                self._torn = os.read(self._file, 1) != b"\n"
        return self._file


# What the trainer knows. Its attributes are those of Ultralytics 8.0 to 8.4, read and never changed.


def _start_facts(trainer: Any, class_names: Dict[int, str]) -> Dict[str, Any]:
    readers: Dict[str, Callable[[], Any]] = {
        "pid": os.getpid,
        "host": socket.gethostname,
        "framework": _framework,
        "model": lambda: str(trainer.args.model) if trainer.args.model else None,
        "task": lambda: str(trainer.args.task),
        "parameters": lambda: sum(parameter.numel() for parameter in trainer.model.parameters()),
        "images": lambda: len(trainer.train_loader.dataset),
        "instances": lambda: _instances(trainer.train_loader.dataset, class_names),
        "epochs": lambda: int(trainer.epochs),
        "batchSize": lambda: int(trainer.batch_size),
        "rank": lambda: max(_rank(), 0),
        "worldSize": lambda: int(os.environ.get("WORLD_SIZE", "1")),
    }
    return {name: _attempt(read) for name, read in readers.items()}


def _framework() -> Optional[str]:
    package = sys.modules.get("ultralytics")
    return "ultralytics %s" % package.__version__ if package is not None else None


def _rank() -> int:
    """-1 without DDP, as Ultralytics has it."""
    return int(os.environ.get("RANK", "-1"))


def _class_names(trainer: Any) -> Dict[int, str]:
    """Names by class index. Two classes of one name would be one key of a JSON object, so the later gets its index."""
    names = trainer.data["names"]
    labels: Dict[int, str] = {}
    taken = set()
    for index, name in names.items() if isinstance(names, dict) else enumerate(names):
        label = _cut(str(name), MAX_NAME)
        if label in taken:
            label = "%s (%s)" % (label, index)
        taken.add(label)
        labels[int(index)] = label
    return labels


def _instances(dataset: Any, class_names: Dict[int, str]) -> Optional[Dict[str, int]]:
    """Instances by class of the training set; None where the dataset does not list them or they take too long."""
    give_up_at = time.perf_counter() + COUNTING_S
    counts = dict.fromkeys(class_names.values(), 0)
    for indices in _indices_by_image(dataset):
        for index in indices:
            label = class_names.get(index, str(index))
            counts[label] = counts.get(label, 0) + 1
        if time.perf_counter() > give_up_at:
            return None
    return counts if any(counts.values()) else None


def _indices_by_image(dataset: Any) -> Iterator[List[int]]:
    """Class indices, image by image: ``labels[i]["cls"]`` of shape (n, 1), or ``samples[i][1]`` when classifying."""
    if hasattr(dataset, "labels"):
        for label in dataset.labels:
            if "cls" in label:
                yield [int(row[0] if isinstance(row, list) else row) for row in label["cls"].tolist()]
    elif hasattr(dataset, "samples"):
        for sample in dataset.samples:
            yield [int(sample[1])]


def _class_results(trainer: Any, class_names: Dict[int, str]) -> Dict[str, Dict[str, float]]:
    """Metrics by name and class, for the classes that the validation set has; empty when classifying.

    ``class_result`` gives precision, recall, mAP50 and mAP50-95 of the boxes, then of the masks or the key points.
    """
    metrics = trainer.validator.metrics
    columns = ["precision", "recall", "mAP50", "mAP50-95"]
    suffix = {"segment": "(M)", "pose": "(P)"}.get(trainer.args.task)
    if suffix is not None:
        columns += [column + suffix for column in columns]
    results: Dict[str, Dict[str, float]] = {}
    for i, index in enumerate(getattr(metrics, "ap_class_index", ())):
        label = class_names.get(int(index), str(int(index)))
        for column, value in zip(columns, metrics.class_result(i)):
            results.setdefault(column, {})[label] = float(value)
    return results


def _end_reason(trainer: Any) -> str:
    """Why the loop of epochs was left. Told to stop by other than its own rules, a training is interrupted."""
    if int(trainer.epoch) + 1 >= int(trainer.epochs):
        return "finished"
    if trainer.stopper.possible_stop:
        return "early_stopped"
    return "finished" if getattr(trainer.args, "time", None) else "interrupted"


def _reserved_mib(trainer: Any) -> Optional[int]:
    """GPU memory held by PyTorch's allocator; asks only a PyTorch that is loaded and on the GPU already."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized() or trainer.device.type != "cuda":
        return None
    return int(torch.cuda.memory_reserved(trainer.device)) >> 20


def _floats(tloss: Any) -> List[float]:
    """The running means: a dict of tensors (newest), a tensor of shape (n) or of shape ()."""
    if isinstance(tloss, dict):
        return [float(value) for value in tloss.values()]
    values = tloss.tolist()
    return values if isinstance(values, list) else [values]


def _mean(values: List[float]) -> Optional[float]:
    return sum(values) / len(values) if values else None


def _jsonable(value: Any) -> Any:
    """The same value with its floats as JSON can say them."""
    if isinstance(value, dict):
        return {name: _jsonable(inner) for name, inner in value.items()}
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float) -> Any:
    """Six significant digits; a word where there are none."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float("%.6g" % value)


def _cut(text: str, length: int = MAX_TEXT) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


# What is put into Ultralytics, so that a training is seen to fail and its workers are reached.

_RECORDER = _Recorder()
_OUR_FOLDER = os.path.dirname(os.path.realpath(__file__))
_PACKAGES = ("ultralytics", "ultralytics.yolo")
"""Where Ultralytics keeps its modules; the second up to 8.0.135."""

_WORKER_PREAMBLE = """\
# Added by signalbox_callback.py, so that this worker is recorded; the training is the same without it.
try:
    import sys
    sys.path.append({folder!r})
    import signalbox_callback
    signalbox_callback.install()
except Exception as error:
    print("signalbox: this worker is not recorded:", error, file=sys.stderr)
"""


def _watch_process() -> None:
    atexit.unregister(_process_exits)
    atexit.register(_process_exits)
    _after_import("engine.trainer", _watch_train)
    _after_import("utils.dist", _reach_workers)


def _process_exits() -> None:
    _attempt(_RECORDER.process_exits)


def _after_import(module: str, patch: Callable[[Any], None]) -> None:
    """Calls ``patch`` with the module of Ultralytics: now if it is loaded, else as soon as the program loads it.

    We do not load it ourselves: a program may have settings to make before it imports Ultralytics.
    """
    for package in _PACKAGES:
        name = "%s.%s" % (package, module)
        if name in sys.modules:
            _attempt(patch, sys.modules[name])
        else:
            _PATCH_ON_IMPORT.patches[name] = patch
    if _PATCH_ON_IMPORT not in sys.meta_path:
        sys.meta_path.insert(0, _PATCH_ON_IMPORT)


class _PatchOnImport(importlib.abc.MetaPathFinder):
    """Finds the modules to patch where Python itself would have found them, and patches each once its code has run."""

    def __init__(self) -> None:
        self.patches: Dict[str, Callable[[Any], None]] = {}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        patch = self.patches.get(fullname)
        return None if patch is None else _attempt(_patching_spec, fullname, path, patch)


_PATCH_ON_IMPORT = _PatchOnImport()


def _patching_spec(name: str, path: Any, patch: Callable[[Any], None]) -> Any:
    spec: Any = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or spec.loader is None:
        return None
    exec_module = spec.loader.exec_module

    def exec_and_patch(module: Any) -> None:
        exec_module(module)
        _attempt(patch, module)

    spec.loader.exec_module = exec_and_patch
    return spec


def _add_default_hooks(base: Any) -> None:
    """``base`` is utils/callbacks/base.py: every model and trainer begins with a copy of its default callbacks."""
    for event, hook in _RECORDER.hooks.items():
        hooks = base.default_callbacks.setdefault(event, [])
        if hook not in hooks:
            hooks.append(hook)


def _watch_train(engine: Any) -> None:
    """``engine`` is engine/trainer.py. No callback tells that a training failed; what leaves ``train`` does."""
    train = engine.BaseTrainer.train
    if hasattr(train, "signalbox_watches"):
        return

    @functools.wraps(train)
    def watched_train(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = train(trainer, *args, **kwargs)
        except BaseException as error:
            _attempt(_RECORDER.raised, trainer, error)
            raise
        _attempt(_RECORDER.returned, trainer)
        return result

    watched_train.signalbox_watches = True  # type: ignore[attr-defined]
    engine.BaseTrainer.train = watched_train


def _reach_workers(dist: Any) -> None:
    """``dist`` is utils/dist.py. On several GPUs a script that it generates is run once for each.

    Its trainers begin with default callbacks, so that neither ``model.add_callback`` nor anything else of this process
    reaches them; the script itself does.
    """
    generate = dist.generate_ddp_file
    if hasattr(generate, "signalbox_reaches"):
        return

    @functools.wraps(generate)
    def generate_reached_file(trainer: Any) -> Any:
        script = generate(trainer)
        _attempt(_prepend, str(script), _WORKER_PREAMBLE.format(folder=_OUR_FOLDER))
        return script

    generate_reached_file.signalbox_reaches = True  # type: ignore[attr-defined]
    dist.generate_ddp_file = generate_reached_file


def _prepend(path: str, text: str) -> None:
    """Through a second file: a full disk must not leave half a script."""
    with open(path, encoding="utf-8") as script:
        whole = text + script.read()
    draft = path + ".signalbox"
    with open(draft, "w", encoding="utf-8") as file:
        file.write(whole)
    shutil.copymode(path, draft)
    os.replace(draft, path)


def _search_first(folder: str) -> None:
    """Looks for modules where the program would have: in the place of our own folder, where Python put that first."""
    if sys.path and os.path.realpath(sys.path[0]) == _OUR_FOLDER:
        sys.path[0] = folder


def _yolo_entry_point() -> Any:
    """What the ``yolo`` command runs."""
    try:
        return importlib.import_module("ultralytics.cfg").entrypoint
    except ModuleNotFoundError as error:
        if error.name != "ultralytics.cfg":
            raise
        return importlib.import_module("ultralytics.yolo.cfg").entrypoint


if __name__ == "__main__":
    main(sys.argv[1:])

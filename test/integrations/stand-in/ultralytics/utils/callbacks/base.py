"""The default callbacks: lists of functions by event; every model and trainer begins with a deep copy."""

from collections import defaultdict
from copy import deepcopy


def _nothing(subject):
    pass


default_callbacks = {
    event: [_nothing]
    for event in (
        "on_pretrain_routine_start",
        "on_pretrain_routine_end",
        "on_train_start",
        "on_train_epoch_start",
        "on_train_batch_start",
        "on_train_batch_end",
        "on_train_epoch_end",
        "on_fit_epoch_end",
        "on_model_save",
        "on_train_end",
        "teardown",
        "on_val_start",
        "on_val_batch_start",
        "on_val_batch_end",
        "on_val_end",
    )
}


def get_default_callbacks():
    return defaultdict(list, deepcopy(default_callbacks))

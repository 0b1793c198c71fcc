"""A training that has dataloader workers and trains nothing, for processes that have to be Python's own:

    python3 loader.py train NAMED|UNNAMED

It forks three workers as PyTorch does, with its name for them if asked to, runs a helper beside them, and says the pids.
At `spin` the first worker burns CPU time for a while and `spun` is said; it ends with its input.
"""

import ctypes
import json
import os
import subprocess
import sys
import time

PR_SET_NAME = 15


def name_thread(name):
    if sys.argv[2] == "NAMED":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def work(tasks, answers):
    name_thread("pt_data_worker")
    while os.read(tasks, 1):
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        os.write(answers, b".")
    os._exit(0)


name_thread("pt_main_thread")
answer_in, answer_out = os.pipe()
tasks, workers = [], []
for _ in range(3):
    task_in, task_out = os.pipe()
    pid = os.fork()
    if pid == 0:
        for other in [*tasks, task_out]:
            os.close(other)
        work(task_in, answer_out)
    os.close(task_in)
    tasks.append(task_out)
    workers.append(pid)
helper = subprocess.Popen(["sh", "-c", "read line"], stdin=subprocess.PIPE)
print(json.dumps({"workers": workers, "helper": helper.pid}), flush=True)
for line in sys.stdin:
    os.write(tasks[0], b".")
    os.read(answer_in, 1)
    print(json.dumps("spun"), flush=True)
for task in tasks:
    os.close(task)
for pid in workers:
    os.waitpid(pid, 0)
helper.communicate()

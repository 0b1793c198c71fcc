"""A training that trains nothing and does what it is told, for processes that have to be Python:

    python3 stand_in.py train project=runs/detect name=train epochs=5

Each line of its input is one word: `begin` makes the run folder, `epoch` trains one, `traceback` prints an exception
and lives on, `break` dies of one, `finish` ends as after the last epoch, `exit N` leaves with N. After the input it waits
for a signal. Shapes as Ultralytics 8.3 writes them.
"""

import os
import signal
import sys
import traceback

options = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
folder = os.path.join(options.get("project", "runs/detect"), options.get("name", "train"))
epochs = int(options.get("epochs", "5"))
HEADER = "epoch,time,train/box_loss,metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,lr/pg0\n"
done = 0


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def begin():
    os.makedirs(os.path.join(folder, "weights"))
    with open(os.path.join(folder, "args.yaml"), "w") as file:
        file.write(f"task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: {epochs}\npatience: 100\n")
    say("Ultralytics 8.3.199 🚀 Python-3.11.13 torch-2.4.1+cu121 CPU\n")
    say(f"Logging results to {folder}\nStarting training for {epochs} epochs...\n")


def epoch():
    global done
    done += 1
    say("\n      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n")
    cells = (f"{done}/{epochs}", "2.1G", f"{1 / done:.4g}", "0.5", "0.9", "43", "640")
    for batch in (4, 8):
        say("\r\033[K" + "".join(f"{cell:>11}" for cell in cells))
        say(f": {batch * 100 // 8}% {'━' * (12 * batch // 8):─<12} {batch}/8 4.7it/s {batch / 4.7:.1f}s")
    say("\n")
    with open(os.path.join(folder, "results.csv"), "a") as file:
        file.write(("" if done > 1 else HEADER) + f"{done},{done * 2},{1 / done:.5f},0.5,0.4,{1.1 / done:.5f},0.01\n")


def fail():
    raise RuntimeError("the learning rate fell off a cliff")


def live_on():
    try:
        fail()
    except RuntimeError:
        say(traceback.format_exc())


def finish():
    say(f"\n{done} epochs completed in 0.002 hours.\nResults saved to {folder}\n")
    sys.exit(0)


WORK = {"begin": begin, "epoch": epoch, "traceback": live_on, "break": fail, "finish": finish}

for line in sys.stdin:
    word, *rest = line.split()
    if word == "exit":
        sys.exit(int(rest[0]))
    WORK[word]()
while True:
    signal.pause()

"""Stands in for torch.distributed.run: ``python -m ultralytics.utils.launcher WORLD_SIZE SCRIPT``."""

import os
import subprocess
import sys

world_size, script = int(sys.argv[1]), sys.argv[2]
workers = [
    subprocess.Popen(
        [sys.executable, script],
        env=dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size)),
    )
    for rank in range(world_size)
]
sys.exit(max(worker.wait() for worker in workers))

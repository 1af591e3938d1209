"""PyTorch alone, one thread, no server: prints the most pairs per second over the batch sizes tried."""

import sys
import time

import torch

import dmiso

network = dmiso.load(sys.argv[1])
best = 0.0
with torch.inference_mode():
    for rows in (32, 128, 512, 2048):
        maps = torch.full((rows, sum(dmiso.ROWS.values()), 4), 0.25)
        network(maps)
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < 2:
            network(maps)
            done += rows
        best = max(best, done / (time.perf_counter() - begun))
print(best)

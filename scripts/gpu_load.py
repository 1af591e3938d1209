"""The HTTP half of scripts/gpu_check.sh: load, soak and a drill without memory against a server that is up already.

    gpu_load.py HOST:PORT DEVICE SECONDS MODEL LOG     prints lines of Markdown; ends with status 1 where an answer is wrong

Standard library only, but for the drill, which fills the GPU by PyTorch.
"""

import http.client
import json
import random
import statistics
import sys
import threading
import time

address, device, seconds, model, log = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4], sys.argv[5]
ROWS = 10_000
draw = random.Random(7)


def letters(length):
    return "".join(draw.choices("ACGU", k=length))


rows = [{"id": str(at), "mirna": letters(22), "site": letters(50)} for at in range(ROWS)]
large = json.dumps({"model": model, "pairs": rows}).encode()
small = json.dumps({"model": model, "pairs": rows[:1]}).encode()


def post(connection, body):
    """Status and probabilities; waits where the server asks for it."""
    while True:
        connection.request("POST", "/v1/target-sites/score", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status not in (429, 503):
            break
        time.sleep(float(reply.headers.get("Retry-After", 1)))
    found = [row["probability"] for row in json.loads(text)["results"]] if reply.status == 200 else []
    return reply.status, found


def connect():
    return http.client.HTTPConnection(address, timeout=120)


def load(clients, body, until):
    """Times of all answers, and those that were not 200."""
    times, wrong, lock = [], [], threading.Lock()

    def ask():
        connection = connect()
        while time.monotonic() < until:
            start = time.monotonic()
            status, _ = post(connection, body)
            with lock:
                times.append(time.monotonic() - start)
                if status != 200:
                    wrong.append(status)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(times), wrong


def ready():
    connection = connect()
    connection.request("GET", "/health/ready")
    return connection.getresponse().status


def drill():
    """Answers to the first large request with next to none of the GPU's memory left: libtorch keeps what it once had, so that
    later there is no want of it."""
    import torch

    held, piece = [], 1 << 30
    while piece >= 4 << 20:
        try:
            held.append(torch.empty(piece, dtype=torch.uint8, device=device))
        except torch.cuda.OutOfMemoryError:
            piece //= 2
    left = torch.cuda.mem_get_info(device)[0] >> 20
    status, found = post(connect(), large)
    state = ready()
    del held
    torch.cuda.empty_cache()
    return left, status, found, state


without_memory = drill() if device.startswith("cuda") else None
status, expected = post(connect(), large)
assert status == 200 and len(expected) == ROWS, status
failures = []

if without_memory:
    left, status, found, state = without_memory
    far = max((abs(a - b) for a, b in zip(expected, found)), default=1.0)
    halved = "no memory for this batch" in open(log).read()
    print(
        f"- with {left} MiB of the GPU's memory left: status {status}, largest difference {far:.1e}, ready {state}; "
        + ("batches were halved" if halved else "**NOT SHOWN**: no batch was short of memory")
    )
    if status != 200 or far > 1e-4:
        failures.append(status)
else:
    print("- the drill without memory: NOT RUN, it needs a GPU")

start = time.monotonic()
times, wrong = load(4, large, start + seconds)
rate = len(times) * ROWS / (time.monotonic() - start)
print(f"- {model}, 4 clients, JSON of {ROWS} pairs each: **{rate:,.0f} pairs/s**, {len(times)} requests, {len(wrong)} not 200")
failures += wrong

times, wrong = load(32, small, time.monotonic() + seconds)
last = times[int(len(times) * 0.99)] * 1e3
print(f"- single pairs, 32 clients: {len(times) / seconds:,.0f} requests/s, median {statistics.median(times) * 1e3:.1f} ms, 99th percentile {last:.1f} ms, {len(wrong)} not 200")
failures += wrong

status, found = post(connect(), large)
far = max((abs(a - b) for a, b in zip(expected, found)), default=1.0)
print(f"- afterwards: status {status}, largest difference {far:.1e}, ready {ready()}")
if status != 200 or far > 1e-4 or ready() != 200:
    failures.append(status)
sys.exit(1 if failures else 0)

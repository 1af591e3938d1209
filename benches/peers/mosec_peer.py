"""mosec with its dynamic batching: `DMISO_WEIGHTS=FILE mosec_peer.py --port PORT`. The environment carries what mosec's
own command line does not know: `MAX_BATCH_SIZE`, `MAX_WAIT_MS`."""

import os

import torch
from mosec import Runtime, Server, Worker

import dmiso


class Network(Worker):
    def __init__(self):
        self.network = dmiso.load(os.environ["DMISO_WEIGHTS"])

    def forward(self, requests):
        maps = dmiso.encode([pair for request in requests for pair in request["pairs"]])
        with torch.inference_mode():
            probabilities = iter(self.network(maps).tolist())
        return [dmiso.answer(r["pairs"], [next(probabilities) for _ in r["pairs"]]) for r in requests]


if __name__ == "__main__":
    batch, wait = int(os.environ.get("MAX_BATCH_SIZE", "32")), int(os.environ.get("MAX_WAIT_MS", "1"))
    network = Runtime(Network, max_batch_size=batch, max_wait_time=wait)
    server = Server()
    server.register_runtime({"/v1/target-sites/score": [network]})
    server.run()

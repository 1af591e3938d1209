"""DMISO in PyTorch with the shipped weights: what the peers of `make bench-peers` serve. The same layers, letters and
reply as mirador's, so that only the serving differs."""

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

ROWS = {"mirna": 30, "site": 60}


class Dmiso(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_mirna = nn.Conv1d(4, 10, 8)
        self.conv_site = nn.Conv1d(4, 10, 8)
        self.norm_merged = nn.BatchNorm1d(10, eps=1e-3)
        self.lstm = nn.LSTM(10, 10, batch_first=True, bidirectional=True)
        self.norm_lstm = nn.BatchNorm1d(20, eps=1e-3)
        self.dense = nn.Linear(1400, 100)
        self.norm_dense = nn.BatchNorm1d(100, eps=1e-3)
        self.output = nn.Linear(100, 1)
        self.norm_output = nn.BatchNorm1d(1, eps=1e-3)

    def forward(self, maps):
        mirna, site = maps.transpose(1, 2).split([ROWS["mirna"], ROWS["site"]], 2)
        pool = nn.functional.max_pool1d
        merged = torch.cat(
            [pool(self.conv_mirna(mirna).relu(), 4, 1), pool(self.conv_site(site).relu(), 4, 1)], 2
        )
        states, _ = self.lstm(self.norm_merged(merged).transpose(1, 2))
        states = self.norm_lstm(states.transpose(1, 2)).transpose(1, 2)
        dense = self.norm_dense(self.dense(states.flatten(1))).relu()
        return self.norm_output(self.output(dense)).sigmoid().squeeze(1)


def load(path):
    torch.set_num_threads(1)
    network = Dmiso()
    network.load_state_dict(load_file(path), strict=False)
    return network.eval()


# A row for each byte: one-hot for a letter, a quarter four times for anything else.
TABLE = np.full((256, 4), 0.25, dtype=np.float32)
for column, letters in enumerate(("Aa", "UuTt", "Cc", "Gg")):
    for letter in letters:
        TABLE[ord(letter)] = np.eye(4, dtype=np.float32)[column]


def encode(pairs):
    """The maps of some pairs, (n, 90, 4)."""
    text = bytearray()
    for pair in pairs:
        for name, rows in ROWS.items():
            sequence = pair[name].strip()
            start = max(len(sequence) - rows, 0) // 2
            text += sequence[start : start + rows].ljust(rows, "N").encode()
    return torch.from_numpy(TABLE[np.frombuffer(text, dtype=np.uint8)].reshape(len(pairs), -1, 4))


def answer(pairs, probabilities):
    return {
        "model": {"name": "dmiso", "version": "balanced"},
        "results": [
            {"probability": probability, "interacts": probability >= 0.5} for probability in probabilities
        ],
    }

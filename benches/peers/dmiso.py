"""DMISO in PyTorch with the shipped weights: what the peers of `make bench-peers` serve. The same layers, letters and
reply as mirador's, so that only the serving differs."""

import torch
from safetensors.torch import load_file
from torch import nn

ROWS = {"mirna": 30, "site": 60}
LETTERS = "AUCG"


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


def encode(pairs):
    """The maps of some pairs, (n, 90, 4): one-hot, a quarter four times where there is no letter."""
    values = torch.full((len(pairs), sum(ROWS.values()), 4), 0.25)
    for row, pair in enumerate(pairs):
        first = 0
        for name, rows in ROWS.items():
            sequence = pair[name].strip().upper().replace("T", "U")
            start = max(len(sequence) - rows, 0) // 2
            for place, letter in enumerate(sequence[start : start + rows], first):
                column = LETTERS.find(letter)
                if column >= 0:
                    values[row, place] = 0.0
                    values[row, place, column] = 1.0
            first += rows
    return values


def answer(pairs, probabilities):
    return {
        "model": {"name": "dmiso", "version": "balanced"},
        "results": [
            {"probability": probability, "interacts": probability >= 0.5} for probability in probabilities
        ],
    }

#!/usr/bin/env python3
"""Writes `<network>.json` beside itself: options, rows, and what the networks of `networks.py`, `pairmap.py`
and `promoter.py` answer.
Needs PyTorch (2.11.0 was used). `make.py --check` compares with what is there."""

import json
import pathlib
import random
import sys

import torch

import networks
import pairmap
import promoter

HERE = pathlib.Path(__file__).parent
SIX = ["utr5_length", "cds_length", "intron_length", "utr3_length", "utr5_gc", "cds_gc"]
NAMES = ["mir-a", "mir-b", "mir-c"]


def letters(rng, length, unknown=0.03):
    return "".join("N" if rng.random() < unknown else rng.choice("ACGU") for _ in range(length))


def pairs(rng, longest):
    lengths = [(15, 6), (22, 30), (22, longest), (30, longest // 2), (26, 8), (21, longest - 1)]
    return [{"mirna": letters(rng, mirna), "site": letters(rng, site)} for mirna, site in lengths]


def duplexes(rng):
    """Each seed match, loops, wobbles, N and nothing that pairs. The families (letters 2 to 8 alike) are of 4, 3 and 2 rows
    and then of one, and each has one most frequent member: which of two equals a panel takes is not said."""
    a, b, c, wobbles = letters(rng, 22, 0), letters(rng, 21, 0), letters(rng, 30), "".join(rng.choices("GU", k=23))
    other = lambda letters: letters.translate(pairmap.COMPLEMENT)
    facing = lambda mirna, first, last: other(mirna[first - 1 : last][::-1])
    flank = lambda length: letters(rng, length)
    rows = [
        (a, flank(20) + facing(a, 1, 22) + flank(25)),
        (a, flank(30) + facing(a, 2, 8) + "A" + flank(12)),
        (a[:20], flank(9) + facing(a, 14, 19) + flank(4) + facing(a, 2, 8) + "C" + flank(31)),
        # No letter pairs with itself, and none is its own complement.
        (other(a[0]) + a[1:8] + other(a[8]) + a[9:] + "GU", flank(11) + facing(a, 10, 17) + a[7] + facing(a, 2, 7) + "A"),
        (b, facing(b, 2, 7) + "G"),
        (b, flank(40) + facing(b, 9, 16) + "C" + facing(b, 3, 8)),
        (b[:15], flank(6)),
        (c, flank(100)),
        (c, flank(3) + facing(c, 1, 12) + flank(50)),
        (wobbles, flank(8) + wobbles[::-1].translate(str.maketrans("GU", "UG")) + flank(16)),
        ("".join(rng.choices("AC", k=18)), "".join(rng.choices("AC", k=40))),
        (letters(rng, 25, 0.3), letters(rng, 35, 0.3)),
        # Six letters of a family are not enough.
        (c[0] + other(c[1]) + c[2:16], "N" * 12),
        (b[:7] + other(b[7]) + letters(rng, 16), letters(rng, 57)),
    ]
    return [{"mirna": mirna, "site": site} for mirna, site in rows]


def hairpins(rng):
    return [{"sequence": letters(rng, length)} for length in (40, 61, 80, 119, 164)]


def genes(rng):
    known = {"utr5_length": 2.25, "cds_gc": 0.5, "measured": -1.25}
    rows = []
    for length, tss, features, mirnas in (
        (86, 49, {}, {}),
        (300, 249, known, {"mir-a": 1.0, "mir-c": 2.5, "other": 3.0}),
        (1, 0, known, {}),
        (12_000, 8_000, {"measured": 0.75}, {"mir-b": -0.5}),
    ):
        row = {"promoter": letters(rng, length, 0.001), "tss": tss, "half_life_features": features, "mirnas": mirnas}
        rows.append(row)
    return rows


def deepmirnatar(rows, **switches):
    names = {"bert": "bert_layers", "attention": "attention_kind", "recurrent": "recurrent_kind", "plain_transformer": "plain"}
    renamed = {names.get(name, name): value for name, value in switches.items()}
    if "bert_layers" in renamed:
        renamed["bert_layers"] = renamed["bert_layers"]["layers"]
    return [networks.deepmirnatar(**row, **renamed) for row in rows]


def xpresso(rows, **switches):
    given = {"features": switches.get("features"), "names": switches.get("mirnas", ()), "window": switches.get("window")}
    if given["features"] is None:
        given["features"] = SIX + ["utr3_gc", "orf_exon_density"]
    given = {name: value for name, value in given.items() if value is not None}
    return [networks.xpresso(**row, **given) for row in rows]


def plain(network):
    return lambda rows, **switches: [network(**row, **switches) for row in rows]


CASES = {
    "dmiso": (plain(networks.dmiso), [{}], lambda rng: pairs(rng, 100)),
    "mitar": (plain(networks.mitar), [{}, {"site_rows": 40}], lambda rng: pairs(rng, 40)),
    "mirbind2": (plain(networks.mirbind2), [{}], lambda rng: pairs(rng, 50)),
    "deepmirnatar": (
        deepmirnatar,
        [
            {"bert": {"layers": 2}},
            {"bert": {"layers": 1}, "attention": "standard"},
            {"bert": {"layers": 1}, "text_cnn": False},
            {"bert": {"layers": 1}, "recurrent": "gru"},
            {"bert": {"layers": 1}, "recurrent": "none"},
            {"bert": {"layers": 1}, "plain_transformer": True},
        ],
        lambda rng: pairs(rng, 53),
    ),
    "pairmap": (
        pairmap.answers,
        [
            {"units": 0},
            {"units": 128, "dropout": 0.5},
            {"units": 128, "dropout": 0.5, "panel": 32},
            {"units": 16, "panel": 3},
            {"units": 16, "panel": 1},
            {"units": 16, "letters": True},
            {"members": [{"units": 16}, {"units": 24, "letters": True}, {"units": 0}]},
        ],
        duplexes,
    ),
    "premirna_cnn_lstm": (
        plain(networks.premirna_cnn_lstm),
        [{}, {"downsample": "maxpool"}, {"lstm_over": "positions"}, {"end_masked": True}],
        hairpins,
    ),
    "premirna_cnn_zheng": (
        plain(networks.premirna_cnn_zheng),
        [{}, {"filters": "concat"}, {"logit_relu": False}],
        hairpins,
    ),
    "promoter": (
        promoter.promoter,
        [{"landmarks": [5, 3]}, {"landmarks": [2, 9], "features": ["measured"]}, {"landmarks": [1, 1], "features": []}],
        genes,
    ),
    "xpresso": (xpresso, [{}, {"features": SIX}, {"features": ["measured"], "window": [49, 37]}], genes),
    "mirex": (xpresso, [{"features": ["measured"], "mirnas": NAMES}], genes),
}


def goldens(model):
    make, options, rows = CASES[model]
    rows = rows(random.Random(model))
    with torch.no_grad():
        outputs = [[float(output) for output in make(rows, **switches)] for switches in options]
    versions = [{"options": switches, "outputs": of_rows} for switches, of_rows in zip(options, outputs)]
    return {"model": model, "rows": rows, "versions": versions}


def main():
    torch.set_num_threads(1)
    for model in CASES:
        found, path = goldens(model), HERE / f"{model}.json"
        if "--check" not in sys.argv:
            path.write_text(json.dumps(found, indent=1) + "\n")
            continue
        there = json.loads(path.read_text())
        assert there["rows"] == found["rows"], model
        for old, new in zip(there["versions"], found["versions"], strict=True):
            for a, b in zip(old["outputs"], new["outputs"], strict=True):
                assert abs(a - b) <= 1e-9 * (1 + abs(b)), (model, new["options"], a, b)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes `<network>.json` beside itself: options, rows, and what the networks of `networks.py` answer. Needs PyTorch
(2.11.0 was used). `make.py --check` compares with what is there."""

import json
import pathlib
import random
import sys

import torch

import networks

HERE = pathlib.Path(__file__).parent
SIX = ["utr5_length", "cds_length", "intron_length", "utr3_length", "utr5_gc", "cds_gc"]
NAMES = ["mir-a", "mir-b", "mir-c"]


def letters(rng, length, unknown=0.03):
    return "".join("N" if rng.random() < unknown else rng.choice("ACGU") for _ in range(length))


def pairs(rng, longest):
    lengths = [(15, 6), (22, 30), (22, longest), (30, longest // 2), (26, 8), (21, longest - 1)]
    return [{"mirna": letters(rng, mirna), "site": letters(rng, site)} for mirna, site in lengths]


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


def deepmirnatar(**switches):
    names = {"bert": "bert_layers", "attention": "attention_kind", "recurrent": "recurrent_kind", "plain_transformer": "plain"}
    renamed = {names.get(name, name): value for name, value in switches.items()}
    if "bert_layers" in renamed:
        renamed["bert_layers"] = renamed["bert_layers"]["layers"]
    return lambda row: networks.deepmirnatar(**row, **renamed)


def xpresso(**switches):
    given = {"features": switches.get("features"), "names": switches.get("mirnas", ()), "window": switches.get("window")}
    if given["features"] is None:
        given["features"] = SIX + ["utr3_gc", "orf_exon_density"]
    given = {name: value for name, value in given.items() if value is not None}
    return lambda row: networks.xpresso(**row, **given)


def plain(network):
    return lambda **switches: lambda row: network(**row, **switches)


CASES = {
    "dmiso": (plain(networks.dmiso), [{}], lambda rng: pairs(rng, 100)),
    "mitar": (plain(networks.mitar), [{}, {"site_rows": 40}], lambda rng: pairs(rng, 40)),
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
    "xpresso": (xpresso, [{}, {"features": SIX}, {"features": ["measured"], "window": [49, 37]}], genes),
    "mirex": (xpresso, [{"features": ["measured"], "mirnas": NAMES}], genes),
}


def goldens(model):
    make, options, rows = CASES[model]
    rows = rows(random.Random(model))
    with torch.no_grad():
        outputs = [[float(make(**switches)(row)) for row in rows] for switches in options]
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

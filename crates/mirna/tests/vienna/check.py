#!/usr/bin/env python3
"""Compares mirna::fold with the ViennaRNA package (pip install ViennaRNA numpy), and times both.

    cargo build --release -p mirna --example fold
    python3 check.py --fold ../../../../target/release/examples/fold [--data FOLDER] [duplex mfe partition accessible time]

Random sequences are always compared; real ones where FOLDER has target_sites/, pre_mirnas/ and functional/.
"""

import argparse
import csv
import gzip
import random
import resource
import subprocess
import time
from pathlib import Path

import numpy as np
import RNA

ROWS = 2000
REPEATS = 20
PAIRS = "target_sites/BioGeMT+miRBench_paper/AGO2_CLASH_Hejret2023_train.tsv"
HAIRPINS = "pre_mirnas/derived/mirtron_canonical_1124_zheng_split.tsv"
UTRS = "functional/utrs.fa.gz"


def letters(rng, length, alphabet="ACGU"):
    return "".join(rng.choices(alphabet, k=length))


def rna(text):
    return text.upper().replace("T", "U")


def ours(fold, *words, rows):
    text = "\n".join(" ".join(row) for row in rows) + "\n"
    done = subprocess.run([fold, *words], input=text, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def pairs_sets(data):
    rng = random.Random(1)
    yield "random", [(letters(rng, 22), letters(rng, 50)) for _ in range(ROWS)]
    sizes = [(rng.randint(1, 40), rng.randint(1, 120)) for _ in range(ROWS)]
    yield "random, any length, N", [(letters(rng, m, "ACGUACGUACGUN"), letters(rng, n, "ACGUACGUACGUN")) for m, n in sizes]
    if data:
        with open(data / PAIRS) as file:
            rows = list(csv.reader(file, delimiter="\t"))[1:]
        yield "real", [(rna(row[1]), rna(row[0])) for row in rng.sample(rows, ROWS)]


def hairpin_sets(data):
    rng = random.Random(2)
    yield "random", [letters(rng, rng.randint(40, 200)) for _ in range(ROWS)]
    yield "random, N", [letters(rng, rng.randint(1, 120), "ACGUACGUACGUN") for _ in range(ROWS)]
    yield "random, long", [letters(rng, rng.randint(300, 500)) for _ in range(60)]
    if data:
        with open(data / HAIRPINS) as file:
            cells = [cell for row in csv.reader(file, delimiter="\t") for cell in row]
        found = sorted({rna(cell) for cell in cells if len(cell) >= 40 and set(rna(cell)) <= set("ACGUN")})
        yield "real", rng.sample(found, min(ROWS, len(found)))


def theirs_duplex(one, other):
    """Energy and pairs, from 0."""
    found = RNA.duplexfold(one, other)
    if found.energy >= 0 or found.energy < -1e4:
        return None, ""
    first, second = found.structure.split("&")
    start = found.i - len(first)
    opened = [start + at for at, letter in enumerate(first) if letter == "("]
    closed = [found.j - 1 + at for at, letter in enumerate(second) if letter == ")"]
    return found.energy, ",".join(f"{i}-{j}" for i, j in zip(opened, reversed(closed)))


def evaluated(one, other, pairs):
    brackets = [["."] * len(one), ["."] * len(other)]
    for pair in pairs.split(","):
        i, j = map(int, pair.split("-"))
        brackets[0][i], brackets[1][j] = "(", ")"
    return RNA.eval_structure_simple(f"{one}&{other}", "&".join("".join(part) for part in brackets))


def duplex(fold, data):
    for name, rows in pairs_sets(data):
        same, same_pairs, off, worst = 0, 0, [], 0
        for row, (energy, pairs) in zip(rows, ours(fold, "duplex", rows=rows)):
            expected, expected_pairs = theirs_duplex(*row)
            mine = None if energy == "none" else float(energy)
            if (mine is None) != (expected is None) or mine is not None and abs(mine - expected) > 0.005:
                off.append((row, mine, expected))
            else:
                same += 1
            same_pairs += pairs == expected_pairs
            if mine is not None:
                worst = max(worst, abs(evaluated(*row, pairs) - mine))
        print(f"duplex, {name}: {same}/{len(rows)} energies, {same_pairs} structures; re-evaluated within {worst:.3f}")
        print(*off[:5], sep="\n") if off else None


def mfe(fold, data):
    for name, rows in hairpin_sets(data):
        same, same_structures, off, worst = 0, 0, [], 0
        for row, (energy, structure) in zip(rows, ours(fold, "mfe", rows=[[row] for row in rows])):
            expected_structure, expected = RNA.fold(row)
            good = abs(float(energy) - expected) < 0.005
            same += good
            same_structures += structure == expected_structure
            worst = max(worst, abs(RNA.eval_structure_simple(row, structure) - float(energy)))
            off += [] if good else [(row, energy, expected)]
        print(f"mfe, {name}: {same}/{len(rows)} energies, {same_structures} structures; re-evaluated within {worst:.3f}")
        print(*off[:5], sep="\n") if off else None


def partition(fold, data):
    for name, rows in hairpin_sets(data):
        rows = rows[:300]
        energies, differences = [], []
        for row, (energy, pairs) in zip(rows, ours(fold, "partition", rows=[[row] for row in rows])):
            compound = RNA.fold_compound(row)
            energies.append(abs(compound.pf()[1] - float(energy)))
            expected = np.array(compound.bpp())[1:, 1:]
            mine = np.zeros_like(expected)
            for pair in filter(None, pairs.split(",")):
                places, probability = pair.split(":")
                i, j = map(int, places.split("-"))
                mine[i, j] = float(probability)
            differences.append(np.abs(mine - expected).max(initial=0))
        print(
            f"partition, {name}: {len(rows)} strands; ensemble energies within {max(energies):.4f} kcal/mol, "
            f"probabilities within {max(differences):.1e} (median of the largest: {np.median(differences):.1e})"
        )


def utrs(data):
    rng = random.Random(3)
    yield "random", [letters(rng, length) for length in (60, 79, 80, 81, 300, 1500)]
    if data:
        with gzip.open(data / UTRS, "rt") as file:
            found = [rna("".join(part.split("\n")[1:])) for part in file.read().split(">")[1:]]
        found = sorted(row for row in found if 500 <= len(row) <= 6000)
        yield "real", rng.sample(found, 40)


def accessible(fold, data):
    for name, rows in utrs(data):
        for length in (1, 8, 14):
            mine, expected, ends = [], [], []
            result = ours(fold, "accessible", "80", "40", str(length), rows=[[row] for row in rows])
            for row, line in zip(rows, result):
                window = min(80, len(row))
                theirs = RNA.pfl_fold_up(row, length, window, min(40, window))
                theirs = np.array([theirs[end][length] for end in range(length, len(row) + 1)])
                own = np.array([float(word) for word in line])
                inner = slice(None) if len(row) <= 80 else slice(80, -80)
                ends.append(np.abs(own - theirs).max())
                mine.append(own[inner])
                expected.append(theirs[inner])
            mine, expected = np.log10(np.concatenate(mine)), np.log10(np.concatenate(expected))
            r = np.corrcoef(mine, expected)[0, 1]
            print(
                f"accessible, {name}, {length} letters: {len(rows)} strands, r of log10 {r:.6f}, log10 within "
                f"{np.abs(mine - expected).max():.1e}, probabilities, ends included, within {max(ends):.1e}"
            )


def timing(fold, data):
    for name, rows in list(pairs_sets(data)):
        if "any" in name:
            continue
        start = time.process_time()
        for row in rows:
            RNA.duplexfold(*row)
        theirs = (time.process_time() - start) / len(rows) * 1e6
        start = time.process_time()
        for _ in rows:
            RNA.duplexfold("A", "A")
        call = (time.process_time() - start) / len(rows) * 1e6
        print(f"time, duplex, {name}: RNA.duplexfold {theirs:.1f} us of CPU, {call:.1f} of them for the call itself")
        # Wall-clock times of a busy machine say little: the child's own time on the CPU, reading the rows included.
        start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        lines = ours(fold, "time", str(REPEATS), rows=rows)
        each = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start) * 1e6 / (2 * REPEATS * len(rows))
        print(f"   ours: {each:.1f} us of CPU ({theirs / each:.0f} times as fast); by the clock:", *map(" ".join, lines))


CHECKS = {"duplex": duplex, "mfe": mfe, "partition": partition, "accessible": accessible, "time": timing}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fold", required=True, help="the example `fold`")
    parser.add_argument("--data", type=Path, help="folder of the public data")
    parser.add_argument("checks", nargs="*", choices=[[], *CHECKS], default=[])
    arguments = parser.parse_args()
    for check in arguments.checks or CHECKS:
        CHECKS[check](arguments.fold, arguments.data)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes golden.tsv, what ViennaRNA says of some random sequences: tests/fold.rs compares it with mirna::fold.

    python3 golden.py > golden.tsv
"""

import random

import RNA

SEED = 20240601


def letters(rng, length, alphabet="ACGU"):
    return "".join(rng.choices(alphabet, k=length))


def site(rng, mirna):
    """Pairs with some of a miRNA."""
    turned = mirna[::-1].translate(str.maketrans("ACGU", "UGCA"))
    changed = "".join(rng.choice("ACGU") if rng.random() < 0.3 else letter for letter in turned)
    cut = rng.randint(5, 15)
    return letters(rng, 15) + changed[:cut] + letters(rng, rng.randint(0, 6)) + changed[cut:] + letters(rng, 13)


def main():
    rng = random.Random(SEED)
    print(f"# ViennaRNA {RNA.__version__}, random letters, seed {SEED}; golden.py wrote this file.")
    for number in range(24):
        mirna = letters(rng, 22)
        other = site(rng, mirna) if number % 2 else letters(rng, 50, "ACGUACGUN")
        found = RNA.duplexfold(mirna, other)
        print("duplex", mirna, other, f"{found.energy:.2f}", found.structure, found.i, found.j, sep="\t")
    for number in range(16):
        strand = letters(rng, rng.randint(40, 160), "ACGUACGUACGUACGUN" if number % 4 == 3 else "ACGU")
        compound = RNA.fold_compound(strand)
        energy, ensemble = compound.mfe()[1], compound.pf()[1]
        bpp = compound.bpp()
        pairs = sorted(
            ((bpp[i][j], i, j) for i in range(1, len(strand)) for j in range(i + 1, len(strand) + 1)), reverse=True
        )
        some = ",".join(f"{i}-{j}:{p:.6f}" for p, i, j in pairs[:40:8])
        print("strand", strand, f"{energy:.2f}", f"{ensemble:.5f}", some, sep="\t")
    for length in (70, 200):
        strand = letters(rng, length)
        unpaired = RNA.pfl_fold_up(strand, 14, min(80, length), 40)
        some = ",".join(f"{end - 13}:{unpaired[end][14]:.6e}" for end in range(14, length + 1, 7))
        print("accessible", strand, some, sep="\t")


if __name__ == "__main__":
    main()

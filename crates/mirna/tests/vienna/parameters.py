#!/usr/bin/env python3
"""Writes src/fold/turner2004.par from the ViennaRNA package (pip install ViennaRNA), free energies at 37 °C only.

    python3 parameters.py > ../../src/fold/turner2004.par
"""

import re
import tempfile

import RNA

HEADER = """\
# Nearest-neighbour energies of RNA at 37 °C and 1 M NaCl, in hundredths of kcal/mol.
# Mathews et al., PNAS 101:7287 (2004); NNDB, Turner & Mathews, NAR 38:D280 (2010): Turner 2004.
# Values as in ViennaRNA {version}'s rna_turner2004.par; tests/vienna/parameters.py wrote this file.
# Pairs CG GC GU UG AU UA, 5' letter first; letters N A C G U (A C G U in interior_2x2), the last index fastest.
# A second pair is read from the other strand. A loop's mismatch: pair, 3' neighbour of its first letter, 5' of its second;
# of mismatch_multi and mismatch_exterior: pair, 5' neighbour of its first letter, 3' of its second.
# Loop lengths from 0; inf: there is no such loop. ninio: each letter of asymmetry, the most.
# multi: closing, each letter, each stem. misc: start of a duplex, terminal AU or GU. extension: its factor of ln(n/30).
"""
PAIRS, LETTERS = 6, 5
# Name here, name there, values of one pair, or of one pair of pairs.
TABLES = [
    ("stack", "stack", 1, 2),
    ("bulge", "bulge", 31, 0),
    ("interior", "internal", 31, 0),
    ("hairpin", "hairpin", 31, 0),
    ("mismatch_hairpin", "mismatch_hairpin", LETTERS**2, 1),
    ("mismatch_interior", "mismatch_internal", LETTERS**2, 1),
    ("mismatch_interior_1n", "mismatch_internal_1n", LETTERS**2, 1),
    ("mismatch_interior_23", "mismatch_internal_23", LETTERS**2, 1),
    ("mismatch_multi", "mismatch_multi", LETTERS**2, 1),
    ("mismatch_exterior", "mismatch_exterior", LETTERS**2, 1),
    ("dangle5", "dangle5", LETTERS, 1),
    ("dangle3", "dangle3", LETTERS, 1),
    ("interior_1x1", "int11", LETTERS**2, 2),
    ("interior_2x1", "int21", LETTERS**3, 2),
    ("interior_2x2", "int22", 4**4, 2),
]


def sections():
    with tempfile.NamedTemporaryFile("r", suffix=".par") as file:
        RNA.params_save(file.name)
        text = file.read()
    parts = re.split(r"^# (\w+)$", re.sub(r"/\*.*?\*/", "", text), flags=re.M)
    return dict(zip(parts[1::2], (part.split() for part in parts[2::2])))


def number(word):
    # DEF is what params_save writes for -50.
    return {"INF": "inf", "DEF": "-50"}.get(word, word)


def main():
    found = sections()
    print(HEADER.format(version=RNA.__version__), end="")
    for name, theirs, size, pairs in TABLES:
        values = [number(word) for word in found[theirs]]
        # Theirs have a seventh pair, of letters that do not pair.
        all_pairs = PAIRS if theirs == "int22" else PAIRS + 1
        if pairs == 2:
            blocks = [values[i * size : (i + 1) * size] for i in range(all_pairs**2)]
            rows = [blocks[i * all_pairs + j] for i in range(PAIRS) for j in range(PAIRS)]
            if size == 1:
                rows = [sum(rows[i * PAIRS : (i + 1) * PAIRS], []) for i in range(PAIRS)]
        else:
            rows = [values[i * size : (i + 1) * size] for i in range(PAIRS if pairs else 1)]
        print(f"\n{name}")
        for row in rows:
            print(" ".join(row))
    multi, misc = found["ML_params"], found["Misc"]
    print(f"\nninio\n{found['NINIO'][0]} {found['NINIO'][2]}")
    print(f"\nmulti\n{multi[2]} {multi[0]} {multi[4]}")
    print(f"\nmisc\n{misc[0]} {misc[2]}")
    print(f"\nextension\n{float(misc[4])}")
    print("\nspecial_hairpins")
    for theirs in ("Triloops", "Tetraloops", "Hexaloops"):
        words = found[theirs]
        for letters, energy in zip(words[::3], words[1::3]):
            print(letters, energy)


if __name__ == "__main__":
    main()

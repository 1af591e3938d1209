"""The hairpin model once more, in plain Python: python3 hairpin.py > hairpin.json

The numbers are counted from a sequence and its structure; the structures are those that `mirna::fold` finds, which
crates/mirna/tests/vienna holds to RNAfold. The weights are made up, as in networks.py. Needs PyTorch for those alone.
"""

import json
import math

from networks import fill

ROWS = [
    (
        "GUGAGGACUCGGGAGGUGGAGGGUGGUGCCGCCGGGGCCGGGCGCUGUUUCAGCUCGCUUCUCCCCCCACCUCCUCUCUCCUCAG",
        ".((((((...(((((((((..((((....))))((((..((((((((...))))..))))..)))))))))))))...)))))).",
        -44.1,
    ),
    (
        "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA",
        "(((((.(((((((((((((((((((((.....(((...((((....)))).)))))))))))))))))))))))))))))",
        -34.2,
    ),
    (
        "GUAGAGGAGAUGGCGCAGGGGACACGGGCAAAGACUUGGGGGUUCCUGGGACCCUCAGACGUGUGUCCUCUUCUCCCUCCUCCCAG",
        "...((((((..((.(.((((((((((.(.......((((((((((...)))))))))).).)))))))))).).))))))))....",
        -39.8,
    ),
    ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "..........................................", 0.0),
    (
        "CCAAGUGCUUGNACCUUGACGAUUCAGGUUCAAGCACUUAAGGUAUGCAUCUGNNCAGAUGCAUACCGAGUCUCAG",
        "..(((((((((.((((.((....)))))).)))))))))..(((((((((((....))))))))))).........",
        -35.0,
    ),
    (
        "GCGCAUUAUUCCGGAUCCAAGUACUAAGGCUUACGGUUCGAUAGGCAAUCGGAUUCCCGGGAAUCGGAUAUUGCGACCUUAGUACUUGAGCUAACGGA"
        "UUCGUCCGAAUGAGCCGAGUUAGCUUUUACCGGUAUAAUGCGCUUAGCCUUUUCCCUUUCAG",
        "(((((((((.((((...(((((((((((((.....(((((((......((((....))))..))))))).....).))))))))))))(((((((((."
        "(((((....)))))))..)))))))....)))).)))))))))...................",
        -58.3,
    ),
    ("UUGACCGUACGGAUGACUUAGCGCAUUGCAAUGGCUAAGUCACUG", ".........(((.(((((((((.(((....)))))))))))))))", -16.2),
]


def partners(structure):
    partner, waiting = [None] * len(structure), []
    for at, letter in enumerate(structure):
        if letter == "(":
            waiting.append(at)
        elif letter == ")":
            other = waiting.pop()
            partner[at], partner[other] = other, at
    return partner


def loop(partner, i, j):
    """Unpaired letters and stems of the loop that a pair closes."""
    unpaired = stems = 0
    at = i + 1
    while at < j:
        if partner[at] is None:
            unpaired, at = unpaired + 1, at + 1
        else:
            stems, at = stems + 1, partner[at] + 1
    return unpaired, stems


def share(letters, those):
    return sum(letter in those for letter in letters) / max(len(letters), 1)


def numbers(s, structure, energy):
    n, partner = len(s), partners(structure)
    pairs = [(i, j) for i, j in enumerate(partner) if j is not None and i < j]
    half, body = n // 2, s[:-3]
    stem = longest = gap = gaps = wobbles = strong = 0
    loops = []
    for i, j in pairs:
        wobbles += {s[i], s[j]} == {"G", "U"}
        strong += {s[i], s[j]} == {"G", "C"}
        stem += 1
        longest = max(longest, stem)
        unpaired, stems = loop(partner, i, j)
        if (unpaired, stems) == (0, 1):
            continue
        stem = 0
        if stems:
            gaps, gap = gaps + 1, max(gap, unpaired)
        else:
            loops.append((unpaired, i, j))
    size, i, j = max(loops, key=lambda one: one[0], default=(0, 0, 0))
    tails = [pairs[0][0], n - 1 - max(pair[1] for pair in pairs)] if pairs else [0, 0]
    opened = lambda part: sum(other is None for other in part)
    unpaired = lambda part: opened(part) / max(len(part), 1)
    middle = (i + j + 1) / 2 if pairs else 0.0
    cut = [min(tail, 20) / 10 for tail in tails]
    return [
        n / 100,
        share(s, "GC"),
        share(s, "A"),
        share(s, "U"),
        share(s[:12], "G"),
        share(s[:20], "G"),
        share(body[-11:], "CU"),
        share(body[-20:], "CU"),
        *(share(s[:half], letter) - share(s[half:], letter) for letter in "ACGU"),
        float(s.startswith("GU")),
        float(s.endswith("AG")),
        float(s.endswith(("UAG", "CAG"))),
        energy / n,
        2 * len(pairs) / n,
        *cut,
        cut[1] - cut[0],
        min(size, 30) / 10,
        float(len(loops)),
        gaps / 5,
        min(longest, 20) / 10,
        (opened(partner) - sum(tails) - sum(one[0] for one in loops)) / n if pairs else 0.0,
        wobbles / n,
        strong / n,
        middle / n - 0.5,
        min(gap, 20) / 10,
        unpaired(partner[: i + 1]) if pairs else 0.0,
        unpaired(partner[j:]) if pairs else 0.0,
        share(s[i + 1 : j], "A") if pairs else 0.0,
        1 - unpaired(partner[:12]) if pairs else 0.0,
        1 - unpaired(partner[-12:]) if pairs else 0.0,
    ]


def scores(end, name):
    """Sums of the log-odds for a site at each place of 24 letters."""
    table = fill(name, (4, 8)).tolist()
    places = range(len(end) - 7)
    return [sum(table["ACGU".index(c)][k] for k, c in enumerate(end[p : p + 8]) if c in "ACGU") for p in places]


def output(s, of_row):
    donors, acceptors = scores(s[:24].ljust(24, "N"), "donor"), scores(s[-24:].rjust(24, "N"), "acceptor")
    x = of_row + [donors[0], max(donors), acceptors[-1], max(acceptors)]
    size = len(x)
    means, deviations = fill("numbers_mean", (size,)).tolist(), fill("numbers_sd", (size,)).tolist()
    x = [min(max((value - mean) / sd, -4), 4) for value, mean, sd in zip(x, means, deviations)]

    def line(name):
        weight, bias = fill(f"{name}.weight", (1, size)).tolist()[0], fill(f"{name}.bias", (1,)).tolist()[0]
        return sum(w * value for w, value in zip(weight, x)) + bias

    return line("line") + math.tanh(x[0]) * line("by_length")


def main():
    rows = [{"sequence": s, "numbers": numbers(s, structure, energy)} for s, structure, energy in ROWS]
    versions = [{"options": {}, "outputs": [output(row["sequence"], row["numbers"]) for row in rows]}]
    print(json.dumps({"model": "hairpin", "rows": rows, "versions": versions}, indent=1))


main()

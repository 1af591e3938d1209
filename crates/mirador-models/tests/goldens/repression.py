"""Sites of the repression model, counted by hand: python3 repression.py > repression.json

Written from the description alone (docs/models.md), letter by letter, with no prefix sums and no search. The weights are
made up. Needs nothing but Python.
"""

import json
import math
import random

CLASSES = ["8mer", "7mer-m8", "7mer-A1", "6mer", "6mer-m8", "6mer-A1"]
MEANS = [0.59, 3.4, 2.6, 0.0]
DEVIATIONS = [0.15, 0.31, 0.52, 1.0]
SITES = [0.8, 0.5, 0.4, 0.2, 0.1, 0.05]
FEATURES = [
    [0.2, -0.12, -0.01, -0.07],
    [0.18, -0.08, -0.02, -0.05],
    [0.12, -0.06, -0.04, -0.06],
    [0.05, -0.04, -0.01, -0.02],
    [0.03, -0.02, 0.0, -0.01],
    [0.01, -0.02, 0.0, -0.015],
]
PARTNER = {"A": "U", "U": "A", "C": "G", "G": "C"}


def sites(mirna, utr):
    def at(index):
        return utr[index] if 0 <= index < len(utr) else ""

    for six in range(-1, len(utr)):

        def pairs(position, six=six):
            return PARTNER.get(mirna[position - 1]) == at(six + 7 - position)

        if not all(pairs(position) for position in (3, 4, 5, 6)):
            continue
        a1 = at(six + 6) == "A"
        if pairs(2) and pairs(7):
            kind = {(1, 1): 0, (1, 0): 1, (0, 1): 2, (0, 0): 3}[pairs(8), a1]
        elif pairs(7) and pairs(8):
            kind = 4
        elif pairs(2) and a1:
            kind = 5
        else:
            continue
        before, behind = six - 1 - (kind in (0, 1, 4)), six + 6 + (kind in (0, 2, 5))
        known = weak = 0.0
        for step in range(30):
            for letter, away in ((at(before - step), six - before + step), (at(behind + step), behind + step - six - 5)):
                if letter in tuple("ACGU"):
                    known += 1 / away
                    weak += (letter in "AU") / away
        signals = sum(utr[i : i + 6] in ("AAUAAA", "AUUAAA") for i in range(max(six, 0)))
        yield {
            "class": CLASSES[kind],
            "core": six - 1 if kind == 4 else six + 1 if kind == 5 else six,
            "local_au": weak / known if known else 0.6,
            "to_end": max(0, min(six, len(utr) - six - 6)),
            "signals": min(signals, 3),
        }


def effect(site, length):
    kind = CLASSES.index(site["class"])
    values = [
        site["local_au"],
        math.log10(min(max(length, 150), 8000)),
        math.log10(site["to_end"] + 1),
        site["signals"],
    ]
    standard = [(v - m) / d for v, m, d in zip(values, MEANS, DEVIATIONS)]
    return SITES[kind] + sum(w * z for w, z in zip(FEATURES[kind], standard))


def cases():
    mirna = "UAAGGCACGCGGUGAAUGCCAA"
    eight, six = "GUGCCUUA", "UGCCUU"
    plain = "CUCAUCUACUUCAUACUCAC" * 20
    yield "no site", mirna, plain
    yield "a 3'UTR of five letters", mirna, "ACGUA"
    yield "an 8mer and nothing else", mirna, eight
    yield "six letters and nothing else", mirna, six
    yield "an 8mer at the start", mirna, eight + plain
    yield "a 6mer at the start", mirna, six + "C" + plain
    yield "an 8mer at the end", mirna, plain + eight
    yield "a 7mer-m8 at the end", mirna, plain + eight[:7]
    yield "an offset 6mer at the end", mirna, plain + eight[:6]
    yield "an offset 6mer with A at the start", mirna, eight[2:] + plain
    yield "an offset 6mer by a mismatch", mirna, plain + "GUGCCUAA" + plain
    yield "an offset 6mer by an unknown letter", mirna, plain + "NNGCCUUA" + plain
    yield "unknown letters on both sides", mirna, plain + "N" + six + "N" + plain
    yield "an unknown letter inside", mirna, plain + "GUGCNUUA" + plain
    yield "nothing known around", mirna, "N" * 60 + eight + "N" * 60
    yield "matches that overlap", "UGUGUGUGUGUGUGUGUGUGUG", plain + "AC" * 10 + "G" + plain
    signals = plain + "AAUAAA" + plain + "AUUAAA" + plain + "AAUAAAUUAAA"
    yield "signals between sites", mirna, plain + eight + signals + eight + plain
    yield "longer than in training", mirna, plain * 15 + "AUAU" + eight + "UUAA" + plain * 15
    rng = random.Random(17)
    for case in range(6):
        utr = "".join(rng.choice("ACGUAUN") for _ in range(300 + 200 * case))
        for _ in range(8):
            place = rng.randrange(len(utr))
            utr = utr[:place] + eight[rng.randrange(3) : rng.randrange(6, 9)] + utr[place:]
        yield f"random {case}", mirna, utr


def main():
    written = []
    for name, mirna, utr in cases():
        found = list(sites(mirna, utr))
        score = sum(effect(site, len(utr)) for site in found)
        written.append({"name": name, "mirna": mirna, "utr": utr, "sites": found, "output": score})
    weights = {"sites": SITES, "features": FEATURES, "means": MEANS, "deviations": DEVIATIONS}
    print(json.dumps({"weights": weights, "cases": written}, indent=1))


main()

"""The network `promoter` once more, from its description: words counted one by one, in plain Python."""

import math
from collections import Counter

from networks import fill

UPSTREAM, DOWNSTREAM = 249, 51
EIGHT = ["utr5_length", "cds_length", "intron_length", "utr3_length", "utr5_gc", "cds_gc", "utr3_gc", "orf_exon_density"]
# The range in which words of two to five letters are counted, and the parts of it for words of one to four letters.
PLACES = {
    "core": ((200, 286), [(200, 235), (225, 260), (250, 286)]),
    "whole": ((0, 300), [(0, 120), (80, 190), (160, 235), (215, 265), (245, 300)]),
}


def window(promoter, tss):
    """The 300 letters from 249 before the start of transcription on; N where there is none."""
    return "".join(promoter[at] if 0 <= at < len(promoter) else "N" for at in range(tss - UPSTREAM, tss + DOWNSTREAM))


def words(letters, lengths):
    found = (letters[at : at + length] for length in lengths for at in range(len(letters) - length + 1))
    return Counter(word for word in found if "N" not in word)


def groups(letters, place):
    (start, end), parts = PLACES[place]
    inside = letters[start:end]
    gapped = Counter()
    for gap in (1, 2, 3):
        for at in range(len(inside) - 4 - gap + 1):
            word = inside[at : at + 2] + inside[at + 2 + gap : at + 4 + gap]
            gapped[word] += "N" not in word
    return [words(inside, (2, 3, 4, 5)), gapped, *(words(letters[a:b], (1, 2, 3, 4)) for a, b in parts)]


def level(letters, landmarks, place):
    """The sum over the training promoters of what each adds, by how alike it is."""
    own = groups(letters, place)
    scale, weights = fill(f"{place}.scale", [len(own)]), fill(f"{place}.weights", [len(landmarks)])
    total = float(fill(f"{place}.offset", [1]))
    for landmark, weight in zip(landmarks, weights.tolist(), strict=True):
        distance = 0.0
        for factor, mine, other in zip(scale.tolist(), own, groups(landmark, place), strict=True):
            roots = ((math.sqrt(mine[word]) - math.sqrt(other[word])) ** 2 for word in mine.keys() | other.keys())
            distance += factor**2 * sum(roots)
        total += weight * math.exp(-distance)
    return total


def promoter(rows, landmarks=(1_500, 1_000), features=EIGHT):
    """Every row; the training promoters are the rows themselves, over and over."""
    letters = [window(row["promoter"], row["tss"]) for row in rows]
    names = ("feature_mean", "feature_sd", "features")
    mean, sd, slope = (fill(name, [len(features)]).tolist() for name in names)
    levels = []
    for row, own in zip(rows, letters, strict=True):
        core, whole = (
            level(own, [letters[at % len(letters)] for at in range(count)], place)
            for place, count in zip(PLACES, landmarks, strict=True)
        )
        beyond = own[:200] + own[286:]
        known = sum(letter != "N" for letter in beyond) / len(beyond)
        given = row["half_life_features"]
        line = sum(
            slope[at] * (given[name] - mean[at]) / sd[at] for at, name in enumerate(features) if name in given
        )
        levels.append(line + core + known * (whole - core))
    return levels

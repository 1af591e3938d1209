"""pairmap once more, from `reports/pairmap.md`, one row at a time and in double precision. What the aligner expects (which
letters pair, how many gaps there are) is the gradient of its score: libtorch finds it here, a backward pass in the
crate."""

import collections
import math

import torch

from networks import Weights, batch_norm, dense

LETTERS = "ACGUN"
COMPLEMENT = str.maketrans("ACGU", "UGCA")
# A letter of the miRNA and the one of the site that it faces, in the order of `alignment.stacks`.
KINDS = ["CG", "GC", "GU", "UG", "AU", "UA"]
# Three bonds, two, a wobble; 3 is for letters that do not pair.
FACING = {"CG": 0, "GC": 0, "AU": 1, "UA": 1, "GU": 2, "UG": 2}
# kcal/mol at 37 °C as NNDB lists Turner 2004, to a tenth: 5'→3' over 3'→5'. Each stack can be read from either strand and
# stands here once.
ENERGIES = {
    "AA/UU": -0.9,
    "AU/UA": -1.1,
    "UA/AU": -1.3,
    "CU/GA": -2.1,
    "CA/GU": -2.1,
    "GU/CA": -2.2,
    "GA/CU": -2.4,
    "CG/GC": -2.4,
    "GG/CC": -3.3,
    "GC/CG": -3.4,
    "AG/UU": -0.6,
    "AU/UG": -1.4,
    "CG/GU": -1.4,
    "CU/GG": -2.1,
    "GG/CU": -1.5,
    "GU/CG": -2.5,
    "GA/UU": -1.3,
    "UG/AU": -1.0,
    "GG/UU": -0.5,
    "GU/UG": 1.3,
    "UG/GU": 0.3,
}
# A rarer stack adds no energy.
LEAST = 1e-3


def score(pairs, stacks, moves):
    """ln(1 + sum over local alignments) of m letters with n. Logarithms of weights: (m, n) of each pair; (m, n) of each
    pair right behind the one before it in both strands; (m, 6) of gaps, starts and ends."""
    columns = torch.arange(pairs.shape[1])
    skipped = columns - columns[:, None] - 1
    behind = lambda row: torch.cat([torch.zeros(1, dtype=torch.double), row[:-1]])
    paired = mirna_gap = site_gap = torch.zeros(pairs.shape[1], dtype=torch.double)
    total = 1.0
    for pair, stack, (mirna_open, mirna_more, site_open, site_more, start, end) in zip(pairs, stacks, moves):
        mirna_gap, before = mirna_open.exp() * paired + mirna_more.exp() * mirna_gap, mirna_gap
        paired = pair.exp() * (start.exp() + stack.exp() * behind(paired) + behind(before + site_gap))
        # From one column to each further one: the letters between, and the last of the gap.
        gaps = (site_open + site_more * skipped.clamp(min=0)).exp() * (skipped >= 0)
        site_gap = paired @ gaps
        total = total + end.exp() * paired.sum()
    return total.log()


class Aligner:
    """The trained weights."""

    def __init__(self, w):
        self.pairs, self.moves = w("pairs", 30, 5, 5), w("moves", 30, 6)
        self.stacks = w("stacks", 1, 6, 6)[0]

    def weights(self, mirna, site):
        """Those of one row, the site 3'→5'."""
        rows, columns = ([LETTERS.index(letter) for letter in letters] for letters in (mirna, site))
        pairs = self.pairs[range(len(mirna)), rows][:, columns]
        stacks = torch.zeros_like(pairs)
        for i, j, first, second in stacked_pairs(mirna, site):
            stacks[i + 1, j + 1] = self.stacks[KINDS.index(first), KINDS.index(second)]
        return pairs, stacks, self.moves[: len(mirna)]

    def score(self, mirna, site):
        return float(score(*self.weights(mirna, site)))

    def expect(self, mirna, site):
        """The score; the probability of each pair; of each pair with the next, where the first of them stands; the number
        of each move at each position."""
        weights = [weight.clone().requires_grad_() for weight in self.weights(mirna, site)]
        with torch.enable_grad():
            found = score(*weights)
        pairs, stacks, moves = torch.autograd.grad(found, weights)
        return found.item(), pairs, stacks[1:, 1:], moves


def stacked_pairs(mirna, site):
    """Where a pair may stand right behind another: the place of the first, and both."""
    for i in range(len(mirna) - 1):
        for j in range(len(site) - 1):
            first, second = mirna[i] + site[j], mirna[i + 1] + site[j + 1]
            if first in KINDS and second in KINDS:
                yield i, j, first, second


def energy(first, second):
    stack = f"{first[0]}{second[0]}/{first[1]}{second[1]}"
    return ENERGIES[stack] if stack in ENERGIES else ENERGIES[stack[::-1]]


def seed_match(mirna, site):
    """Bartel 2018, weakest first: none, offset 6mer, 6mer, 7mer-A1, 7mer-m8, 8mer. Both 5'→3'."""
    facing = lambda first, last: mirna[first - 1 : last][::-1].translate(COMPLEMENT)
    matches = [facing(3, 8), facing(2, 7), facing(2, 7) + "A", facing(2, 8), facing(2, 8) + "A"]
    held = [number for number, match in enumerate(matches, 1) if "N" not in match and match in site]
    return max(held, default=0)


def flanks(site, paired):
    """A and U, one more of two more, among up to 15 letters on either side of the middle 90 % of the pairs."""
    share = paired.cumsum(0) / paired.sum()
    first, last = int((share < 0.05).sum()), int((share < 0.95).sum()) + 1
    sides = [site[max(first - 15, 0) : first], site[last : last + 15]]
    return [(side.count("A") + side.count("U") + 1) / (len(side) + 2) for side in sides]


def numbers(mirna, site, pairs, stacks, moves):
    """The duplex in 147 numbers, the site 3'→5'."""
    facing = torch.zeros(30, 4, dtype=torch.double)
    for i, letter in enumerate(mirna):
        for j, other in enumerate(site):
            facing[i, FACING.get(letter + other, 3)] += pairs[i, j]
    energies = [0.0, 0.0, 0.0]
    for i, j, first, second in stacked_pairs(mirna, site):
        if stacks[i, j] > LEAST:
            # The seed and position 1; 9 to 13; the 3' end.
            energies[(i >= 8) + (i >= 13)] += float(stacks[i, j]) * energy(first, second)
    shares = [letters.count(letter) / len(letters) for letters in (mirna, site) for letter in LETTERS]
    lengths = [len(mirna) / 30, math.log(len(site))]
    match = [float(seed_match(mirna, site[::-1]) == number) for number in range(6)]
    rest = energies + moves[:, :4].sum(0).tolist() + shares + lengths + flanks(site, pairs.sum(0)) + match
    return facing.flatten().tolist() + rest


KNOWN = "ACGU"


def letters_in_place(mirna, site, pairs):
    """The letters in 480 numbers, the site 3'→5': the miRNA's by position, those that each position faces, and the site's
    from 20 before to 39 behind the letter opposite the miRNA's first."""
    own, faced, placed = (torch.zeros(size, 4, dtype=torch.double) for size in (30, 30, 60))
    starts = collections.Counter()
    for i, letter in enumerate(mirna):
        if letter in KNOWN:
            own[i, KNOWN.index(letter)] = 1
        for j, other in enumerate(site):
            if pairs[i, j] < LEAST:
                continue
            if other in KNOWN:
                faced[i, KNOWN.index(other)] += pairs[i, j]
            if 1 <= i <= 7:
                starts[j - i] += float(pairs[i, j])
    total = max(sum(starts.values()), 0.01)
    for start, share in starts.items():
        for place in range(60) if share / total >= 0.01 else ():
            at = start + place - 20
            if 0 <= at < len(site) and site[at] in KNOWN:
                placed[place, KNOWN.index(site[at])] += share / total
    return torch.cat([own, faced, placed]).flatten().tolist()


def family(mirna):
    return mirna[1:8]


def competitors(rows, size):
    """The most frequent miRNA of each of the most frequent families, and the logarithm of the family's share."""
    families = collections.defaultdict(collections.Counter)
    for row in rows:
        families[family(row["mirna"])][row["mirna"]] += 1
    largest = sorted(families.values(), key=lambda members: -members.total())[:size]
    return [(members.most_common(1)[0][0], math.log(members.total() / len(rows))) for members in largest]


def compare(own, others):
    """A score beside others (score, logarithm of its share): less all of them together, less the best, less their mean; and
    the fraction of them above it."""
    if not others:
        return [0.0] * 4
    scores, shares = torch.tensor(others, dtype=torch.double).T
    together = (scores + shares).logsumexp(0)
    differences = [own - together, own - scores.max(), own - scores.mean(), (scores > own).double().mean()]
    return [float(difference) for difference in differences]


def member(w, mirna, site, aligned, units=128, panel=None, letters=False):
    """The score corrected by a network that reads the duplex; without units the score alone."""
    aligner, (own, pairs, stacks, moves) = aligned
    logit = dense(w / "score", torch.tensor([[own / 10]], dtype=torch.double), 1)
    if units:
        read = [own] + numbers(mirna, site, pairs, stacks, moves)
        if panel is not None:
            rivals = [(other, share) for other, share in panel if family(other) != family(mirna)]
            read += compare(own, [(aligner.score(other, site), share) for other, share in rivals])
        if letters:
            read += letters_in_place(mirna, site, pairs)
        head = w / "head"
        x = batch_norm(head / "norm", torch.tensor([read], dtype=torch.double), 1e-3).clamp(-5, 5)
        x = dense(head / "joined", dense(head / "duplex", x, units).relu(), units).relu()
        logit = logit + dense(head / "output", x, 1)
    slope, offset = w("calibration", 2)
    return slope * logit + offset


def pairmap(mirna, site, members, **alone):
    """One member, or a sum over several with a calibration of its own."""
    w, turned = Weights(), site[::-1]
    aligner = Aligner(w / "alignment")
    aligned = aligner, aligner.expect(mirna, turned)
    if not members:
        return member(w, mirna, turned, aligned, **alone)
    each = [member(w / "members" / str(at), mirna, turned, aligned, **switches) for at, switches in enumerate(members)]
    slope, offset = w("calibration", 2)
    return slope * sum(share * logit for share, logit in zip(w("shares", len(each), 1)[:, 0], each)) + offset


def answers(rows, units=128, dropout=0.5, panel=0, letters=False, members=()):
    """Of all rows, which are also those that the panel is read from. Dropout is for training."""
    panel = competitors(rows, panel) if panel else None
    return [pairmap(row["mirna"], row["site"], members, units=units, panel=panel, letters=letters) for row in rows]

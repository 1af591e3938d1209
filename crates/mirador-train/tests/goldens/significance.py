"""Golden values of crates/mirador-train/src/stats/significance.rs, by scipy: python3 significance.py > significance.json"""

import json

import numpy as np
from scipy import special, stats

rng = np.random.default_rng(7)


def log10_normal(z):
    """log10 of the two-sided p of a normal deviate, also where p itself is below the least float."""
    return float((np.log(2) + special.log_ndtr(-abs(z))) / np.log(10))


def rank_sum(a, b):
    test = stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic")
    return {"a": a, "b": b, "statistic": float(test.statistic), "log10_p": float(np.log10(test.pvalue))}


def signed_rank(differences):
    few = np.count_nonzero(differences) <= 20
    assert not few or len(differences) <= 20, "zeros are permuted as well: signs would be drawn, not tried"
    method = stats.PermutationMethod(n_resamples=2**20) if few else "asymptotic"
    test = stats.wilcoxon(differences, zero_method="pratt", correction=False, method=method)
    return {"differences": differences, "statistic": float(test.statistic), "log10_p": float(np.log10(test.pvalue))}


def rounded(values, digits):
    return [round(float(value), digits) for value in values]


rank_sums = [
    rank_sum(rounded(rng.normal(0.3, 1, 30), 6), rounded(rng.normal(0, 1, 40), 6)),
    rank_sum(rounded(rng.normal(0.1, 1, 25), 0), rounded(rng.normal(0, 1, 25), 0)),
    rank_sum(rounded(rng.normal(3, 1, 200), 1), rounded(rng.normal(0, 1, 150), 1)),
]
signed_ranks = [
    signed_rank(rounded(rng.normal(0.3, 1, 30), 6)),
    signed_rank(rounded(rng.normal(0.2, 1, 60), 0)),
    signed_rank(rounded(rng.normal(1.5, 1, 300), 1)),
    signed_rank([0.5, 0.25, 1.0, 0.75, 2.0]),
    signed_rank([0.03, -0.01, 0.02, 0.04]),
    signed_rank([0.0, 1.0, 1.0, -1.0, 2.0, 2.0, -2.0, 3.0, 0.0, 3.0, 4.0, -1.0]),
]
normals = [{"z": z, "log10_p": log10_normal(z)} for z in [0.0, 0.5, 1.0, 1.9, 2.1, 3.0, 8.0, 40.0, 200.0]]
correlations = [
    {"r": r, "n": n, "log10_p": float(np.log10(2 * stats.t.sf(abs(r) * np.sqrt((n - 2) / (1 - r * r)), n - 2)))}
    for r, n in [(0.05, 20), (-0.3, 50), (0.02, 3908), (-0.34, 3908), (0.6, 12), (0.1, 500), (0.32, 1000)]
]
golden = {"rank_sums": rank_sums, "signed_ranks": signed_ranks, "normals": normals, "correlations": correlations}
print(json.dumps(golden))

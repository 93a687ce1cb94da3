"""Prints the intervals, probabilities and tests that smallnet's unit tests of `src/statistics/` and `src/study/` expect.

    pip install numpy scipy statsmodels baycomp && python3 tests/reference/statistics.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, baycomp 1.0.3.
"""
import baycomp
import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

# Accuracies of five folds with 400 training and 100 validation images each.
best = np.array([0.90, 0.91, 0.92, 0.93, 0.94])
others = {
    "same": np.array([0.895, 0.912, 0.915, 0.931, 0.937]),
    "worse": np.array([0.85, 0.86, 0.86, 0.88, 0.89]),
    # Worse in five of five folds by 4 to 23 percentage points: a large spread is no equality.
    "scattered": np.array([0.86, 0.78, 0.69, 0.85, 0.83]),
    "unstable": np.array([0.90, 0.905, 0.10, 0.925, 0.93]),
}


def interval(values):
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) * np.sqrt(1 / n + 100 / 400)
    return values.mean() - half, values.mean() + half


def posterior(differences, region, correction):
    """P(worse), P(equal), P(better) of the mean of best minus other, by scipy."""
    n = len(differences)
    scale = np.sqrt((1 / n + correction) * differences.var(ddof=1))
    belief = stats.t(n - 1, differences.mean(), scale)
    return belief.sf(region), belief.cdf(region) - belief.cdf(-region), belief.cdf(-region)


def by_baycomp(best, other, region):
    """The same by the authors' package: with k folds its correction is 1/(k − 1), which is 100/400 here."""
    better, equal, worse = baycomp.CorrelatedTTest.probs(best, other, rope=region)
    return better, equal, worse


print("intervals of a mean (Student's t, Nadeau and Bengio 2003)")
for values in [best, best - others["worse"], best - others["same"]]:
    print("  ({:.12f}, {:.12f})".format(*interval(values)))

print("correlated t-test: worse, equal, better; region 0.005 and 0.02")
for name, other in others.items():
    for region in [0.005, 0.02]:
        ours = posterior(best - other, region, 100 / 400)
        theirs = by_baycomp(best, other, region)
        print(f"  {name} {region}: {ours[0]:.10f}, {ours[1]:.10f}, {ours[2]:.10f}; baycomp {np.round(theirs, 10)}")
        assert np.allclose(ours, theirs, atol=1e-9) or np.allclose(ours, theirs[::-1], atol=1e-9)
print("  10,000 validation and 50,000 training images, three seeds:")
differences = np.array([0.012, 0.004, 0.009])
print("  {:.10f}, {:.10f}, {:.10f}".format(*posterior(differences, 0.005, 10000 / 50000)))
print("  p-value of the corrected t-test of `worse` and `same`:")
for name in ["worse", "same"]:
    d = best - others[name]
    t = d.mean() / np.sqrt((1 / 5 + 100 / 400) * d.var(ddof=1))
    print(f"  {name}: {2 * stats.t.sf(abs(t), 4):.12f}")

print("two shares of 500 images each, Beta(right + 1, wrong + 1), by quadrature; region 0.005")
for p1, p2, n in [(0.90, 0.88, 500), (0.90, 0.70, 500), (0.9239, 0.9239, 60000), (0.92, 0.915, 10000)]:
    a, b = (stats.beta(p * n + 1, (1 - p) * n + 1) for p in (p1, p2))
    x = np.linspace(0, 1, 2_000_001)
    density = a.pdf(x)
    cdf = lambda r: 1 - np.trapezoid(density * b.cdf(np.clip(x - r, 0, 1)), x)  # P(p1 − p2 ≤ r)
    worse, better = 1 - cdf(0.005), cdf(-0.005)
    print(f"  {p1} {p2} {n}: {worse:.6f}, {1 - worse - better:.6f}, {better:.6f}")

print("Student's t cdf, 3 degrees of freedom:", [f"{stats.t.cdf(t, 3):.10f}" for t in (2.0, -1.0)])
print("F test: variance ratios 16, 6.25, 86.5 of 5, 10, 5 values:",
      [f"{stats.f.sf(r, n - 1, n - 1):.10f}" for r, n in ((16, 5), (6.25, 10), (86.5, 5), (100, 2))])
print("Wilson 8 of 10:", proportion_confint(8, 10, method="wilson"))
print("Newcombe 60 of 75, 45 of 75:", confint_proportions_2indep(60, 75, 45, 75, method="newcomb", compare="diff"))
print("Holm:", multipletests([0.01, 0.04, 0.03, 0.005, 0.9], method="holm")[1])
print("McNemar, exact:")
for b, c in [(0, 0), (5, 1), (10, 25), (120, 160), (400, 300), (3000, 2900)]:
    test = mcnemar([[0, b], [c, 0]], exact=True)
    print(f"  {b} {c}: {test.pvalue:.12e}; scipy {stats.binomtest(b, b + c).pvalue if b + c else 1.0:.12e}")


def bonett_price(b, c, n):
    """Bonett and Price 2012, equation 9: Wald's interval with one added to each discordant count, two to n."""
    p, q = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = stats.norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return p - q - half, p - q + half


print("Bonett and Price, 120 and 160 of 10,000: {:.10f} {:.10f}".format(*bonett_price(120, 160, 10000)))
print("Mann-Whitney, exact, two-sided:")
for a, b in [
    ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]),
    ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]),
    ([1.1, 2.0, 3.3, 4.0, 6.5], [3.0, 5.0, 6.0, 7.0, 8.0]),
    ([1.0, 9.0, 4.0, 2.5, 3.5, 7.0], [8.0, 2.0, 3.0]),
]:
    print(f"  {stats.mannwhitneyu(a, b, method='exact').pvalue:.12f}")
a, b = np.arange(60) * 1.0, np.arange(60) + 7.5
print(f"  large: {stats.mannwhitneyu(a, b, method='asymptotic').pvalue:.12f}")
print("quantiles of 1, 2, 4, 8:", np.quantile([1, 2, 4, 8], [0, 0.25, 0.5, 0.75, 1]))

"""Intervals of cross-validated accuracies, as smallnet's tests of `src/study/statistics.rs` expect them.

    pip install scipy numpy && python3 tests/reference/statistics.py

Student's t interval of a mean over 5 folds with the correction of Nadeau and Bengio (2003): the variance of the mean is
s² (1/n + judged images / learned-from images). 400 images to learn from and 100 to be judged by.
"""
import numpy as np
from scipy import stats

one = np.array([0.90, 0.91, 0.92, 0.93, 0.94])
same = np.array([0.895, 0.912, 0.915, 0.931, 0.937])
worse = np.array([0.85, 0.86, 0.86, 0.88, 0.89])


def interval(values):
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) * np.sqrt(1 / n + 100 / 400)
    return values.mean() - half, values.mean() + half


for values in [one, one - worse, one - same]:
    low, high = interval(values)
    print(f"({low:.12f}, {high:.12f})")

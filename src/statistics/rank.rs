//! Owns the comparison of two groups of values that need not be normally distributed, such as
//! times. It is the Mann-Whitney test, whose statistic U is the number of pairs in which the value
//! of the first group is the larger one.

/// Most pairs of values for which all orders are counted. With more pairs, the normal approximation
/// of U agrees in more digits than anyone reads.
const MAX_PAIRS: usize = 2500;

/// Two-sided p-value of the Mann-Whitney test (1947). Its hypothesis is that values of one group
/// are as often below as above those of the other. It is 1 for an empty group.
///
/// Up to [`MAX_PAIRS`] pairs, the p-value is exact without ties, and cautious with them. With more
/// pairs, U is approximated by a normal distribution with mean mn/2 and variance mn(m + n + 1)/12.
/// In groups of equal size, a p-value below 0.05 needs at least four values in each.
pub(crate) fn mann_whitney(first: &[f64], second: &[f64]) -> f64 {
    let (m, n) = (first.len(), second.len());
    if m == 0 || n == 0 {
        return 1.0;
    }
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
    // A tie counts one half. U is doubled so that it stays an integer.
    let twice_u: usize = pairs
        .map(|(a, b)| match a.total_cmp(b) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2,
        })
        .sum();
    // Rounded towards the middle, so that ties make the p-value larger rather than smaller.
    let u = twice_u.min(2 * m * n - twice_u).div_ceil(2);
    if m.saturating_mul(n) > MAX_PAIRS {
        let (pairs, u) = (m as f64 * n as f64, u as f64);
        let deviation = (pairs * (m + n + 1) as f64 / 12.0).sqrt();
        return (2.0 * distrs::Normal::cdf((u + 0.5 - pairs / 2.0) / deviation, 0.0, 1.0)).min(1.0);
    }
    let counts = count_arrangements(m, n);
    let total: f64 = counts.iter().sum();
    (2.0 * counts[..=u].iter().sum::<f64>() / total).min(1.0)
}

/// Returns the number of orders of `m` and `n` different values for each U from 0 to m · n.
fn count_arrangements(m: usize, n: usize) -> Vec<f64> {
    // After `size` values of the first group, `ways[k][u]` counts the orders with U = `u` in which
    // each of these values is above at most `k` values of the second group. Either none of them is
    // above `k` values (`fewer`), or one is, and the others have U = `u - k` (`with`).
    let mut ways = vec![vec![0.0; m * n + 1]; n + 1];
    ways.iter_mut().for_each(|ways| ways[0] = 1.0);
    for size in 1..=m {
        let mut next = vec![vec![0.0; m * n + 1]; n + 1];
        for k in 0..=n {
            for u in 0..=size * n {
                let fewer = if k > 0 { next[k - 1][u] } else { 0.0 };
                let with = if u >= k { ways[k][u - k] } else { 0.0 };
                next[k][u] = fewer + with;
            }
        }
        ways = next;
    }
    ways.swap_remove(n)
}

#[cfg(test)]
mod tests;

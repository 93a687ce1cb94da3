//! Owns confidence intervals of means over trials and of proportions of images.

use crate::statistics::{CONFIDENCE, mean, spread_of, variance_factor};

/// Quantile of the standard normal distribution for a 95 % interval.
pub(super) const Z: f64 = 1.959_963_985;

/// 95 % interval of the mean of values over folds or seeds. `None` where the values do not spread.
///
/// It is Student's t with n − 1 degrees of freedom. The trials of different folds share training
/// images. So do those of different seeds, which take other validation images from one set. The
/// usual variance of the mean, s²/n, is therefore too small. The corrected variance is
/// s² · (1/n + validation / training images) (Nadeau and Bengio 2003). `images` has the number of
/// training images and of validation images.
pub(crate) fn correlated_interval(values: &[f64], images: (usize, usize)) -> Option<(f64, f64)> {
    let (mean, deviation) = (mean(values)?, spread_of(values)?);
    let t = distrs::StudentsT::ppf(0.5 + CONFIDENCE / 2.0, (values.len() - 1) as f64);
    let half = t * deviation * variance_factor(values.len(), images).sqrt();
    Some((mean - half, mean + half))
}

/// Wilson's 95 % interval (1927) of `share`, a proportion of `n` images. It is sound near 0 and 1,
/// too. It takes the choice of images into account: the same network may have another accuracy on
/// another set of images. It says nothing about another seed.
pub(crate) fn wilson(share: f64, n: usize) -> (f64, f64) {
    let (n, z) = (n.max(1) as f64, Z);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    (centre - half, centre + half)
}

/// Newcombe's 95 % interval (1998, method 10) of the difference of two proportions, first minus
/// second, from Wilson's interval of each. Each argument is a proportion and its number of images.
/// The method assumes different images, which is cautious where they are the same.
pub(crate) fn newcombe((p1, n1): (f64, usize), (p2, n2): (f64, usize)) -> (f64, f64) {
    let ((l1, u1), (l2, u2)) = (wilson(p1, n1), wilson(p2, n2));
    let reach = |one: f64, two: f64| (one * one + two * two).sqrt();
    (p1 - p2 - reach(p1 - l1, u2 - p2), p1 - p2 + reach(u1 - p1, p2 - l2))
}

#[cfg(test)]
mod tests;

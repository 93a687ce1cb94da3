//! Owns the separation of a digit's ink from background, light, noise and dirt on a grey picture.
//! Must not know files or networks, nor the size of the final image.

use crate::data::preprocess::background::{noise_std, subtract_background};
use crate::data::preprocess::gray::GrayF32;

/// Smallest difference between ink and background, of 255 grey levels.
const MIN_CONTRAST: f32 = 8.0;

/// Share of the ink's full strength up to which a pixel is background, however clean the picture
/// is.
const MIN_INK: f32 = 1.0 / 16.0;

/// Share of the ink's full strength from which a pixel is ink by itself. A weaker pixel is the grey
/// edge of a stroke, a shadow or background.
const STRONG_INK: f32 = 0.3;

/// Largest width of a stroke's grey edge, as a share of the digit's longer side: one of MNIST's 20
/// pixels.
const MAX_EDGE_WIDTH: f32 = 1.0 / 20.0;

/// Largest noise, as a share of the ink's full strength, with which a picture keeps its size. A
/// noisier picture is shrunk, which averages the noise out.
const MAX_NOISE: f32 = 0.15;

/// Shortest length, in pixels, to which the longer side of a noisy picture is shrunk.
const MIN_SIDE: usize = 128;

/// Number of standard deviations of the noise up to which a pixel is background.
const NOISE_MARGIN: f32 = 3.0;

/// Smallest mass of a component of the digit, as a share of its largest component's. The separate
/// top stroke of a 5 has five times as much.
const MIN_COMPONENT_MASS: f32 = 0.02;

/// Largest distance of a component from the largest one, as a share of the largest one's longer
/// side.
const MAX_COMPONENT_DISTANCE: f32 = 0.5;

/// Largest number of a component's pixels on the picture's border, as a share of its own height
/// plus width. A component with more is a shadow or the table under the paper.
const MAX_BORDER_SHARE: f32 = 0.6;

/// Finds the digit's ink: for each pixel the share that ink covers, 0 to 1. Returns nothing where
/// no ink stands out.
pub(super) fn segment(gray: &GrayF32) -> Option<GrayF32> {
    let difference = subtract_background(gray);
    let noise_limit = NOISE_MARGIN * noise_std(gray);
    let full = full_strength(&difference, noise_limit);
    if full < MIN_CONTRAST {
        return None;
    }
    if noise_limit > MAX_NOISE * full && gray.height.max(gray.width) >= 2 * MIN_SIDE {
        return segment(&gray.shrink(2));
    }
    if noise_limit > full {
        return None;
    }
    let threshold = noise_limit.max(MIN_INK * full);
    let ink = difference.map(|value| if value > threshold { (value / full).min(1.0) } else { 0.0 });
    select_digit(&ink)
}

/// Grey level of the middle of a stroke: half of the sum of the fourth powers of the ink lies above
/// it. The powers prevent a wide faint shadow from outweighing a thin dark line. Values up to
/// `noise_limit` do not count.
fn full_strength(difference: &GrayF32, noise_limit: f32) -> f32 {
    let mut mass = [0.0f64; 256];
    for &value in difference.values.iter().filter(|&&value| value > noise_limit) {
        mass[(value as usize).min(255)] += f64::from(value).powi(4);
    }
    let half = mass.iter().sum::<f64>() / 2.0;
    let mut above = 0.0;
    for (level, mass) in mass.iter().enumerate().rev() {
        above += mass;
        if above > half {
            return level as f32;
        }
    }
    0.0
}

/// A connected component of the ink.
struct Component {
    /// Indices of its pixels.
    pixels: Vec<usize>,
    /// Sum of its ink.
    mass: f32,
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Component {
    /// Length of the longer side of the bounding box, in pixels.
    fn longer_side(&self) -> usize {
        (self.bottom - self.top).max(self.right - self.left) + 1
    }

    /// Distance between the bounding boxes in pixels, the larger of rows and columns. It is 1 for
    /// neighbours.
    fn distance(&self, other: &Self) -> usize {
        let rows = other.top.saturating_sub(self.bottom).max(self.top.saturating_sub(other.bottom));
        let columns = other.left.saturating_sub(self.right).max(self.left.saturating_sub(other.right));
        rows.max(columns)
    }

    /// True if more than [`MAX_BORDER_SHARE`] of the component is on the picture's border.
    fn is_on_border(&self, ink: &GrayF32) -> bool {
        let on_border = |&&index: &&usize| {
            let (row, column) = (index / ink.width, index % ink.width);
            row == 0 || column == 0 || row + 1 == ink.height || column + 1 == ink.width
        };
        let sides = self.bottom - self.top + self.right - self.left + 2;
        self.pixels.iter().filter(on_border).count() as f32 > MAX_BORDER_SHARE * sides as f32
    }
}

/// Returns the ink without components that are too small, too far away or too much on the border to
/// belong to the digit. Returns nothing if there is no strong ink.
fn select_digit(ink: &GrayF32) -> Option<GrayF32> {
    let components = find_components(ink);
    let max_mass = |components: &[&Component]| components.iter().map(|it| it.mass).fold(0.0, f32::max);
    let all: Vec<&Component> = components.iter().collect();
    let mut inner = all.clone();
    inner.retain(|component| !component.is_on_border(ink));
    // A closely cropped digit may be on the border itself.
    let candidates = if max_mass(&inner) > MIN_COMPONENT_MASS * max_mass(&all) { inner } else { all };
    let largest = candidates.iter().max_by(|a, b| a.mass.total_cmp(&b.mass))?;
    let side = largest.longer_side() as f32;
    let belongs = |component: &&&Component| {
        component.mass >= MIN_COMPONENT_MASS * largest.mass
            && component.distance(largest) as f32 <= MAX_COMPONENT_DISTANCE * side
    };
    let mut strong = ink.map(|_| 0.0);
    for &index in candidates.iter().filter(belongs).flat_map(|component| &component.pixels) {
        strong.values[index] = 1.0;
    }
    let mut digit = strong.distance_transform(|value| value > 0.0);
    for (value, &ink) in digit.values.iter_mut().zip(&ink.values) {
        *value = if *value <= (MAX_EDGE_WIDTH * side).max(1.0) { ink } else { 0.0 };
    }
    Some(digit)
}

/// Finds the connected components of the strong ink. Pixels that touch at a corner are connected.
fn find_components(ink: &GrayF32) -> Vec<Component> {
    let mut seen: Vec<bool> = ink.values.iter().map(|&value| value < STRONG_INK).collect();
    let mut components = Vec::new();
    for start in 0..seen.len() {
        if !seen[start] {
            components.push(flood_fill(start, ink, &mut seen));
        }
    }
    components
}

/// Returns the component that contains pixel `start`, and marks its pixels as `seen`.
fn flood_fill(start: usize, ink: &GrayF32, seen: &mut [bool]) -> Component {
    let (row, column) = (start / ink.width, start % ink.width);
    let mut component =
        Component { pixels: vec![start], mass: 0.0, top: row, bottom: row, left: column, right: column };
    seen[start] = true;
    let mut next = 0;
    while let Some(&index) = component.pixels.get(next) {
        next += 1;
        let (row, column) = (index / ink.width, index % ink.width);
        component.mass += ink.values[index];
        (component.top, component.bottom) = (component.top.min(row), component.bottom.max(row));
        (component.left, component.right) = (component.left.min(column), component.right.max(column));
        for row in row.saturating_sub(1)..(row + 2).min(ink.height) {
            for column in column.saturating_sub(1)..(column + 2).min(ink.width) {
                let neighbour = row * ink.width + column;
                if !std::mem::replace(&mut seen[neighbour], true) {
                    component.pixels.push(neighbour);
                }
            }
        }
    }
    component
}

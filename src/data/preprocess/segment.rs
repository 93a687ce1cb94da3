//! Owns what is ink on a grey picture and what is background, light, noise or dirt.
//! Must not know files or networks, nor the size of the image that is made of it.

use crate::data::preprocess::background;
use crate::data::preprocess::gray::GrayF32;

/// The least difference between ink and background, of 255 grey levels.
const LEAST_CONTRAST: f32 = 8.0;

/// What is fainter than this share of the ink is background, however clean the picture.
const FAINTEST: f32 = 1.0 / 16.0;

/// From this share of the ink's full strength, a pixel is ink in its own right; less is a stroke's grey edge,
/// a shadow or nothing.
const STRONG: f32 = 0.3;

/// How wide a stroke's grey edge is at most, as a share of the digit's longer side: one of MNIST's 20 pixels.
const EDGE_WIDTH: f32 = 1.0 / 20.0;

/// A picture with noise beyond this share of the ink's full strength is shrunk, which averages the noise out,
/// ...
const MOST_NOISE: f32 = 0.15;

/// ... as long as its longer side is not less than this.
const SMALLEST_SIDE: usize = 128;

/// How many standard deviations of the background's noise stay background.
const NOISE_MARGIN: f32 = 3.0;

/// How much ink a part of the digit has at least, as a share of the digit's largest part. The loose top
/// stroke of a 5 has five times as much.
const SMALLEST_PART: f32 = 0.02;

/// How far a part may lie from the largest part, as a share of that part's longer side.
const FARTHEST_PART: f32 = 0.5;

/// A part that runs along the picture's edge for more than this share of its own height and width together
/// is no digit, but a shadow or the table under the paper.
const EDGE_SHARE: f32 = 0.6;

/// How much of each pixel the digit's ink covers, 0 to 1, or nothing where no ink stands out.
pub(super) fn find(grey: &GrayF32) -> Option<GrayF32> {
    let noise = background::noise(grey);
    let difference = background::subtract(grey);
    let faintest = NOISE_MARGIN * noise;
    let full = full_strength(&difference, faintest);
    if full < LEAST_CONTRAST {
        return None;
    }
    if faintest > MOST_NOISE * full && grey.height.max(grey.width) >= 2 * SMALLEST_SIDE {
        return find(&grey.shrunk(2));
    }
    if faintest > full {
        return None;
    }
    let floor = faintest.max(FAINTEST * full);
    let ink = difference.map(|value| if value > floor { (value / full).min(1.0) } else { 0.0 });
    only_the_digit(&ink)
}

/// The grey level of a stroke's middle: half of the ink's fourth powers lie above it. Powers, because a wide
/// faint shadow must not outweigh a thin dark line.
fn full_strength(difference: &GrayF32, faintest: f32) -> f32 {
    let mut mass = [0.0f64; 256];
    for &value in difference.values.iter().filter(|&&value| value > faintest) {
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

/// Connected ink.
struct Component {
    /// The indices of its pixels.
    pixels: Vec<usize>,
    /// The sum of its ink.
    mass: f32,
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Component {
    fn longer_side(&self) -> usize {
        (self.bottom - self.top).max(self.right - self.left) + 1
    }

    /// Steps from one bounding box to the other, the larger of rows and columns; 1 for neighbours.
    fn distance(&self, other: &Self) -> usize {
        let rows = other.top.saturating_sub(self.bottom).max(self.top.saturating_sub(other.bottom));
        let columns = other.left.saturating_sub(self.right).max(self.left.saturating_sub(other.right));
        rows.max(columns)
    }

    fn runs_along_edge(&self, ink: &GrayF32) -> bool {
        let on_edge = |&&at: &&usize| {
            let (row, column) = (at / ink.width, at % ink.width);
            row == 0 || column == 0 || row + 1 == ink.height || column + 1 == ink.width
        };
        let sides = self.bottom - self.top + self.right - self.left + 2;
        self.pixels.iter().filter(on_edge).count() as f32 > EDGE_SHARE * sides as f32
    }
}

/// The ink without what is too small, too far away or too much at the edge to belong to the digit.
fn only_the_digit(ink: &GrayF32) -> Option<GrayF32> {
    let parts = parts(ink);
    let heaviest = |parts: &[&Component]| parts.iter().map(|part| part.mass).fold(0.0, f32::max);
    let all: Vec<&Component> = parts.iter().collect();
    let mut inner = all.clone();
    inner.retain(|part| !part.runs_along_edge(ink));
    // A digit that was cut out closely may run along the edge itself.
    let candidates = if heaviest(&inner) > SMALLEST_PART * heaviest(&all) { inner } else { all };
    let main = candidates.iter().max_by(|a, b| a.mass.total_cmp(&b.mass))?;
    let side = main.longer_side() as f32;
    let belongs = |part: &&&Component| {
        part.mass >= SMALLEST_PART * main.mass && part.distance(main) as f32 <= FARTHEST_PART * side
    };
    let mut strong = ink.map(|_| 0.0);
    for &at in candidates.iter().filter(belongs).flat_map(|part| &part.pixels) {
        strong.values[at] = 1.0;
    }
    let mut digit = strong.distances(|value| value > 0.0);
    for (value, &ink) in digit.values.iter_mut().zip(&ink.values) {
        *value = if *value <= (EDGE_WIDTH * side).max(1.0) { ink } else { 0.0 };
    }
    Some(digit)
}

/// The connected parts of the strong ink; pixels that touch at a corner are connected.
fn parts(ink: &GrayF32) -> Vec<Component> {
    let mut seen: Vec<bool> = ink.values.iter().map(|&value| value < STRONG).collect();
    let mut parts = Vec::new();
    for start in 0..seen.len() {
        if !seen[start] {
            parts.push(part_from(start, ink, &mut seen));
        }
    }
    parts
}

fn part_from(start: usize, ink: &GrayF32, seen: &mut [bool]) -> Component {
    let (row, column) = (start / ink.width, start % ink.width);
    let mut part =
        Component { pixels: vec![start], mass: 0.0, top: row, bottom: row, left: column, right: column };
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = part.pixels.get(next) {
        next += 1;
        let (row, column) = (at / ink.width, at % ink.width);
        part.mass += ink.values[at];
        (part.top, part.bottom) = (part.top.min(row), part.bottom.max(row));
        (part.left, part.right) = (part.left.min(column), part.right.max(column));
        for row in row.saturating_sub(1)..(row + 2).min(ink.height) {
            for column in column.saturating_sub(1)..(column + 2).min(ink.width) {
                let neighbour = row * ink.width + column;
                if !std::mem::replace(&mut seen[neighbour], true) {
                    part.pixels.push(neighbour);
                }
            }
        }
    }
    part
}

//! Owns the separation of a digit's ink from background, light, noise, lines and dirt on a grey
//! picture. Must not know files or networks, nor the size of the final image.

use crate::data::preprocess::background::{flatten, max_radius, noise_std, subtract_background};
use crate::data::preprocess::components::{Bounds, Component, find_components};
use crate::data::preprocess::doubt::Doubt;
use crate::data::preprocess::frame::{encloses, is_frame, trim_border};
use crate::data::preprocess::gray::GrayF32;
use crate::data::preprocess::lines::remove_lines;

/// Smallest difference between ink and background, of 255 grey levels.
const MIN_CONTRAST: f32 = 8.0;

/// Share of the ink's full strength up to which a pixel is background, however clean the picture
/// is.
const MIN_INK: f32 = 1.0 / 16.0;

/// Share of the ink's full strength in the middle of most strokes.
const FULL_INK: f32 = 0.5;

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

/// Radius of the second opening, in widths of a stroke. Where strokes cross, the ink is up to twice
/// as wide as one of them.
const RADIUS_IN_STROKES: f64 = 1.5;

/// Smallest mass of a component of the digit, as a share of its largest component's. The separate
/// top stroke of a 5 has five times as much.
const MIN_COMPONENT_MASS: f32 = 0.02;

/// Largest distance of a component from the largest one, as a share of the largest one's longer
/// side, if it lies above or below it.
const MAX_DISTANCE_ABOVE: f32 = 0.5;

/// The same for a component beside the largest one.
const MAX_DISTANCE_BESIDE: f32 = 0.2;

/// The same for a component at the edge of the picture, where neighbours are cut off.
const MAX_DISTANCE_AT_EDGE: f32 = 0.25;

/// Share of a component's columns above or below the largest component from which it does not lie
/// beside it.
const MIN_SHARED_COLUMNS: f32 = 0.5;

/// Length of a component, as a share of the largest one's, from which both are of like size.
const LIKE_SIZE: f32 = 0.6;

/// Largest shared area of two digits, as a share of the smaller one's box.
const MAX_SHARED_AREA: f32 = 0.3;

/// Smallest mass of a part that was left out at the edge for which there is a doubt, as a share of
/// the digit's.
const MIN_LEFT_OUT: f32 = 0.25;

/// Largest number of a component's pixels on the picture's border, as a share of its own height
/// plus width. A component with more is a shadow or the table under the paper.
const MAX_BORDER_SHARE: f32 = 0.6;

/// Smallest side of a frame around the digit, as a share of the picture's.
const MIN_FRAME: f32 = 0.5;

/// Share of the picture's side from which a component is looked at for lines.
const MIN_LINED_SIDE: f32 = 0.5;

/// Largest number of components that are looked at for lines, which bounds the time.
const MAX_LINED_REGIONS: usize = 8;

/// The ink of one digit.
pub(super) struct Segmented {
    /// For each pixel the share that ink covers, 0 to 1.
    pub(super) ink: GrayF32,
    /// Reasons to mistrust it.
    pub(super) doubts: Vec<Doubt>,
}

/// Finds the digit's ink. Returns nothing where no ink stands out.
pub(super) fn segment(gray: &GrayF32) -> Option<Segmented> {
    let trimmed = trim_border(gray);
    let without_border = trimmed.as_ref().and_then(find_ink).and_then(|ink| select_digit(&ink));
    without_border.or_else(|| select_digit(&find_ink(gray)?))
}

/// Finds all ink on the picture except lines of the paper: for each pixel the share that ink covers,
/// 0 to 1. A noisy picture is shrunk. Returns nothing where no ink stands out.
pub(super) fn find_ink(gray: &GrayF32) -> Option<GrayF32> {
    let flattened = flatten(gray);
    let noise_limit = NOISE_MARGIN * noise_std(gray);
    let radius = max_radius(gray);
    let (difference, full) = difference(&flattened, radius, noise_limit);
    if full < MIN_CONTRAST {
        return None;
    }
    if noise_limit > MAX_NOISE * full && gray.height.max(gray.width) >= 2 * MIN_SIDE {
        return find_ink(&gray.shrink(2));
    }
    if noise_limit > full {
        return None;
    }
    let mut ink = strength(&difference, full, noise_limit);
    // Where the strokes are thin, a smaller opening leaves less of shadows.
    let smaller = RADIUS_IN_STROKES * ink.stroke_width_above(FULL_INK) + 1.0;
    if 2.0 * smaller < radius {
        let (difference, full) = self::difference(&flattened, smaller, noise_limit);
        if full >= MIN_CONTRAST.max(noise_limit) {
            ink = strength(&difference, full, noise_limit);
        }
    }
    let whole = Bounds { top: 0, bottom: ink.height - 1, left: 0, right: ink.width - 1 };
    remove_lines(&mut ink, whole);
    let mut regions: Vec<Bounds> = find_components(&ink).iter().map(|component| component.bounds).collect();
    regions.retain(|region| {
        *region != whole
            && (region.height() as f32 >= MIN_LINED_SIDE * ink.height as f32
                || region.width() as f32 >= MIN_LINED_SIDE * ink.width as f32)
    });
    regions.sort_by_key(|region| std::cmp::Reverse(region.height() * region.width()));
    for &region in regions.iter().take(MAX_LINED_REGIONS) {
        remove_lines(&mut ink, region);
    }
    Some(ink)
}

/// Returns the difference from the background and the grey level of full ink.
fn difference(flattened: &GrayF32, radius: f64, noise_limit: f32) -> (GrayF32, f32) {
    let difference = subtract_background(flattened, radius);
    let full = full_strength(&difference, noise_limit);
    (difference, full)
}

/// Turns differences from the background into shares of the `full` ink.
fn strength(difference: &GrayF32, full: f32, noise_limit: f32) -> GrayF32 {
    let threshold = noise_limit.max(MIN_INK * full);
    difference.map(|value| if value > threshold { (value / full).min(1.0) } else { 0.0 })
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

/// True if so much of the component lies on the picture's border that it is a shadow or the table
/// under the paper.
fn is_on_border(component: &Component, ink: &GrayF32) -> bool {
    let sides = component.bounds.height() + component.bounds.width();
    component.border_pixels(ink) as f32 > MAX_BORDER_SHARE * sides as f32
}

/// Relation of a component to the largest one.
#[derive(PartialEq)]
enum Part {
    /// It belongs to the same digit.
    OfDigit,
    /// It is about as large: another digit, perhaps.
    LikeSize,
    /// It is a cut-off part of something else at the edge of the picture.
    AtEdge,
    /// It is dirt, or too far away.
    Other,
}

/// Returns the ink without components that are too small, too far away or too much on the border to
/// belong to the digit. Returns nothing if there is no strong ink.
fn select_digit(ink: &GrayF32) -> Option<Segmented> {
    let components = find_components(ink);
    let largest = largest_part(ink, &components)?;
    let mut members = Vec::new();
    let mut doubts = Vec::new();
    let (mut like_size, mut at_edge) = (false, 0.0);
    for component in &components {
        match relation(component, largest, ink) {
            Part::OfDigit => members.push(component),
            Part::LikeSize => like_size = true,
            Part::AtEdge => at_edge += component.mass,
            Part::Other => {}
        }
    }
    if like_size {
        doubts.push(Doubt::SeveralParts);
    } else if at_edge > MIN_LEFT_OUT * largest.mass {
        doubts.push(Doubt::PartsAtTheEdge);
    }
    let bounds = members.iter().fold(largest.bounds, |bounds, part| bounds.union(&part.bounds));
    doubts.extend(doubts_of_bounds(&bounds, ink));
    if is_frame(largest, ink, MIN_FRAME) && members.len() == 1 {
        doubts.push(Doubt::OnlyAFrame);
    }
    Some(Segmented { ink: keep(ink, &members, largest.bounds.longer_side()), doubts })
}

/// Returns the component with the most ink that is neither a frame around something nor a shadow or
/// a table at the border.
fn largest_part<'a>(ink: &GrayF32, components: &'a [Component]) -> Option<&'a Component> {
    let frames: Vec<&Component> =
        components.iter().filter(|component| is_frame(component, ink, MIN_FRAME)).collect();
    let is_free = |component: &&Component| {
        let encloses_something = |frame: &Component| components.iter().any(|part| encloses(frame, part));
        !frames.iter().any(|frame| std::ptr::eq(*frame, *component) && encloses_something(frame))
    };
    let all: Vec<&Component> = components.iter().filter(is_free).collect();
    let mut inner = all.clone();
    inner.retain(|component| !is_on_border(component, ink));
    let max_mass = |components: &[&Component]| components.iter().map(|it| it.mass).fold(0.0, f32::max);
    // A closely cropped digit may be on the border itself.
    let candidates = if max_mass(&inner) > MIN_COMPONENT_MASS * max_mass(&all) { inner } else { all };
    candidates.into_iter().max_by(|a, b| a.mass.total_cmp(&b.mass))
}

/// Returns how a component belongs to the `largest` one.
fn relation(component: &Component, largest: &Component, ink: &GrayF32) -> Part {
    if std::ptr::eq(component, largest) {
        return Part::OfDigit;
    }
    if component.mass < MIN_COMPONENT_MASS * largest.mass || is_frame(component, ink, MIN_FRAME) {
        return Part::Other;
    }
    let (bounds, side) = (component.bounds, largest.bounds.longer_side() as f32);
    let at_edge = component.touches_border(ink) && !largest.touches_border(ink);
    if at_edge && is_on_border(component, ink) {
        return Part::Other;
    }
    let shared_columns = bounds.shared_columns(&largest.bounds) as f32;
    let is_beside = shared_columns < MIN_SHARED_COLUMNS * bounds.width() as f32;
    let shared = shared_columns * bounds.shared_rows(&largest.bounds) as f32;
    let smaller = bounds.height() * bounds.width();
    let smaller = smaller.min(largest.bounds.height() * largest.bounds.width()) as f32;
    let limit = match (at_edge, is_beside) {
        (true, true) => 0.0,
        (true, false) => MAX_DISTANCE_AT_EDGE,
        (false, true) => MAX_DISTANCE_BESIDE,
        (false, false) => MAX_DISTANCE_ABOVE,
    };
    if bounds.longer_side() as f32 >= LIKE_SIZE * side && shared < MAX_SHARED_AREA * smaller {
        return if at_edge { Part::AtEdge } else { Part::LikeSize };
    }
    match bounds.distance(&largest.bounds) as f32 <= limit * side {
        true => Part::OfDigit,
        false if at_edge => Part::AtEdge,
        false => Part::Other,
    }
}

/// Doubts about ink that goes from one side of the picture to the other. A digit that was cut out
/// along its own box touches all four sides.
fn doubts_of_bounds(bounds: &Bounds, ink: &GrayF32) -> Option<Doubt> {
    let has_height = bounds.top == 0 && bounds.bottom + 1 == ink.height;
    let has_width = bounds.left == 0 && bounds.right + 1 == ink.width;
    match (has_height, has_width) {
        (true, false) => Some(Doubt::ThroughTheHeight),
        (false, true) => Some(Doubt::ThroughTheWidth),
        _ => None,
    }
}

/// Returns the ink of these components with the grey edges of their strokes. `side` is the longer
/// side of the digit.
pub(super) fn keep(ink: &GrayF32, components: &[&Component], side: usize) -> GrayF32 {
    let mut strong = ink.map(|_| 0.0);
    for &index in components.iter().flat_map(|component| &component.pixels) {
        strong.values[index] = 1.0;
    }
    let mut digit = strong.distance_transform(|value| value > 0.0);
    for (value, &ink) in digit.values.iter_mut().zip(&ink.values) {
        *value = if *value <= (MAX_EDGE_WIDTH * side as f32).max(1.0) { ink } else { 0.0 };
    }
    digit
}

#[cfg(test)]
mod tests;

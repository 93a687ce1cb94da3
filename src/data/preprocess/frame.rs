//! Owns frames: the border that a cut-out cell brings along, and rectangles around a digit.
//! Must not know files or networks.

use crate::data::preprocess::components::Component;
use crate::data::preprocess::gray::GrayF32;

/// Largest thickness of a border that is cut off, as a share of the side across it.
const MAX_THICKNESS: f32 = 0.25;

/// Part of the picture's contrast from which a grey is not that of the paper.
const MIN_CONTRAST: f32 = 0.25;

/// Share of a row's pixels from which it belongs to the border.
const MIN_COVERAGE: f32 = 0.85;

/// Share of the pixels that are not paper in every row of a border. It may have buttons.
const MIN_ROW: f32 = 0.2;

/// Share of the pixels behind a border at one or two sides that must be paper. A stroke of a digit
/// is not a border: the rest of the digit follows.
const MIN_CLEAR: f32 = 0.97;

/// Share of the pixels of the new border that must be paper.
const MIN_PAPER: f32 = 0.8;

/// Distance from the middle of a rectangle's box to its corners, as a share of half of the side. A
/// rectangle has 1, an ellipse has 0.71.
const MIN_CORNER: f32 = 0.78;

/// Half of the sides of the middle part of a frame, which is empty, as a share of half of the
/// frame's.
const HOLLOW: f32 = 0.6;

/// Shortest length of what is in a frame, as a share of the frame's shorter side.
const MIN_CONTENT: f32 = 0.2;

/// Cuts borders off the sides of a picture: rows and columns from the edge whose grey is not that
/// of the paper, which is the most frequent one. Such are the frame of a cell and a toolbar without
/// buttons. Returns nothing if there is no such border, or no paper behind it.
pub(super) fn trim_border(gray: &GrayF32) -> Option<GrayF32> {
    let (paper, contrast) = (most_frequent(gray)?, contrast(gray));
    let is_paper = |value: f32| (value - paper).abs() <= MIN_CONTRAST * contrast;
    let transposed = gray.transpose();
    let (top, bottom) = border_rows(gray, is_paper);
    let (left, right) = border_rows(&transposed, is_paper);
    let sides = [top, bottom, left, right];
    let num_sides = sides.iter().filter(|&&thickness| thickness > 0).count();
    if num_sides == 0 {
        return None;
    }
    let (height, width) = (gray.height.checked_sub(top + bottom)?, gray.width.checked_sub(left + right)?);
    if height < 3 || width < 3 {
        return None;
    }
    let trimmed = gray.cut(top, left, height, width);
    let paper_share = |values: &[f32]| {
        values.iter().filter(|&&value| is_paper(value)).count() as f32 / values.len().max(1) as f32
    };
    let upright = trimmed.transpose();
    let behind = [
        &trimmed.values[..width],
        &trimmed.values[(height - 1) * width..],
        &upright.values[..height],
        &upright.values[(width - 1) * height..],
    ];
    let is_clear = num_sides >= 3
        || sides.iter().zip(behind).all(|(&thickness, row)| thickness == 0 || paper_share(row) >= MIN_CLEAR);
    (is_clear && paper_share(&trimmed.border()) >= MIN_PAPER).then_some(trimmed)
}

/// Number of rows at the top and at the bottom that belong to a border. One more row, which is
/// partly border and partly paper, is counted with them.
fn border_rows(gray: &GrayF32, is_paper: impl Fn(f32) -> bool) -> (usize, usize) {
    let limit = (gray.height as f32 * MAX_THICKNESS) as usize;
    let share =
        |row: &[f32]| row.iter().filter(|&&value| !is_paper(value)).count() as f32 / row.len().max(1) as f32;
    let shares: Vec<f32> = gray.values.chunks_exact(gray.width).map(share).collect();
    let thickness = |shares: &mut dyn Iterator<Item = &f32>| {
        let rows: Vec<f32> = shares.copied().take_while(|&share| share >= MIN_ROW).collect();
        let count = rows.iter().rposition(|&share| share >= MIN_COVERAGE).map_or(0, |last| last + 1);
        if count == 0 || count > limit { 0 } else { count + 1 }
    };
    (thickness(&mut shares.iter()), thickness(&mut shares.iter().rev()))
}

/// The most frequent grey, to within 8 levels.
fn most_frequent(gray: &GrayF32) -> Option<f32> {
    let mut counts = [0usize; 33];
    for &value in &gray.values {
        counts[(value.clamp(0.0, 255.0) / 8.0) as usize] += 1;
    }
    // Two neighbours together: the light of even paper may lie on the limit between them.
    let pairs = counts.windows(2).map(|pair| pair[0] + pair[1]);
    let (best, _) = pairs.enumerate().max_by_key(|&(_, count)| count)?;
    Some(best as f32 * 8.0 + 8.0)
}

/// Difference between the largest and the smallest grey.
fn contrast(gray: &GrayF32) -> f32 {
    let fold = |choose: fn(f32, f32) -> f32, start| gray.values.iter().copied().fold(start, choose);
    fold(f32::max, f32::NEG_INFINITY) - fold(f32::min, f32::INFINITY)
}

/// True if the component has the shape of a frame: four corners, empty in the middle, and sides of
/// at least `min_share` of the picture's.
pub(super) fn is_frame(component: &Component, ink: &GrayF32, min_share: f32) -> bool {
    let bounds = component.bounds;
    let is_large = bounds.height() as f32 >= min_share * ink.height as f32
        && bounds.width() as f32 >= min_share * ink.width as f32;
    if !is_large {
        return false;
    }
    let (mut corners, mut inside) = ([false; 4], 0);
    for &index in &component.pixels {
        let offset =
            |at: usize, start: usize, side: usize| 2.0 * ((at - start) as f32 + 0.5) / side as f32 - 1.0;
        let y = offset(index / ink.width, bounds.top, bounds.height());
        let x = offset(index % ink.width, bounds.left, bounds.width());
        if x.abs() >= MIN_CORNER && y.abs() >= MIN_CORNER {
            corners[usize::from(x > 0.0) + 2 * usize::from(y > 0.0)] = true;
        }
        inside += usize::from(x.abs() < HOLLOW && y.abs() < HOLLOW);
    }
    corners == [true; 4] && inside * 100 <= component.pixels.len()
}

/// True if `content` lies in the frame and is large enough to be what it is for.
pub(super) fn encloses(frame: &Component, content: &Component) -> bool {
    let side = frame.bounds.height().min(frame.bounds.width()) as f32;
    frame.bounds.contains_middle(&content.bounds)
        && content.bounds.longer_side() as f32 >= MIN_CONTENT * side
        && content.bounds.longer_side() < frame.bounds.longer_side()
}

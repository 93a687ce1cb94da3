//! Owns pictures of many digits: splits a photographed row, grid or table into its digits, in
//! reading order. Must not know networks.

use std::path::Path;

use crate::data::preprocess::components::{Bounds, Component, find_components};
use crate::data::preprocess::doubt::Doubt;
use crate::data::preprocess::frame::{encloses, is_frame};
use crate::data::preprocess::gray::GrayF32;
use crate::data::preprocess::normalize::normalize;
use crate::data::preprocess::segment::{find_ink, keep};
use crate::data::preprocess::{PreparedPicture, decode, no_digit};
use crate::error::{Error, Result};

/// Longest side of the picture of a sheet in pixels. A larger one is shrunk to it by averaging.
const MAX_SIDE: usize = 2048;

/// Largest number of digits of a sheet.
const MAX_DIGITS: usize = 2000;

/// Largest number of parts of all digits, which bounds the time.
const MAX_PARTS: usize = 8000;

/// Shortest length of a part in pixels.
const MIN_PART: usize = 4;

/// Shortest length of a box around a digit in pixels.
const MIN_BOX: usize = 12;

/// Lengths of a part, in heights of a usual digit, that may belong to a digit.
const PART_SIZES: std::ops::RangeInclusive<f32> = 0.12..=2.5;

/// Shortest length of a digit, in heights of a usual digit.
const MIN_DIGIT: f32 = 0.45;

/// Largest distance of a small part from its digit, in heights of a usual digit.
const MAX_DISTANCE: f32 = 0.25;

/// Largest length of a small part, as a share of its digit's.
const SMALL_PART: f32 = 0.6;

/// Share of the smaller part's box that two parts of one digit have in common.
const MIN_SHARED_AREA: f32 = 0.3;

/// Width of ink, in heights of a usual digit, from which it may be two digits that touch.
const MAX_WIDTH: f32 = 1.2;

/// Part of two digits' width, at each side, in which they do not touch.
const MIN_PART_WIDTH: f32 = 0.3;

/// Largest ink in a column where two digits touch, in heights of a usual digit.
const MAX_CONTACT: f32 = 0.25;

/// Share of the lower height that neighbours in a row have in common.
const MIN_SHARED_ROWS: f32 = 0.5;

/// A grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetPicture {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Pixels, row-major: 0 is black, 255 is white.
    pub pixels: Vec<u8>,
}

/// One digit of a sheet. The first four fields are a box in pixels of [`DigitSheet::picture`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetDigit {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// The digit, ready for a network.
    pub prepared: PreparedPicture,
}

/// A picture of many digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitSheet {
    /// The picture, upright, with sides of at most 2048 pixels.
    pub picture: SheetPicture,
    /// The digits: rows from the top, in a row from the left.
    pub digits: Vec<SheetDigit>,
}

/// Reads a PNG or JPEG file with several digits and prepares each of them as
/// [`read_digit`](super::read_digit) does. Boxes without a digit are left out. `height` and `width`
/// of the images are at least 1.
///
/// # Errors
/// Those of [`read_digit`](super::read_digit), or more than 2,000 digits.
pub fn read_sheet(path: &Path, height: usize, width: usize) -> Result<DigitSheet> {
    let gray = decode::to_gray(path, decode::read_file(path)?, MAX_SIDE)?;
    let ink = find_ink(&gray).ok_or_else(|| no_digit(path, &gray))?;
    let components = find_components(&ink);
    let parts = find_parts(&ink, &components);
    if parts.len() > MAX_PARTS {
        return Err(too_many(path, parts.len(), "parts", MAX_PARTS));
    }
    let groups: Vec<Group> = group(&parts).into_iter().flat_map(|group| group.split(&ink, &parts)).collect();
    if groups.len() > MAX_DIGITS {
        return Err(too_many(path, groups.len(), "digits", MAX_DIGITS));
    }
    let scale = gray.height.max(gray.width) as f64 / ink.height.max(ink.width) as f64;
    let prepare = |group: &Group| {
        let pixels = normalize(&group.ink, height, width)?;
        let place = |at: usize| (at as f64 * scale) as usize;
        let Bounds { top, left, .. } = group.bounds;
        let (top, left) = (place(top).min(gray.height - 1), place(left).min(gray.width - 1));
        Some(SheetDigit {
            top,
            left,
            height: place(group.bounds.height()).clamp(1, gray.height - top),
            width: place(group.bounds.width()).clamp(1, gray.width - left),
            prepared: PreparedPicture { pixels, doubts: group.doubts.clone() },
        })
    };
    let digits: Vec<SheetDigit> = in_reading_order(groups).iter().filter_map(prepare).collect();
    if digits.is_empty() {
        return Err(no_digit(path, &gray));
    }
    let pixels = gray.values.iter().map(|&value| value.round().clamp(0.0, 255.0) as u8).collect();
    Ok(DigitSheet { picture: SheetPicture { height: gray.height, width: gray.width, pixels }, digits })
}

/// Error of a picture with too many things on it.
fn too_many(path: &Path, count: usize, things: &str, limit: usize) -> Error {
    Error::data(format!("`{}` shows {count} {things}, expected at most {limit}", path.display()))
        .hint("cut the picture into several ones, or take it in better light: noise looks like digits")
}

/// The components that may belong to digits, and how high a digit usually is.
struct Parts<'a> {
    components: Vec<&'a Component>,
    /// In pixels.
    usual_height: f32,
}

impl Parts<'_> {
    fn len(&self) -> usize {
        self.components.len()
    }
}

/// Chooses the components that are neither frames nor tables nor dirt.
fn find_parts<'a>(ink: &GrayF32, components: &'a [Component]) -> Parts<'a> {
    let is_box =
        |component: &Component| component.bounds.longer_side() >= MIN_BOX && is_frame(component, ink, 0.0);
    let boxes: Vec<bool> = components.iter().map(is_box).collect();
    let has_boxes = boxes.iter().filter(|&&is_box| is_box).count() > 1;
    // One rectangle may be a digit. Several, or one around something, are boxes.
    let is_around =
        |component: &Component| has_boxes || components.iter().any(|content| encloses(component, content));
    let mut parts: Vec<&Component> = components
        .iter()
        .zip(boxes)
        .filter(|&(component, is_box)| {
            component.bounds.longer_side() >= MIN_PART && !(is_box && is_around(component))
        })
        .map(|(component, _)| component)
        .collect();
    // Half of the ink belongs to parts at least this high.
    let mut by_height: Vec<(usize, f32)> =
        parts.iter().map(|part| (part.bounds.height(), part.mass)).collect();
    by_height.sort_by_key(|&(height, _)| height);
    let half = by_height.iter().map(|&(_, mass)| mass).sum::<f32>() / 2.0;
    let mut below = 0.0;
    let usual = by_height.iter().find(|&&(_, mass)| {
        below += mass;
        below >= half
    });
    let usual_height = usual.map_or(1.0, |&(height, _)| height as f32);
    parts.retain(|part| PART_SIZES.contains(&(part.bounds.longer_side() as f32 / usual_height)));
    Parts { components: parts, usual_height }
}

/// The ink of one digit.
struct Group {
    bounds: Bounds,
    /// The ink in the box, and some empty pixels around it.
    ink: GrayF32,
    doubts: Vec<Doubt>,
}

/// Members of one digit, as indices of the parts.
struct Members(Vec<usize>);

/// Puts the parts of each digit together.
fn group(parts: &Parts) -> Vec<Members> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(parts.components[index].bounds.longer_side()));
    let mut groups: Vec<(Bounds, Members)> = Vec::new();
    for index in order {
        let bounds = parts.components[index].bounds;
        let home = groups
            .iter_mut()
            .filter(|(digit, _)| belongs(&bounds, digit, parts.usual_height))
            .min_by_key(|(digit, _)| bounds.distance(digit));
        match home {
            Some((digit, Members(members))) => {
                *digit = digit.union(&bounds);
                members.push(index);
            }
            None => groups.push((bounds, Members(vec![index]))),
        }
    }
    let is_digit = |bounds: &Bounds| bounds.longer_side() as f32 >= MIN_DIGIT * parts.usual_height;
    groups.into_iter().filter(|(bounds, _)| is_digit(bounds)).map(|(_, members)| members).collect()
}

/// True if a part belongs to a digit that is at least as long.
fn belongs(part: &Bounds, digit: &Bounds, usual_height: f32) -> bool {
    let area = part.height() * part.width();
    let shared = part.shared_columns(digit) * part.shared_rows(digit);
    let is_near = part.distance(digit) as f32 <= MAX_DISTANCE * usual_height;
    let is_small = part.longer_side() as f32 <= SMALL_PART * digit.longer_side() as f32;
    (is_small && is_near) || shared as f32 >= MIN_SHARED_AREA * area as f32
}

impl Members {
    /// Cuts the ink of the digit out. Ink that is too wide is split into two digits where a thin
    /// line joins them.
    fn split(self, ink: &GrayF32, parts: &Parts) -> Vec<Group> {
        let components: Vec<&Component> = self.0.iter().map(|&index| parts.components[index]).collect();
        let Some(bounds) = components.iter().map(|it| it.bounds).reduce(|one, two| one.union(&two)) else {
            return Vec::new();
        };
        let whole = cut_out(ink, &components, bounds);
        if (bounds.width() as f32) < MAX_WIDTH * parts.usual_height {
            return vec![Group { bounds, ink: whole, doubts: Vec::new() }];
        }
        let doubts = vec![Doubt::TouchingDigits];
        let margin = (whole.width - bounds.width()) / 2;
        let Some(column) = contact(&whole, parts.usual_height) else {
            return vec![Group { bounds, ink: whole, doubts }];
        };
        let at = (bounds.left + column).saturating_sub(margin).clamp(bounds.left + 1, bounds.right);
        let left = Bounds { right: at - 1, ..bounds };
        let right = Bounds { left: at, ..bounds };
        let part = |bounds: Bounds, from: usize, width: usize| Group {
            bounds,
            ink: whole.cut(0, from, whole.height, width).pad(1),
            doubts: doubts.clone(),
        };
        vec![part(left, 0, column), part(right, column, whole.width - column)]
    }
}

/// Returns the ink of these components, which lie in `bounds`, with some empty pixels around it.
fn cut_out(ink: &GrayF32, components: &[&Component], bounds: Bounds) -> GrayF32 {
    let margin = bounds.longer_side() / 20 + 2;
    let part = ink.cut(bounds.top, bounds.left, bounds.height(), bounds.width()).pad(margin);
    let local = |&index: &usize| {
        let (row, column) = (index / ink.width - bounds.top, index % ink.width - bounds.left);
        (row + margin) * part.width + column + margin
    };
    let moved: Vec<Component> = components
        .iter()
        .map(|it| Component {
            pixels: it.pixels.iter().map(local).collect(),
            mass: it.mass,
            bounds: it.bounds,
        })
        .collect();
    keep(&part, &moved.iter().collect::<Vec<_>>(), bounds.longer_side())
}

/// The column with the least ink in the middle of two digits, if the digits only touch there.
fn contact(ink: &GrayF32, usual_height: f32) -> Option<usize> {
    let margin = (ink.width as f32 * MIN_PART_WIDTH) as usize;
    let in_column = |column: usize| (0..ink.height).map(|row| ink.at(row, column)).sum::<f32>();
    let columns = margin.max(1)..ink.width.saturating_sub(margin);
    let column = columns.min_by(|&one, &two| in_column(one).total_cmp(&in_column(two)))?;
    (in_column(column) <= MAX_CONTACT * usual_height).then_some(column)
}

/// Sorts the digits: rows from the top, in a row from the left. A digit belongs to the row whose
/// last digit it shares most rows of pixels with, so that a tilted row stays together.
fn in_reading_order(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|group| group.bounds.left);
    let mut rows: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        let shared = |row: &Vec<Group>| {
            row.last().map_or(0.0, |last| {
                let lower = last.bounds.height().min(group.bounds.height());
                last.bounds.shared_rows(&group.bounds) as f32 / lower as f32
            })
        };
        let best = rows.iter_mut().max_by(|one, two| shared(one).total_cmp(&shared(two)));
        match best {
            Some(row) if shared(row) >= MIN_SHARED_ROWS => row.push(group),
            _ => rows.push(vec![group]),
        }
    }
    let middle = |row: &Vec<Group>| {
        let sum: usize = row.iter().map(|group| group.bounds.top + group.bounds.bottom).sum();
        sum / row.len().max(1)
    };
    rows.sort_by_key(middle);
    rows.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;

//! Owns the straight lines of paper and tables: ruled and squared paper, frames that touch the
//! digit. Must not know files or networks.

use crate::data::preprocess::components::Bounds;
use crate::data::preprocess::gray::{GrayF32, median};

/// Longest side on which lines are looked for. A pixel of it has ink if any pixel of its block has.
const MAX_SIDE: usize = 256;

/// Shortest side of a region in which lines are looked for, in pixels.
const MIN_SIDE: usize = 16;

/// Largest slope of a line: about 4.5 degrees.
const MAX_SLOPE: f32 = 0.08;

/// Share of the columns in which a line has ink.
const MIN_COVERAGE: f32 = 0.8;

/// Largest share of the region that a line takes from top to bottom.
const MAX_THICKNESS: f32 = 0.1;

/// Ratio between the line's thickness and a stroke's up to which it is no stroke of the digit.
const MAX_THIN: f32 = 0.55;

/// Ratio between the line's ink and a stroke's up to which it is no stroke of the digit.
const MAX_FAINT: f32 = 0.75;

/// Ratio between a pixel's ink and that of the line, up to which the pixel belongs to the line alone.
const MAX_LINE_INK: f32 = 1.4;

/// Number of parallel lines that no digit has.
const MANY_LINES: usize = 3;

/// Share of the ink that must stay without the lines.
const MIN_REST: f32 = 0.03;

/// A line that is nearly level, in a region.
struct Line {
    /// Row at the middle column.
    row: f32,
    /// Rows per column.
    slope: f32,
    /// Largest distance of its pixels from its middle, in rows.
    reach: f32,
}

/// Removes the lines that go through the whole `region` of the ink, if they belong to the paper:
/// they are thinner or fainter than the rest, or more than a digit can have, or make a frame.
/// Strokes that cross a line stay.
pub(super) fn remove_lines(ink: &mut GrayF32, region: Bounds) {
    if region.height().min(region.width()) < MIN_SIDE {
        return;
    }
    let part = ink.cut(region.top, region.left, region.height(), region.width());
    let upright = part.transpose();
    let (level_lines, upright_lines) = (find_lines(&part), find_lines(&upright));
    if level_lines.is_empty() && upright_lines.is_empty() {
        return;
    }
    let (rest, one) = erase(&part, &level_lines);
    let (rest, two) = erase(&rest.transpose(), &upright_lines);
    let rest = rest.transpose();
    let erased: Vec<(f32, f32)> = one.into_iter().chain(two).collect();
    let is_many = level_lines.len().max(upright_lines.len()) >= MANY_LINES;
    let is_frame = has_both_ends(&level_lines, part.height) && has_both_ends(&upright_lines, part.width);
    if !is_paper(&part, &rest, &erased, is_many || is_frame) {
        return;
    }
    for (row, line) in rest.values.chunks_exact(rest.width).enumerate() {
        let start = (region.top + row) * ink.width + region.left;
        ink.values[start..start + rest.width].copy_from_slice(line);
    }
}

/// True if there is a line near both ends of a side.
fn has_both_ends(lines: &[Line], side: usize) -> bool {
    let near = MAX_THICKNESS * side as f32;
    lines.iter().any(|line| line.row < near) && lines.iter().any(|line| line.row > side as f32 - near)
}

/// True if the lines, given as thickness and ink of each, are not strokes of the digit.
fn is_paper(whole: &GrayF32, rest: &GrayF32, lines: &[(f32, f32)], is_pattern: bool) -> bool {
    let mass = |image: &GrayF32| image.values.iter().sum::<f32>();
    if mass(rest) < MIN_REST * mass(whole) || lines.is_empty() {
        return false;
    }
    let stroke = rest.stroke_width(0.5) as f32;
    // Half of a stroke's ink is at least this strong.
    let full = median(rest.values.iter().copied().filter(|&value| value > 0.3).collect());
    let is_thin = lines.iter().all(|&(thickness, _)| thickness <= MAX_THIN * stroke);
    let is_faint = lines.iter().all(|&(_, strength)| strength <= MAX_FAINT * full);
    is_pattern || is_thin || is_faint
}

/// Finds the lines that are nearly level and go from the left to the right of the image. All of
/// them have one slope.
fn find_lines(image: &GrayF32) -> Vec<Line> {
    let block = image.height.max(image.width).div_ceil(MAX_SIDE).max(1);
    let small = image.shrink(block);
    let middle = small.width as f32 / 2.0;
    // Column by column, so that a column counts once for a line.
    let places: Vec<(usize, usize)> = (0..small.width)
        .flat_map(|column| (0..small.height).map(move |row| (column, row)))
        .filter(|&(column, row)| small.at(row, column) > 0.0)
        .collect();
    let num_slopes = (MAX_SLOPE * small.width as f32 / 1.5).ceil().max(1.0) as isize;
    let margin = (MAX_SLOPE * middle).ceil() as usize + 1;
    let needed = MIN_COVERAGE * small.width as f32;
    let mut best = (0.0, 0.0, Vec::new());
    for step in -num_slopes..=num_slopes {
        let slope = step as f32 * MAX_SLOPE / num_slopes as f32;
        // For each row and the next: the columns with ink in one of them, and the last such column.
        let mut counts = vec![(0.0f32, usize::MAX); small.height + 2 * margin + 2];
        for &(column, row) in &places {
            let at = (row + margin) as isize - (slope * (column as f32 - middle)).round() as isize;
            // A line between two rows has a part of its pixels in each.
            for at in [at, at + 1] {
                if let Some((count, last)) = usize::try_from(at).ok().and_then(|at| counts.get_mut(at))
                    && *last != column
                {
                    (*count, *last) = (*count + 1.0, column);
                }
            }
        }
        let pairs: Vec<f32> = counts.into_iter().map(|(count, _)| count).collect();
        let score: f32 = pairs.iter().map(|&count| (count - 0.5 * needed).max(0.0).powi(2)).sum();
        if score > best.0 && pairs.iter().any(|&count| count >= needed) {
            best = (score, slope, pairs);
        }
    }
    let (_, slope, pairs) = best;
    let mut lines = Vec::new();
    let mut start = None;
    for (at, &count) in pairs.iter().chain([&0.0]).enumerate() {
        if count >= needed {
            start.get_or_insert(at);
        } else if let Some(first) = start.take() {
            let rows = (at - first) as f32;
            let row = (first + at - 1) as f32 / 2.0 - margin as f32;
            if rows <= (MAX_THICKNESS * small.height as f32).max(4.0) {
                let block = block as f32;
                lines.push(Line { row: row * block, slope, reach: (rows / 2.0 + 1.0) * block });
            }
        }
    }
    lines
}

/// Erases the lines where no stroke crosses them. Returns the image and, for each line, its
/// thickness in pixels and its ink. A line with runs of ink that are too long for it is kept.
fn erase(image: &GrayF32, lines: &[Line]) -> (GrayF32, Vec<(f32, f32)>) {
    let mut rest = image.clone();
    let mut measures = Vec::new();
    for line in lines {
        let runs: Vec<(usize, usize, usize)> = (0..image.width)
            .filter_map(|column| run_at(image, line, column).map(|(top, bottom)| (column, top, bottom)))
            .collect();
        let thickness = median(runs.iter().map(|&(_, top, bottom)| (bottom - top) as f32).collect());
        // Wider than where the line was found: a stroke, or a filled area.
        if thickness > 2.0 * line.reach {
            continue;
        }
        let is_line =
            |&&(_, top, bottom): &&(usize, usize, usize)| (bottom - top) as f32 <= 1.5 * thickness + 1.5;
        let strength = |&(column, top, bottom): &(usize, usize, usize)| {
            (top..bottom).map(|row| image.at(row, column)).fold(0.0, f32::max)
        };
        measures.push((thickness, median(runs.iter().filter(is_line).map(strength).collect())));
        // Where a stroke lies on the line, the ink is stronger.
        let limit = MAX_LINE_INK * measures.last().map_or(0.0, |&(_, strength)| strength);
        for &(column, top, bottom) in runs.iter().filter(is_line) {
            for value in (top..bottom).map(|row| row * rest.width + column) {
                if rest.values[value] <= limit {
                    rest.values[value] = 0.0;
                }
            }
        }
    }
    (rest, measures)
}

/// First row and row after the last one of the ink of a line in `column`, with all ink that it is
/// connected to in this column.
fn run_at(image: &GrayF32, line: &Line, column: usize) -> Option<(usize, usize)> {
    let row = line.row + line.slope * (column as f32 - image.width as f32 / 2.0);
    let has_ink = |row: usize| image.at(row, column) > 0.0;
    let limit = |row: f32| row.clamp(0.0, image.height as f32) as usize;
    let (first, end) = (limit(row - line.reach), limit(row + line.reach + 1.0));
    let found = (first..end)
        .filter(|&at| has_ink(at))
        .min_by(|&a, &b| (a as f32 + 0.5 - row).abs().total_cmp(&(b as f32 + 0.5 - row).abs()))?;
    let top = (0..found).rev().take_while(|&row| has_ink(row)).last().unwrap_or(found);
    let bottom = (found..image.height).take_while(|&row| has_ink(row)).last().unwrap_or(found);
    Some((top, bottom + 1))
}

//! Owns the positions of the labels of marks. They are inside the plot, do not overlap each other
//! or other marks, and cover as little of the lines as possible. A label without room beside its
//! mark is further away, with a line to its mark. Labels are left out only if the plot is full: a
//! reader would take the label of a near mark for that of a mark without one. Must not know series
//! or axes.

use crate::error::Result;
use crate::plots::chart::style::{MARK, SUBPIXELS};
use crate::plots::text::Font;

/// Font of the labels.
pub(super) const LABEL: Font = Font { size: 13.0, bold: false };
/// Space between a mark and its label, in subpixels.
const GAP: i32 = 4 * SUBPIXELS;
/// Distance between the points that stand for a line, in subpixels. A label should not cover them.
const POINT_STEP: i32 = 4 * SUBPIXELS;
/// Distance between the positions that are tried, in subpixels.
const SEARCH_STEP: i32 = 6 * SUBPIXELS;
/// Largest further distance from its mark, in subpixels, that a label accepts to cover one point
/// less.
const COVER_COST: i32 = 3 * SUBPIXELS;

/// Position in subpixels, from the upper left corner of the plot.
pub(super) type Position = (i32, i32);

/// Position of a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Label {
    /// Left end and vertical middle of the text.
    pub(super) at: Position,
    /// End of the line from its mark. `None` if the label is beside the mark.
    pub(super) line_to: Option<Position>,
}

/// A plot and everything in it that labels have to avoid, in subpixels.
pub(super) struct LabelSpace {
    /// Width and height.
    size: Position,
    /// Upper left and lower right corners of the labels placed so far. Nothing may cover them.
    texts: Vec<(Position, Position)>,
    /// Marks. A label may be neither on a mark nor beside the mark of another label.
    marks: Vec<Position>,
    /// Points of lines. Labels cover as few of them as possible.
    points: Vec<Position>,
}

impl LabelSpace {
    /// Creates an empty plot of this width and height.
    pub(super) fn new(size: Position) -> Self {
        Self { size, texts: Vec::new(), marks: Vec::new(), points: Vec::new() }
    }

    /// Adds a mark.
    pub(super) fn add_mark(&mut self, mark: Position) {
        self.marks.push(mark);
    }

    /// Adds a line between two positions.
    pub(super) fn add_line(&mut self, from: Position, to: Position) {
        self.points.extend(points_between(from, to));
    }

    /// Chooses the position of a label for the mark at `mark`. `None` if there is no room in the
    /// whole plot.
    pub(super) fn label(&mut self, mark: Position, text: &str) -> Result<Option<Label>> {
        let size @ (width, height) = self.size_of(text)?;
        let from_mark = MARK * SUBPIXELS + GAP;
        let (left, middle, right) = (mark.0 - from_mark - width, mark.0 - width / 2, mark.0 + from_mark);
        let (above, level, below) = (mark.1 - height - GAP, mark.1 - height / 2, mark.1 + GAP);
        let sides = [(right, level), (left, level), (middle, above - GAP / 2), (middle, below + GAP / 2)];
        let corners = [(right, above), (right, below), (left, above), (left, below)];
        if let Some(at) = self.place_best(mark, size, sides.into_iter().chain(corners)) {
            return Ok(Some(Label { at, line_to: None }));
        }
        let Some(at) = self.place_nearest(mark, size) else { return Ok(None) };
        let half = height / 2;
        let line_to = (mark.0.clamp(at.0, at.0 + width), mark.1.clamp(at.1 - half, at.1 + half));
        // Later labels stay off the line.
        self.marks.extend(points_between(mark, line_to).skip(1));
        Ok(Some(Label { at, line_to: Some(line_to) }))
    }

    /// Width and height of a text, in subpixels.
    fn size_of(&self, text: &str) -> Result<Position> {
        let fine = |length: f64| (length * f64::from(SUBPIXELS)).ceil() as i32;
        Ok((fine(LABEL.measure(text)?), fine(LABEL.line_height())))
    }

    /// Places a label of this size at that one of the upper left `corners` where it covers the
    /// fewest points. Of equally good corners, it is the first. Returns the left end and vertical
    /// middle of the label, or `None` if no corner is free.
    fn place_best(
        &mut self,
        mark: Position,
        size: Position,
        corners: impl Iterator<Item = Position>,
    ) -> Option<Position> {
        let boxes = corners.map(|corner| (corner, (corner.0 + size.0, corner.1 + size.1)));
        let free = boxes.filter(|place| self.is_free(mark, place));
        let taken @ (start, end) = free.min_by_key(|place| self.num_covered(place))?;
        self.texts.push(taken);
        Some((start.0, i32::midpoint(start.1, end.1)))
    }

    /// Places a label of this size at the free position nearest to its mark. A position that covers
    /// fewer points may be further away: see [`COVER_COST`].
    fn place_nearest(&mut self, mark: Position, size: Position) -> Option<Position> {
        let starts = |length: i32, of: i32| (0..=(length - of).max(0)).step_by(SEARCH_STEP as usize);
        let corners: Vec<Position> = starts(self.size.0, size.0)
            .flat_map(|x| starts(self.size.1, size.1).map(move |y| (x, y)))
            .filter(|&corner| self.is_free(mark, &(corner, (corner.0 + size.0, corner.1 + size.1))))
            .collect();
        let cost = |&(x, y): &Position| {
            let across = (x - mark.0).max(mark.0 - x - size.0).max(0);
            let down = (y - mark.1).max(mark.1 - y - size.1).max(0);
            across + down + COVER_COST * self.num_covered(&((x, y), (x + size.0, y + size.1))) as i32
        };
        let nearest = corners.into_iter().min_by_key(cost)?;
        self.place_best(mark, size, std::iter::once(nearest))
    }

    /// Returns whether a label from corner `start` to corner `end` is inside the plot and apart
    /// from all other labels and marks.
    fn is_free(&self, own_mark: Position, (start, end): &(Position, Position)) -> bool {
        let inside = start.0 >= 0 && start.1 >= 0 && end.0 <= self.size.0 && end.1 <= self.size.1;
        let apart = |(from, to): &(Position, Position)| {
            to.0 + GAP <= start.0 || end.0 + GAP <= from.0 || to.1 <= start.1 || end.1 <= from.1
        };
        // Beside another mark, a reader would take the label for that mark's.
        let padding = MARK * SUBPIXELS + GAP / 2;
        let is_off = |&(x, y): &Position| {
            x + padding <= start.0 || end.0 <= x - padding || y + padding <= start.1 || end.1 <= y - padding
        };
        let others = || self.marks.iter().filter(|&&mark| mark != own_mark);
        inside && self.texts.iter().all(apart) && others().all(is_off)
    }

    /// Number of points of lines that a label from corner `start` to corner `end` covers.
    fn num_covered(&self, (start, end): &(Position, Position)) -> usize {
        let covers = |(x, y): &Position| {
            (start.0 - GAP / 2..=end.0 + GAP / 2).contains(x) && (start.1..=end.1).contains(y)
        };
        self.points.iter().filter(|point| covers(point)).count()
    }
}

/// Points of the line between two positions, [`POINT_STEP`] apart or less.
fn points_between(from: Position, to: Position) -> impl Iterator<Item = Position> {
    let (across, down) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let count = (across.hypot(down) / f64::from(POINT_STEP)).ceil() as i32;
    (0..=count).map(move |i| {
        let share = f64::from(i) / f64::from(count.max(1));
        (from.0 + (across * share) as i32, from.1 + (down * share) as i32)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

//! Owns where small texts beside marks go: inside the plot, apart from each other and from other
//! marks, and off the lines where there is room. One without room beside its mark goes further
//! away, with a line to it: none is left out for another, since a reader would take another's text
//! for it.

use crate::error::Result;
use crate::plots::chart::style::{MARK, SUBPIXELS};
use crate::plots::text::Font;

/// The font of texts inside the plot.
pub(super) const LABEL: Font = Font { size: 13.0, bold: false };
/// Between a mark and its label, in fine pixels.
const GAP: i32 = 4 * SUBPIXELS;
/// How far apart the points of a line are that a label should not cover, in fine pixels.
const POINT_STEP: i32 = 4 * SUBPIXELS;
/// From one place that is tried to the next, in fine pixels.
const SEARCH_STEP: i32 = 6 * SUBPIXELS;
/// A label goes so much further away, in fine pixels, to cover one point of a line less.
const COVER_COST: i32 = 3 * SUBPIXELS;

/// A place in fine pixels, from the upper left corner of the plot.
pub(super) type Place = (i32, i32);

/// Where a label goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Label {
    /// The left end and middle of its text.
    pub(super) at: Place,
    /// The end of the line from its mark, where it is not beside that.
    pub(super) line_to: Option<Place>,
}

/// The space of a plot, in fine pixels, and what is in it already.
pub(super) struct LabelSpace {
    size: Place,
    /// Upper left and lower right corners of texts: nothing may cover them.
    texts: Vec<(Place, Place)>,
    /// Marks: no text may be on one or beside another's.
    marks: Vec<Place>,
    /// Points of lines: the fewer are covered, the better.
    points: Vec<Place>,
}

impl LabelSpace {
    pub(super) fn new(size: Place) -> Self {
        Self { size, texts: Vec::new(), marks: Vec::new(), points: Vec::new() }
    }

    /// A mark is drawn.
    pub(super) fn add_mark(&mut self, mark: Place) {
        self.marks.push(mark);
    }

    /// A line from one place to another is drawn.
    pub(super) fn add_line(&mut self, from: Place, to: Place) {
        self.points.extend(points_between(from, to));
    }

    /// Where a text goes that belongs to the mark at `mark`; none where all of the plot is full.
    pub(super) fn label(&mut self, mark: Place, text: &str) -> Result<Option<Label>> {
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
        // Later labels keep off the line.
        self.marks.extend(points_between(mark, line_to).skip(1));
        Ok(Some(Label { at, line_to: Some(line_to) }))
    }

    fn size_of(&self, text: &str) -> Result<Place> {
        let fine = |length: f64| (length * f64::from(SUBPIXELS)).ceil() as i32;
        Ok((fine(LABEL.measure(text)?), fine(LABEL.line_height())))
    }

    /// The first of the upper left `corners` where a text covers least, as its left end and middle.
    fn place_best(
        &mut self,
        mark: Place,
        size: Place,
        corners: impl Iterator<Item = Place>,
    ) -> Option<Place> {
        let boxes = corners.map(|corner| (corner, (corner.0 + size.0, corner.1 + size.1)));
        let free = boxes.filter(|place| self.is_free(mark, place));
        let taken @ (start, end) = free.min_by_key(|place| self.num_covered(place))?;
        self.texts.push(taken);
        Some((start.0, i32::midpoint(start.1, end.1)))
    }

    /// The place that is nearest to the mark of all that are free in the plot, those further away
    /// that cover less.
    fn place_nearest(&mut self, mark: Place, size: Place) -> Option<Place> {
        let starts = |length: i32, of: i32| (0..=(length - of).max(0)).step_by(SEARCH_STEP as usize);
        let corners: Vec<Place> = starts(self.size.0, size.0)
            .flat_map(|x| starts(self.size.1, size.1).map(move |y| (x, y)))
            .filter(|&corner| self.is_free(mark, &(corner, (corner.0 + size.0, corner.1 + size.1))))
            .collect();
        let cost = |&(x, y): &Place| {
            let across = (x - mark.0).max(mark.0 - x - size.0).max(0);
            let down = (y - mark.1).max(mark.1 - y - size.1).max(0);
            across + down + COVER_COST * self.num_covered(&((x, y), (x + size.0, y + size.1))) as i32
        };
        let nearest = corners.into_iter().min_by_key(cost)?;
        self.place_best(mark, size, std::iter::once(nearest))
    }

    fn is_free(&self, own_mark: Place, (start, end): &(Place, Place)) -> bool {
        let inside = start.0 >= 0 && start.1 >= 0 && end.0 <= self.size.0 && end.1 <= self.size.1;
        let apart = |(from, to): &(Place, Place)| {
            to.0 + GAP <= start.0 || end.0 + GAP <= from.0 || to.1 <= start.1 || end.1 <= from.1
        };
        // Beside another mark it would be taken for that one's.
        let room = MARK * SUBPIXELS + GAP / 2;
        let is_off = |&(x, y): &Place| {
            x + room <= start.0 || end.0 <= x - room || y + room <= start.1 || end.1 <= y - room
        };
        let others = || self.marks.iter().filter(|&&mark| mark != own_mark);
        inside && self.texts.iter().all(apart) && others().all(is_off)
    }

    fn num_covered(&self, (start, end): &(Place, Place)) -> usize {
        let covers = |(x, y): &Place| {
            (start.0 - GAP / 2..=end.0 + GAP / 2).contains(x) && (start.1..=end.1).contains(y)
        };
        self.points.iter().filter(|point| covers(point)).count()
    }
}

/// Points on the way from one place to another.
fn points_between(from: Place, to: Place) -> impl Iterator<Item = Place> {
    let (across, down) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let count = (across.hypot(down) / f64::from(POINT_STEP)).ceil() as i32;
    (0..=count).map(move |i| {
        let share = f64::from(i) / f64::from(count.max(1));
        (from.0 + (across * share) as i32, from.1 + (down * share) as i32)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn beside(space: &mut LabelSpace, mark: Place, text: &str) -> Place {
        let label = space.label(mark, text).unwrap().unwrap();
        assert_eq!(label.line_to, None);
        label.at
    }

    #[test]
    fn a_label_is_right_of_its_mark_where_there_is_room() {
        let mut space = LabelSpace::new((1600, 800));
        let (x, y) = beside(&mut space, (800, 400), "a");
        assert!(x > 800 && y == 400);
        // At the right border it is left of it, with its end before the mark.
        let (x, y) = beside(&mut space, (1590, 400), "label");
        let width = (LABEL.measure("label").unwrap() * f64::from(SUBPIXELS)) as i32;
        assert!(x + width < 1590 && x > 800 && y == 400);
    }

    #[test]
    fn a_label_keeps_off_lines_and_other_marks() {
        let mut space = LabelSpace::new((1600, 800));
        space.add_line((800, 400), (1600, 400));
        assert!(beside(&mut space, (800, 400), "a").0 < 800, "a line goes to the right");
        let mut space = LabelSpace::new((1600, 800));
        space.add_mark((800, 400));
        space.add_mark((860, 400));
        assert!(beside(&mut space, (800, 400), "a").0 < 800, "another mark is at the right");
    }

    /// Equal marks: every label has its own place, and those that are not beside their mark have a
    /// line to it.
    #[test]
    fn no_label_is_left_out() {
        let mut space = LabelSpace::new((1600, 1200));
        let all: Vec<Label> = (0..20).map(|_| space.label((800, 600), "label").unwrap().unwrap()).collect();
        for (i, first) in all.iter().enumerate() {
            for second in &all[i + 1..] {
                let (first, second) = (first.at, second.at);
                let apart = (first.1 - second.1).abs() >= 4 * 17 || (first.0 - second.0).abs() >= 4 * 30;
                assert!(apart, "{first:?} {second:?}");
            }
        }
        let (with, without): (Vec<_>, Vec<_>) = all.iter().partition(|label| label.line_to.is_some());
        assert!(with.len() >= 12 && (2..=8).contains(&without.len()), "{all:?}");
        let width = (LABEL.measure("label").unwrap() * f64::from(SUBPIXELS)).ceil() as i32;
        for Label { at, line_to } in with {
            let end = line_to.unwrap();
            assert!(
                (at.0..=at.0 + width).contains(&end.0) && (end.1 - at.1).abs() <= 4 * 9,
                "{at:?} {end:?}"
            );
        }
    }

    #[test]
    fn a_text_that_is_wider_than_the_plot_has_no_place() {
        assert_eq!(LabelSpace::new((100, 800)).label((50, 400), "a long label").unwrap(), None);
    }
}

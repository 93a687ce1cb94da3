//! Owns where small texts beside marks and markers go: inside the plot, apart from each other, and off the lines where
//! there is room.

use super::style::{FINE, MARK};
use crate::error::Result;
use crate::figures::text::Font;

/// The font of texts inside the plot.
pub(super) const LABEL: Font = Font { size: 13.0, bold: false };
/// Between a mark and its label, in fine pixels.
const GAP: i32 = 4 * FINE;
/// How far apart the points of a line are that a label should not cover, in fine pixels.
const STEP: i32 = 4 * FINE;
/// Labels of markers are in one of so many rows.
const MARKER_ROWS: i32 = 4;

/// A place in fine pixels, from the upper left corner of the plot.
pub(super) type Place = (i32, i32);

/// The space of a plot, in fine pixels, and what is in it already.
pub(super) struct Space {
    size: Place,
    /// Upper left and lower right corners of texts: nothing may cover them.
    texts: Vec<(Place, Place)>,
    /// Points of lines and marks: the fewer are covered, the better.
    points: Vec<Place>,
}

impl Space {
    pub(super) fn new(size: Place) -> Self {
        Self { size, texts: Vec::new(), points: Vec::new() }
    }

    /// A line from one place to another is drawn.
    pub(super) fn add_line(&mut self, from: Place, to: Place) {
        let (across, down) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let count = (across.hypot(down) / f64::from(STEP)).ceil() as i32;
        for i in 0..=count {
            let share = f64::from(i) / f64::from(count.max(1));
            self.points.push((from.0 + (across * share) as i32, from.1 + (down * share) as i32));
        }
    }

    /// The left end and middle of a text beside the mark at `mark`; none where all places are taken.
    pub(super) fn beside(&mut self, mark: Place, text: &str) -> Result<Option<Place>> {
        let size @ (width, height) = self.size_of(text)?;
        let from_mark = MARK * FINE + GAP;
        let (left, middle, right) = (mark.0 - from_mark - width, mark.0 - width / 2, mark.0 + from_mark);
        let (above, level, below) = (mark.1 - height - GAP, mark.1 - height / 2, mark.1 + GAP);
        let sides = [(right, level), (left, level), (middle, above - GAP / 2), (middle, below + GAP / 2)];
        let corners = [(right, above), (right, below), (left, above), (left, below)];
        Ok(self.take(size, sides.into_iter().chain(corners)))
    }

    /// The left end and middle of a text at the top of the vertical line at `x`; none where all places are taken.
    pub(super) fn on_top(&mut self, x: i32, text: &str) -> Result<Option<Place>> {
        let size @ (width, height) = self.size_of(text)?;
        let rows = (0..MARKER_ROWS).map(|row| row * height);
        Ok(self.take(size, rows.flat_map(|y| [(x + GAP, y), (x - GAP - width, y)])))
    }

    fn size_of(&self, text: &str) -> Result<Place> {
        let fine = |length: f64| (length * f64::from(FINE)).ceil() as i32;
        Ok((fine(LABEL.measure(text)?), fine(LABEL.line_height())))
    }

    /// The first of the upper left `corners` where a text covers least.
    fn take(&mut self, size: Place, corners: impl Iterator<Item = Place>) -> Option<Place> {
        let boxes = corners.map(|corner| (corner, (corner.0 + size.0, corner.1 + size.1)));
        let taken @ (start, end) =
            boxes.filter(|place| self.is_free(place)).min_by_key(|place| self.num_covered(place))?;
        self.texts.push(taken);
        Some((start.0, i32::midpoint(start.1, end.1)))
    }

    fn is_free(&self, (start, end): &(Place, Place)) -> bool {
        let inside = start.0 >= 0 && start.1 >= 0 && end.0 <= self.size.0 && end.1 <= self.size.1;
        let apart = |(from, to): &(Place, Place)| {
            to.0 + GAP <= start.0 || end.0 + GAP <= from.0 || to.1 <= start.1 || end.1 <= from.1
        };
        inside && self.texts.iter().all(apart)
    }

    fn num_covered(&self, (start, end): &(Place, Place)) -> usize {
        let covers = |(x, y): &Place| {
            (start.0 - GAP / 2..=end.0 + GAP / 2).contains(x) && (start.1..=end.1).contains(y)
        };
        self.points.iter().filter(|point| covers(point)).count()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_right_of_its_mark_where_there_is_room() {
        let mut space = Space::new((1600, 800));
        let (x, y) = space.beside((800, 400), "a").unwrap().unwrap();
        assert!(x > 800 && y == 400);
        // At the right border it is left of it, with its end before the mark.
        let (x, y) = space.beside((1590, 400), "label").unwrap().unwrap();
        let width = (LABEL.measure("label").unwrap() * f64::from(FINE)) as i32;
        assert!(x + width < 1590 && x > 800 && y == 400);
    }

    #[test]
    fn a_label_keeps_off_lines_and_other_labels() {
        let mut space = Space::new((1600, 800));
        space.add_line((800, 400), (1600, 400));
        let (x, _) = space.beside((800, 400), "a").unwrap().unwrap();
        assert!(x < 800, "a line goes to the right");
        // Equal marks: every label has its own place, and none is drawn where no place is left.
        let mut space = Space::new((1600, 800));
        let places: Vec<_> = (0..20).filter_map(|_| space.beside((800, 400), "label").unwrap()).collect();
        assert!((2..=8).contains(&places.len()), "{places:?}");
        for (i, first) in places.iter().enumerate() {
            for second in &places[i + 1..] {
                let apart = (first.1 - second.1).abs() >= 4 * 17 || (first.0 - second.0).abs() >= 4 * 30;
                assert!(apart, "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn a_label_without_room_is_left_out() {
        assert_eq!(Space::new((100, 800)).beside((50, 400), "a long label").unwrap(), None);
        assert_eq!(Space::new((100, 800)).on_top(50, "a long label").unwrap(), None);
    }

    #[test]
    fn labels_of_close_markers_are_under_one_another() {
        let mut space = Space::new((1600, 800));
        let first = space.on_top(800, "suggested learning rate").unwrap().unwrap();
        let second = space.on_top(790, "another").unwrap().unwrap();
        let third = space.on_top(810, "third").unwrap().unwrap();
        assert!(first.0 > 800 && second.0 < 790 && second.1 == first.1 && third.1 > first.1);
        let last = space.on_top(1600, "at the border").unwrap().unwrap();
        assert!(last.0 < 1600);
    }
}

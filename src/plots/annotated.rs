//! Owns a photograph with marked parts: a box around each, and its answer above the box. Must not
//! know how the parts were found.

use crate::error::Result;

use crate::plots::colour::{RIGHT, Rgb, WHITE, WRONG};
use crate::plots::heading::{Heading, MARGIN};
use crate::plots::picture::{Picture, Point};
use crate::plots::text::{Anchor, STRONG};
use crate::plots::tile::Zoom;

/// Longer side that the photograph gets, about, in pixels.
const SIDE: f64 = 1_400.0;
/// Width of the outline of a box.
const OUTLINE: f64 = 2.0;

/// A part of a photograph and the answer about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// First row of the part, in pixels of the photograph.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Answer, such as "7".
    pub text: String,
    /// True if the answer is doubtful. It is shown in another colour.
    pub is_doubtful: bool,
}

/// Picture of a photograph with the answers about its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Annotated<'a> {
    /// Title, such as the number of parts.
    pub title: &'a str,
    /// Subtitle, such as the file of the photograph.
    pub subtitle: &'a str,
    /// `height * width` grey values of the photograph. 0 is black.
    pub pixels: &'a [u8],
    /// Rows of the photograph.
    pub height: usize,
    /// Columns of the photograph.
    pub width: usize,
    /// Parts of the photograph.
    pub marks: &'a [Mark],
}

impl Annotated<'_> {
    /// Draws the picture. The photograph is scaled to about 1,400 pixels.
    ///
    /// # Errors
    /// The pixels do not fit the size.
    pub(crate) fn draw(&self) -> Result<Picture> {
        let zoom = Zoom::towards(SIDE, self.height, self.width);
        let photograph = zoom.picture(self.pixels, self.height, self.width, |v| [v; 3])?;
        let (width, height) = (f64::from(photograph.width()), f64::from(photograph.height()));
        let heading = Heading::over(width, self.title, self.subtitle)?;
        let top = (MARGIN + heading.height()).round();
        let mut picture = Picture::blank(heading.width + 2.0 * MARGIN, top + height + MARGIN)?;
        heading.draw(&mut picture, (MARGIN, MARGIN))?;
        picture.frame((MARGIN, top), width, height);
        picture.paste(&photograph, (MARGIN, top));
        let scale = (width / self.width as f64, height / self.height as f64);
        // Labels come last: no box of a neighbour covers them.
        for mark in self.marks {
            outline(&mut picture, mark, (MARGIN, top), scale);
        }
        for mark in self.marks {
            label(&mut picture, mark, (MARGIN, top), scale)?;
        }
        Ok(picture)
    }
}

fn colour(mark: &Mark) -> Rgb {
    if mark.is_doubtful { WRONG } else { RIGHT }
}

/// Draws the outline of a box just outside it.
fn outline(picture: &mut Picture, mark: &Mark, origin: Point, scale: (f64, f64)) {
    let (left, top) = (origin.0 + mark.left as f64 * scale.0, origin.1 + mark.top as f64 * scale.1);
    let (width, height) = (mark.width as f64 * scale.0, mark.height as f64 * scale.1);
    let full = width + 2.0 * OUTLINE;
    picture.fill((left - OUTLINE, top - OUTLINE), full, OUTLINE, colour(mark));
    picture.fill((left - OUTLINE, top + height), full, OUTLINE, colour(mark));
    picture.fill((left - OUTLINE, top), OUTLINE, height, colour(mark));
    picture.fill((left + width, top), OUTLINE, height, colour(mark));
}

/// Writes the answer on a plate of the box's colour, at the box's upper left corner, above it where
/// there is room.
fn label(picture: &mut Picture, mark: &Mark, origin: Point, scale: (f64, f64)) -> Result<()> {
    let (left, top) = (origin.0 + mark.left as f64 * scale.0, origin.1 + mark.top as f64 * scale.1);
    let (width, height) = (STRONG.measure(&mark.text)?.ceil() + 8.0, STRONG.line_height());
    let above = top - OUTLINE - height;
    let plate = (left - OUTLINE, if above >= 0.0 { above } else { top });
    picture.fill(plate, width, height, colour(mark));
    let baseline = plate.1 + height / 2.0 + STRONG.centre();
    picture.text(&mark.text, (plate.0 + 4.0, baseline), STRONG, WHITE, Anchor::Start)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn annotated(marks: &[Mark]) -> Picture {
        let photograph = Annotated {
            title: "2 digits",
            subtitle: "sheet.png",
            pixels: &[200; 300 * 400],
            height: 300,
            width: 400,
            marks,
        };
        photograph.draw().unwrap()
    }

    fn mark(top: usize, left: usize, is_doubtful: bool) -> Mark {
        Mark { top, left, height: 60, width: 40, text: "7".to_owned(), is_doubtful }
    }

    /// The photograph is enlarged 4 times (1,400 / 400, rounded).
    #[test]
    fn a_box_lies_around_its_part() {
        let picture = annotated(&[mark(100, 50, false)]);
        let top = picture.image.height() - MARGIN as u32 - 1200;
        let at = |x: u32, y: u32| picture.image.get_pixel(MARGIN as u32 + x, top + y).0;
        for (x, y) in [(199, 401), (360, 500), (280, 399), (280, 640)] {
            assert_eq!(at(x, y), RIGHT, "{x} {y}");
        }
        for (x, y) in [(200, 400), (359, 639), (197, 500), (362, 500), (280, 642)] {
            assert_eq!(at(x, y), [200; 3], "{x} {y}");
        }
        // The plate of the answer is above the box.
        assert_eq!(at(199, 396), RIGHT);
        assert!(picture.contains(WHITE) && !picture.contains(WRONG));
    }

    #[test]
    fn a_doubtful_part_has_another_colour() {
        let picture = annotated(&[mark(0, 0, true), mark(240, 360, false)]);
        assert!(picture.contains(WRONG) && picture.contains(RIGHT));
    }

    #[test]
    fn a_large_photograph_is_shrunk() {
        let pixels = vec![9; 3000 * 5600];
        let photograph = Annotated {
            title: "",
            subtitle: "",
            pixels: &pixels,
            height: 3000,
            width: 5600,
            marks: &[mark(2940, 5560, false)],
        };
        assert_eq!(photograph.draw().unwrap().image.width(), 1400 + 2 * MARGIN as u32);
    }
}

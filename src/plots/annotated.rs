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
mod tests;

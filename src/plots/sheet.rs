//! Owns the two contact sheets: grey images, and neurons' weights with their colour bar. Must not
//! know the data set.

use crate::error::Result;
use crate::util::format::significant;

use crate::plots::colour::{AXIS, TEXT, diverging};
use crate::plots::grid::{Grid, Tile};
use crate::plots::picture::Picture;
use crate::plots::text::{Anchor, BODY};
use crate::plots::tile::check_limit;

/// Contact sheet of grey images, such as samples of every class or the worst mistakes.
///
/// A 28 × 28 image becomes 112 × 112 pixels, or 168 × 168 in up to six columns. Larger images are
/// shrunk, and all images are where the sheet would get too large.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sheet<'a> {
    /// Title, in bold.
    pub title: &'a str,
    /// Subtitle, such as the data set and the number of images. May be empty.
    pub subtitle: &'a str,
    /// Rows of every image.
    pub height: usize,
    /// Columns of every image.
    pub width: usize,
    /// Number of tiles per row. 0 counts as 1.
    pub columns: usize,
    /// Label at the left of each row, such as the class. May be empty.
    pub row_labels: &'a [String],
    /// The images, row by row. 0 is black and 255 is white. An empty sheet says that there is
    /// nothing to show.
    pub tiles: &'a [Tile<'a, u8>],
}

impl Sheet<'_> {
    /// Draws the sheet.
    ///
    /// # Errors
    /// A tile does not fit the size of the images, or the sheet is too large.
    pub(crate) fn draw(&self) -> Result<Picture> {
        let Self { height, width, columns, row_labels, tiles, .. } = *self;
        let grid = Grid { height, width, columns, row_labels, tiles };
        let (picture, _) = grid.draw(self.title, self.subtitle, (0.0, 0.0), |v| [v; 3])?;
        Ok(picture)
    }
}

/// Contact sheet of neurons' weights, all in one scale: blue is negative, white zero, red positive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightSheet<'a> {
    /// Title, in bold.
    pub title: &'a str,
    /// Subtitle. May be empty.
    pub subtitle: &'a str,
    /// Rows of the images that the neurons look at.
    pub height: usize,
    /// Columns of the images.
    pub width: usize,
    /// Number of tiles per row. 0 counts as 1.
    pub columns: usize,
    /// End of the scale, finite and positive ([`symmetric_limit`](crate::plots::symmetric_limit)).
    /// Weights beyond are clipped.
    pub limit: f32,
    /// Weights of each neuron, row by row.
    pub tiles: &'a [Tile<'a, f32>],
}

const BAR_WIDTH: f64 = 256.0;
const BAR_HEIGHT: f64 = 16.0;
/// Width and height that the colour bar and its text need.
const FOOTER: (f64, f64) = (BAR_WIDTH + 60.0, 84.0);

impl WeightSheet<'_> {
    /// Draws the sheet.
    ///
    /// # Errors
    /// The limit is not finite and positive, a tile does not fit the size, or the sheet is too
    /// large.
    pub(crate) fn draw(&self) -> Result<Picture> {
        check_limit(self.limit)?;
        let Self { height, width, columns, limit, tiles, .. } = *self;
        let grid = Grid { height, width, columns, row_labels: &[], tiles };
        let (mut picture, bottom) = grid.draw(self.title, self.subtitle, FOOTER, |v| diverging(v, limit))?;
        colour_bar(&mut picture, bottom + 20.0, limit)?;
        Ok(picture)
    }
}

/// Draws the colour bar in the middle of the picture, with its upper edge at `top`.
fn colour_bar(picture: &mut Picture, top: f64, limit: f32) -> Result<()> {
    let left = ((f64::from(picture.image.width()) - BAR_WIDTH) / 2.0).floor();
    let colour = |t: f64| diverging((2.0 * t - 1.0) as f32, 1.0);
    picture.gradient((left, top), BAR_WIDTH, BAR_HEIGHT, colour);
    let end = significant(f64::from(limit)).replace('-', "−");
    for (at, label) in [(0.0, format!("−{end}")), (0.5, "0".to_owned()), (1.0, format!("+{end}"))] {
        let x = left + at * BAR_WIDTH;
        let bottom = top + BAR_HEIGHT;
        picture.fill((x, bottom + 1.0), 1.0, 5.0, AXIS);
        picture.text(&label, (x, bottom + 20.0), BODY, TEXT, Anchor::Middle)?;
    }
    let caption = "weight (blue: negative, red: positive)";
    picture.text(caption, (left + BAR_WIDTH / 2.0, top + BAR_HEIGHT + 42.0), BODY, TEXT, Anchor::Middle)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

//! Owns the title and subtitle above a picture's content. Must not know the content.

use crate::error::Result;

use crate::plots::colour::{MUTED, TEXT};
use crate::plots::picture::{Picture, Point};
use crate::plots::text::{Anchor, BODY, TITLE};

/// Empty border around every picture, in pixels.
pub(super) const MARGIN: f64 = 32.0;
/// Largest width that a title gives a picture. Longer titles are broken into lines.
const MAX_WIDTH: f64 = 760.0;
const MAX_TITLE_LINES: usize = 2;
const MAX_SUBTITLE_LINES: usize = 3;
/// Space between the last line and the content.
const GAP: f64 = 12.0;

/// A title and subtitle, broken into lines that fit over the content.
pub(super) struct Heading {
    /// Width of the content, or more where the title needs it.
    pub(super) width: f64,
    title: Vec<String>,
    subtitle: Vec<String>,
}

impl Heading {
    /// Creates a heading over content that is `content_width` wide. The heading may be wider.
    pub(super) fn over(content_width: f64, title: &str, subtitle: &str) -> Result<Self> {
        let wanted = TITLE.measure(title)?.max(BODY.measure(subtitle)?).min(MAX_WIDTH);
        let width = content_width.max(wanted.ceil());
        Ok(Self {
            width,
            title: TITLE.wrap(title, width, MAX_TITLE_LINES)?,
            subtitle: BODY.wrap(subtitle, width, MAX_SUBTITLE_LINES)?,
        })
    }

    /// Distance down to the content, in pixels. 0 for an empty heading.
    pub(super) fn height(&self) -> f64 {
        if self.title.is_empty() && self.subtitle.is_empty() {
            return 0.0;
        }
        let (titles, subtitles) = (self.title.len() as f64, self.subtitle.len() as f64);
        titles * TITLE.line_height() + subtitles * BODY.line_height() + GAP
    }

    /// Draws the heading with its upper left corner at the given point.
    pub(super) fn draw(&self, picture: &mut Picture, (x, y): Point) -> Result<()> {
        let mut bottom = y;
        for line in &self.title {
            bottom += TITLE.line_height();
            picture.text(line, (x, bottom - 8.0), TITLE, TEXT, Anchor::Start)?;
        }
        for line in &self.subtitle {
            bottom += BODY.line_height();
            picture.text(line, (x, bottom - 4.0), BODY, MUTED, Anchor::Start)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

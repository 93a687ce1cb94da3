//! Owns the picture of one prediction: the image and the probability of every class. Must not know
//! the network.

use crate::error::{Error, Result};
use crate::util::format::percent;

use crate::plots::colour::{MUTED, MUTED_BAR, RIGHT, TEXT};
use crate::plots::heading::{Heading, MARGIN};
use crate::plots::picture::{Picture, Point};
use crate::plots::text::{Anchor, BODY, Font, STRONG};
use crate::plots::tile::Zoom;

/// Most classes that are shown. Of more, the most probable ones are shown.
const MAX_CLASSES: usize = 20;
const IMAGE_SIDE: f64 = 280.0;
const GAP: f64 = 48.0;
const BAR_WIDTH: f64 = 380.0;
const BAR_HEIGHT: f64 = 20.0;
const ROW: f64 = 32.0;
const MAX_NAME_WIDTH: f64 = 180.0;
/// Space for a percentage and "✓ true" after the bar.
const AFTER_BAR: f64 = 150.0;
/// Distance from the top of a column to its content.
const COLUMN_HEADING: f64 = 30.0;

/// Picture of a prediction: the image at the left, the probabilities of the classes at the right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prediction<'a> {
    /// Result in words, such as "4 with 99.2 %".
    pub title: &'a str,
    /// Subtitle, such as the origin of the image. May be empty.
    pub subtitle: &'a str,
    /// `height * width` grey values as the network saw them. 0 is black.
    pub pixels: &'a [u8],
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Name of every class.
    pub classes: &'a [String],
    /// Probability of every class, 0 to 1.
    pub probabilities: &'a [f64],
    /// Index of the true class, where it is known.
    pub true_class: Option<usize>,
}

impl Prediction<'_> {
    /// Draws the picture. Up to 20 classes are in their order. Of more, the 20 most probable are in
    /// descending order, and the true class replaces the last one if it is not among them.
    ///
    /// # Errors
    /// There are not as many probabilities as classes, or the pixels do not fit the size.
    pub(crate) fn draw(&self) -> Result<Picture> {
        if self.classes.len() != self.probabilities.len() {
            return Err(Error::new(format!(
                "{} classes have {} probabilities, expected one each",
                self.classes.len(),
                self.probabilities.len()
            )));
        }
        let zoom = Zoom::towards(IMAGE_SIDE, self.height, self.width);
        let image = zoom.picture(self.pixels, self.height, self.width, |v| [v; 3])?;
        let (image_width, image_height) = (f64::from(image.width()), f64::from(image.height()));
        let column_width = image_width.max(STRONG.measure(IMAGE_HEADING)?.ceil());
        let shown = self.shown_classes();
        let names = shown.iter().map(|&class| self.classes[class].as_str());
        let names_width = STRONG.measure_widest(names)?.min(MAX_NAME_WIDTH).ceil();
        let bars_width = names_width + 12.0 + BAR_WIDTH + AFTER_BAR;
        let heading = Heading::over(column_width + GAP + bars_width, self.title, self.subtitle)?;
        let top = (MARGIN + heading.height() + 8.0).round();
        let content = top + COLUMN_HEADING;
        let height = content + image_height.max(shown.len() as f64 * ROW) + MARGIN;

        let mut picture = Picture::blank(heading.width + 2.0 * MARGIN, height)?;
        heading.draw(&mut picture, (MARGIN, MARGIN))?;
        picture.text(IMAGE_HEADING, (MARGIN, top + STRONG.size), STRONG, TEXT, Anchor::Start)?;
        picture.frame((MARGIN, content), image_width, image_height);
        picture.paste(&image, (MARGIN, content));
        let bars_left = MARGIN + column_width + GAP + names_width + 12.0;
        self.bars(&mut picture, (bars_left.round(), top), &shown)?;
        Ok(picture)
    }

    fn bars(&self, picture: &mut Picture, (left, top): Point, shown: &[usize]) -> Result<()> {
        let all = shown.len() == self.classes.len();
        let heading = if all {
            "probability of each class".to_owned()
        } else {
            format!("{} of {} classes, the most probable first", shown.len(), self.classes.len())
        };
        picture.text(&heading, (left, top + STRONG.size), STRONG, TEXT, Anchor::Start)?;
        let best = self.by_probability().first().copied();
        for (row, &class) in shown.iter().enumerate() {
            let y = top + COLUMN_HEADING + row as f64 * ROW;
            let probability = self.probabilities[class];
            let (font, colour) = if best == Some(class) { (STRONG, RIGHT) } else { (BODY, MUTED_BAR) };
            let baseline = y + BAR_HEIGHT / 2.0 + font.centre();
            let name = font.fit(&self.classes[class], MAX_NAME_WIDTH)?;
            picture.text(&name, (left - 12.0, baseline), font, TEXT, Anchor::End)?;
            let length = if probability > 0.0 { (BAR_WIDTH * probability.min(1.0)).max(1.0) } else { 1.0 };
            picture.fill((left, y), length, BAR_HEIGHT, colour);
            self.label(picture, (left + length.round() + 10.0, baseline), class, font)?;
        }
        let axis_height = shown.len() as f64 * ROW - (ROW - BAR_HEIGHT);
        picture.fill((left - 1.0, top + COLUMN_HEADING), 1.0, axis_height, MUTED);
        Ok(())
    }

    /// Writes the percentage after a bar, and marks the true class.
    fn label(&self, picture: &mut Picture, (x, baseline): Point, class: usize, font: Font) -> Result<()> {
        let text = percent(self.probabilities[class]);
        picture.text(&text, (x, baseline), font, TEXT, Anchor::Start)?;
        if self.true_class == Some(class) {
            let after = x + font.measure(&text)? + 12.0;
            picture.text("✓ true", (after, baseline), STRONG, TEXT, Anchor::Start)?;
        }
        Ok(())
    }

    /// Classes that get a bar.
    fn shown_classes(&self) -> Vec<usize> {
        if self.classes.len() <= MAX_CLASSES {
            return (0..self.classes.len()).collect();
        }
        let mut shown: Vec<usize> = self.by_probability().into_iter().take(MAX_CLASSES).collect();
        if let (Some(class), Some(last)) = (self.true_class, shown.len().checked_sub(1))
            && class < self.classes.len()
            && !shown.contains(&class)
        {
            shown[last] = class;
        }
        shown
    }

    /// Indices of all classes, the most probable first. NaN comes last.
    fn by_probability(&self) -> Vec<usize> {
        let probability = |class: usize| {
            let p = self.probabilities[class];
            if p.is_nan() { f64::NEG_INFINITY } else { p }
        };
        let mut order: Vec<usize> = (0..self.probabilities.len()).collect();
        order.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
        order
    }
}

const IMAGE_HEADING: &str = "what the network saw";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

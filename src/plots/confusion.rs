//! Owns the picture of a confusion matrix. Must not know anything but counts and names.

use crate::error::{Error, Result};
use crate::util::format::{grouped, percent};

use crate::plots::colour::{MUTED, Rgb, TEXT, mistaken, recognised, text_on};
use crate::plots::heading::{Heading, MARGIN};
use crate::plots::picture::{Picture, Point, check_size};
use crate::plots::text::{Anchor, BODY, STRONG};

/// Most classes whose cells have numbers. More classes get small cells without numbers.
const MAX_NUMBERED: usize = 20;
const MAX_NAME_WIDTH: f64 = 150.0;
/// Side of a matrix whose cells have no numbers, in pixels.
const PLAIN_SIDE: f64 = 960.0;
const AXIS_NAME: f64 = 30.0;
const KEY_WIDTH: f64 = 150.0;
/// Space between the two colour keys, for the name of the first.
const KEY_GAP: f64 = 130.0;
const KEY_HEIGHT: f64 = 14.0;
const FOOTER: f64 = 76.0;

/// Picture of a confusion matrix. Correct predictions are blue, mistakes are orange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfusionMatrix<'a> {
    /// Title, in bold.
    pub title: &'a str,
    /// Subtitle, such as the data set and the accuracy. May be empty.
    pub subtitle: &'a str,
    /// Name of every class.
    pub classes: &'a [String],
    /// Number of images: `counts[t][p]` of class `t` were predicted as class `p`.
    pub counts: &'a [Vec<u64>],
}

/// All measures of a matrix, in pixels.
struct Layout {
    cell: f64,
    has_numbers: bool,
    names: Vec<String>,
    has_upright_names: bool,
    names_width: f64,
    names_height: f64,
    shares_width: f64,
}

impl ConfusionMatrix<'_> {
    /// Draws the matrix, square and with a name for each row and column.
    ///
    /// The shade of a cell is its share of the row: from 0 to 1 in blue, from 0 to the largest
    /// mistake in orange. Orange uses the square root, so that rare mistakes are visible.
    ///
    /// # Errors
    /// The matrix is not square, or the picture would be too large.
    pub(crate) fn draw(&self) -> Result<Picture> {
        self.check()?;
        let side = self.counts.len() as f64;
        let layout = self.layout()?;
        let least = (side * layout.cell) as usize;
        check_size(least, least)?;
        let left = AXIS_NAME + layout.names_width;
        let content =
            (left + side * layout.cell + layout.shares_width).max(left + 2.0 * KEY_WIDTH + KEY_GAP + 100.0);
        let heading = Heading::over(content, self.title, self.subtitle)?;
        let top = MARGIN + heading.height() + AXIS_NAME + layout.names_height;
        let corner = ((MARGIN + left).round(), top.round());
        let bottom = corner.1 + side * layout.cell;
        let mut picture = Picture::blank(heading.width + 2.0 * MARGIN, bottom + FOOTER + MARGIN)?;
        heading.draw(&mut picture, (MARGIN, MARGIN))?;
        self.cells(&mut picture, &layout, corner)?;
        names(&mut picture, &layout, corner, side * layout.cell)?;
        if layout.shares_width > 0.0 {
            self.shares(&mut picture, &layout, corner)?;
        }
        draw_keys(&mut picture, (corner.0, bottom + 28.0), largest_mistake(self.counts))?;
        Ok(picture)
    }

    fn check(&self) -> Result<()> {
        let size = self.counts.len();
        if size > 0 && self.classes.len() == size && self.counts.iter().all(|row| row.len() == size) {
            return Ok(());
        }
        Err(Error::new(format!(
            "a confusion matrix of {} classes has {size} rows of {} numbers, expected a square",
            self.classes.len(),
            self.counts.first().map_or(0, Vec::len),
        )))
    }

    fn layout(&self) -> Result<Layout> {
        let size = self.counts.len();
        let has_numbers = size <= MAX_NUMBERED;
        let names: Vec<String> =
            self.classes.iter().map(|name| BODY.fit(name, MAX_NAME_WIDTH)).collect::<Result<_>>()?;
        let widest_name = BODY.measure_widest(names.iter().map(String::as_str))?;
        let cell = if has_numbers {
            let numbers: Vec<String> = self.counts.iter().flatten().map(|&n| grouped(n as usize)).collect();
            let widest = STRONG.measure_widest(numbers.iter().map(String::as_str))?;
            let roomy: f64 = if size <= 12 { 68.0 } else { 48.0 };
            roomy.max((widest + 12.0).ceil())
        } else {
            (PLAIN_SIDE / size as f64).floor().max(4.0)
        };
        let has_upright_names = has_numbers && widest_name <= cell - 8.0;
        Ok(Layout {
            cell,
            has_numbers,
            has_upright_names,
            names_width: widest_name.ceil() + 12.0,
            names_height: if has_upright_names { 24.0 } else { widest_name.ceil() + 12.0 },
            shares_width: if has_numbers { 90.0 } else { 0.0 },
            names,
        })
    }

    fn cells(&self, picture: &mut Picture, layout: &Layout, (left, top): Point) -> Result<()> {
        let strengths = confusion_strengths(self.counts);
        let side = self.counts.len() as f64 * layout.cell;
        picture.frame((left, top), side, side);
        for (t, row) in self.counts.iter().enumerate() {
            for (p, &count) in row.iter().enumerate() {
                let at = (left + p as f64 * layout.cell, top + t as f64 * layout.cell);
                let colour = if t == p { recognised(strengths[t][p]) } else { mistaken(strengths[t][p]) };
                // Cells that are large enough have a gap between them.
                let gap = if layout.cell >= 8.0 { 1.0 } else { 0.0 };
                picture.fill(at, layout.cell - gap, layout.cell - gap, colour);
                if layout.has_numbers {
                    let font = if t == p { STRONG } else { BODY };
                    let ink = if count == 0 { [0xAA; 3] } else { text_on(colour) };
                    let centre = (at.0 + layout.cell / 2.0, at.1 + layout.cell / 2.0 + font.centre());
                    picture.text(&grouped(count as usize), centre, font, ink, Anchor::Middle)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the recall of each class at the right of its row.
    fn shares(&self, picture: &mut Picture, layout: &Layout, (left, top): Point) -> Result<()> {
        let x = left + self.counts.len() as f64 * layout.cell + 16.0;
        picture.text("recognised", (x, top - 10.0), BODY, MUTED, Anchor::Start)?;
        for (t, row) in self.counts.iter().enumerate() {
            let y = top + (t as f64 + 0.5) * layout.cell + BODY.centre();
            let empty = row.iter().all(|&count| count == 0);
            let text = if empty { "–".to_owned() } else { percent(share(row[t], row)) };
            picture.text(&text, (x, y), BODY, TEXT, Anchor::Start)?;
        }
        Ok(())
    }
}

/// Strength of each cell's colour, from 0 to 1: for correct predictions their share of the row, for
/// mistakes the square root of the share relative to the largest mistake, so that rare ones can be
/// distinguished.
pub(crate) fn confusion_strengths(counts: &[Vec<u64>]) -> Vec<Vec<f64>> {
    let largest = largest_mistake(counts).max(f64::MIN_POSITIVE);
    let strength = |t: usize, p: usize, count: u64, row: &[u64]| match t == p {
        true => share(count, row),
        false => (share(count, row) / largest).sqrt(),
    };
    let row = |(t, row): (usize, &Vec<u64>)| {
        row.iter().enumerate().map(|(p, &count)| strength(t, p, count, row)).collect()
    };
    counts.iter().enumerate().map(row).collect()
}

/// Largest share of a class that was predicted as another one. 0 without mistakes.
fn largest_mistake(counts: &[Vec<u64>]) -> f64 {
    let mistakes = counts.iter().enumerate().flat_map(|(t, row)| {
        row.iter().enumerate().filter(move |&(p, _)| p != t).map(|(_, &count)| share(count, row))
    });
    mistakes.fold(0.0, f64::max)
}

fn share(count: u64, row: &[u64]) -> f64 {
    let total: f64 = row.iter().map(|&n| n as f64).sum();
    if total > 0.0 { count as f64 / total } else { 0.0 }
}

/// Writes the names of rows and columns. With small cells, only as many as there is room for.
fn names(picture: &mut Picture, layout: &Layout, (left, top): Point, side: f64) -> Result<()> {
    let room = BODY.line_height() / layout.cell;
    let step = [1, 2, 5, 10, 20, 50].into_iter().find(|&step| step as f64 >= room).unwrap_or(100);
    for (i, name) in layout.names.iter().enumerate().step_by(step) {
        let middle = (i as f64 + 0.5) * layout.cell;
        picture.text(name, (left - 10.0, top + middle + BODY.centre()), BODY, TEXT, Anchor::End)?;
        if layout.has_upright_names {
            picture.text(name, (left + middle, top - 10.0), BODY, TEXT, Anchor::Middle)?;
        } else {
            picture.text_upwards(
                name,
                (left + middle + BODY.centre(), top - 10.0),
                BODY,
                TEXT,
                Anchor::Start,
            )?;
        }
    }
    let centre = side / 2.0;
    let above = top - layout.names_height - 8.0;
    picture.text("predicted class", (left + centre, above), STRONG, TEXT, Anchor::Middle)?;
    let before = left - layout.names_width - 8.0;
    picture.text_upwards("true class", (before, top + centre), STRONG, TEXT, Anchor::Middle)
}

/// Draws the keys of both colour scales.
fn draw_keys(picture: &mut Picture, (left, top): Point, largest_mistake: f64) -> Result<()> {
    draw_key(picture, (left, top), "recognised", 1.0, recognised)?;
    if largest_mistake > 0.0 {
        let mistakes = |t: f64| mistaken(t.sqrt());
        draw_key(picture, (left + KEY_WIDTH + KEY_GAP, top), "mistaken", largest_mistake, mistakes)?;
    }
    Ok(())
}

fn draw_key(
    picture: &mut Picture,
    (left, top): Point,
    name: &str,
    end: f64,
    colour: impl Fn(f64) -> Rgb,
) -> Result<()> {
    picture.gradient((left, top), KEY_WIDTH, KEY_HEIGHT, colour);
    let baseline = top + KEY_HEIGHT + 18.0;
    picture.text("0", (left, baseline), BODY, MUTED, Anchor::Start)?;
    picture.text(&percent(end), (left + KEY_WIDTH, baseline), BODY, MUTED, Anchor::End)?;
    picture.text(name, (left + KEY_WIDTH + 10.0, top + KEY_HEIGHT - 2.0), BODY, TEXT, Anchor::Start)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

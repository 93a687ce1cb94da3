//! Owns the vocabulary that every picture is drawn with: a size and a list of shapes, and how they are added.
//!
//! Coordinates are pixels from the top left, whole numbers lying between pixels. Knows no kind of picture.

use crate::error::Result;

use super::colour::{GRID, Rgb, WHITE};
use super::picture::Picture;
use super::raster;
use super::text::Font;

/// A place: right, down.
pub(super) type Point = (f64, f64);

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: String,
    /// On the baseline; which part of the text is there, `anchor` says.
    pub(super) at: Point,
    pub(super) font: Font,
    pub(super) colour: Rgb,
    pub(super) anchor: Anchor,
    /// Turned a quarter to the left: it reads from bottom to top.
    pub(super) upwards: bool,
}

/// Something to draw.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A filled rectangle.
    Fill { at: Point, width: f64, height: f64, colour: Rgb },
    /// A line of text.
    Text(Text),
}

/// A picture before it is drawn.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// An empty scene; its size may be set when all is drawn.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// Adds a filled rectangle.
    pub(super) fn fill(&mut self, at: Point, width: f64, height: f64, colour: Rgb) {
        self.shapes.push(Shape::Fill { at, width, height, colour });
    }

    /// Adds a rectangle's outline, one pixel wide and just outside it.
    pub(super) fn frame(&mut self, (x, y): Point, width: f64, height: f64, colour: Rgb) {
        for at in [(x - 1.0, y - 1.0), (x - 1.0, y + height)] {
            self.fill(at, width + 2.0, 1.0, colour);
        }
        for at in [(x - 1.0, y), (x + width, y)] {
            self.fill(at, 1.0, height, colour);
        }
    }

    /// Adds a framed bar whose `colour` changes from its left end, 0, to its right end, 1.
    pub(super) fn gradient(&mut self, (x, y): Point, width: f64, height: f64, colour: impl Fn(f64) -> Rgb) {
        for column in 0..width as usize {
            let column = column as f64;
            self.fill((x + column, y), 1.0, height, colour((column + 0.5) / width));
        }
        self.frame((x, y), width, height, GRID);
    }

    /// Adds a text; `at` is on its baseline.
    pub(super) fn text(&mut self, text: &str, at: Point, font: Font, colour: Rgb, anchor: Anchor) {
        self.shapes.push(Shape::Text(Text {
            text: text.to_owned(),
            at,
            font,
            colour,
            anchor,
            upwards: false,
        }));
    }

    /// Adds a text that reads from bottom to top; `at` is on its baseline, at its right.
    pub(super) fn text_upwards(&mut self, text: &str, at: Point, font: Font, colour: Rgb, anchor: Anchor) {
        self.shapes.push(Shape::Text(Text {
            text: text.to_owned(),
            at,
            font,
            colour,
            anchor,
            upwards: true,
        }));
    }

    /// The scene as pixels, on white.
    pub(super) fn to_picture(&self) -> Result<Picture> {
        let mut picture = Picture::blank(self.width.ceil() as usize, self.height.ceil() as usize, WHITE)?;
        for shape in &self.shapes {
            raster::draw(&mut picture, shape)?;
        }
        Ok(picture)
    }
}

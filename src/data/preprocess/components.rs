//! Owns the connected components of ink: their pixels, boxes and distances. Must not know which of
//! them make a digit.

use crate::data::preprocess::gray::GrayF32;

/// Share of the ink's full strength from which a pixel is ink by itself. A weaker pixel is the grey
/// edge of a stroke, a shadow or background.
const STRONG_INK: f32 = 0.3;

/// A rectangle of pixels. All four limits belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Bounds {
    /// Height in pixels, at least 1.
    pub(super) fn height(&self) -> usize {
        self.bottom - self.top + 1
    }

    /// Width in pixels, at least 1.
    pub(super) fn width(&self) -> usize {
        self.right - self.left + 1
    }

    /// Length of the longer side in pixels.
    pub(super) fn longer_side(&self) -> usize {
        self.height().max(self.width())
    }

    /// Distance in pixels, the larger of rows and columns. It is 1 for neighbours and 0 for boxes
    /// that share pixels.
    pub(super) fn distance(&self, other: &Self) -> usize {
        let rows = other.top.saturating_sub(self.bottom).max(self.top.saturating_sub(other.bottom));
        let columns = other.left.saturating_sub(self.right).max(self.left.saturating_sub(other.right));
        rows.max(columns)
    }

    /// Number of columns in both boxes.
    pub(super) fn shared_columns(&self, other: &Self) -> usize {
        (self.right.min(other.right) + 1).saturating_sub(self.left.max(other.left))
    }

    /// Number of rows in both boxes.
    pub(super) fn shared_rows(&self, other: &Self) -> usize {
        (self.bottom.min(other.bottom) + 1).saturating_sub(self.top.max(other.top))
    }

    /// The smallest box around both.
    pub(super) fn union(&self, other: &Self) -> Self {
        Self {
            top: self.top.min(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.min(other.left),
            right: self.right.max(other.right),
        }
    }

    /// True if the middle of `other` lies in this box.
    pub(super) fn contains_middle(&self, other: &Self) -> bool {
        let (row, column) = ((other.top + other.bottom) / 2, (other.left + other.right) / 2);
        (self.top..=self.bottom).contains(&row) && (self.left..=self.right).contains(&column)
    }
}

/// A connected component of the ink.
pub(super) struct Component {
    /// Indices of its pixels.
    pub(super) pixels: Vec<usize>,
    /// Sum of its ink.
    pub(super) mass: f32,
    /// The smallest box around it.
    pub(super) bounds: Bounds,
}

impl Component {
    /// Number of its pixels on the border of the picture `ink`.
    pub(super) fn border_pixels(&self, ink: &GrayF32) -> usize {
        let on_border = |&&index: &&usize| {
            let (row, column) = (index / ink.width, index % ink.width);
            row == 0 || column == 0 || row + 1 == ink.height || column + 1 == ink.width
        };
        self.pixels.iter().filter(on_border).count()
    }

    /// True if its box touches the border of the picture `ink`.
    pub(super) fn touches_border(&self, ink: &GrayF32) -> bool {
        let Bounds { top, bottom, left, right } = self.bounds;
        top == 0 || left == 0 || bottom + 1 == ink.height || right + 1 == ink.width
    }
}

/// Finds the connected components of the strong ink. Pixels that touch at a corner are connected.
pub(super) fn find_components(ink: &GrayF32) -> Vec<Component> {
    let mut seen: Vec<bool> = ink.values.iter().map(|&value| value < STRONG_INK).collect();
    let mut components = Vec::new();
    for start in 0..seen.len() {
        if !seen[start] {
            components.push(flood_fill(start, ink, &mut seen));
        }
    }
    components
}

/// Returns the component that contains pixel `start`, and marks its pixels as `seen`.
fn flood_fill(start: usize, ink: &GrayF32, seen: &mut [bool]) -> Component {
    let (row, column) = (start / ink.width, start % ink.width);
    let bounds = Bounds { top: row, bottom: row, left: column, right: column };
    let mut component = Component { pixels: vec![start], mass: 0.0, bounds };
    seen[start] = true;
    let mut next = 0;
    while let Some(&index) = component.pixels.get(next) {
        next += 1;
        let (row, column) = (index / ink.width, index % ink.width);
        component.mass += ink.values[index];
        component.bounds =
            component.bounds.union(&Bounds { top: row, bottom: row, left: column, right: column });
        for row in row.saturating_sub(1)..(row + 2).min(ink.height) {
            for column in column.saturating_sub(1)..(column + 2).min(ink.width) {
                let neighbour = row * ink.width + column;
                if !std::mem::replace(&mut seen[neighbour], true) {
                    component.pixels.push(neighbour);
                }
            }
        }
    }
    component
}

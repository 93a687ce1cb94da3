//! Owns the layout of a contact sheet: tiles of one size in rows and columns, with captions and row
//! labels. Must not know what the tiles show.

use crate::error::Result;

use crate::plots::colour::{MUTED, Rgb, TEXT, WRONG};
use crate::plots::heading::{Heading, MARGIN};
use crate::plots::picture::{MAX_SIDE, Picture, check_size};
use crate::plots::text::{Anchor, BODY, STRONG};
use crate::plots::tile::{Zoom, check_shape};

/// Longer side of a tile where there is room, in pixels.
const TILE_SIDE: f64 = 112.0;
/// Longer side of a tile in sheets of few columns, in pixels.
const LARGE_TILE_SIDE: f64 = 168.0;
const FEW_COLUMNS: usize = 6;
const MAX_CAPTION_LINES: usize = 3;
const MAX_CAPTION_WIDTH: f64 = 190.0;
const MAX_LABEL_WIDTH: f64 = 160.0;

/// Meaning of a caption line for its tile, shown by a colour and a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neither good nor bad: plain text.
    Plain,
    /// Wrong: dark orange text after ✗.
    Wrong,
}

/// One line of text under a tile. It is cut with an ellipsis where it is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaptionLine {
    /// The text.
    pub text: String,
    /// The meaning of the text.
    pub tone: Tone,
}

impl CaptionLine {
    /// A line of plain text.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// A line with a meaning.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    fn shown(&self) -> String {
        match self.tone {
            Tone::Plain => self.text.clone(),
            Tone::Wrong => format!("✗ {}", self.text),
        }
    }

    fn colour(&self) -> Rgb {
        match self.tone {
            Tone::Plain => TEXT,
            Tone::Wrong => WRONG,
        }
    }
}

/// One image of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tile<'a, T> {
    /// `height * width` values, row by row from the top left. Without values, the tile's place
    /// stays empty.
    pub values: &'a [T],
    /// Up to three lines under the image.
    pub caption: Vec<CaptionLine>,
}

/// Tiles to lay out in rows, from the top left.
pub(super) struct Grid<'a, T> {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) columns: usize,
    /// Labels, one per row or none.
    pub(super) row_labels: &'a [String],
    pub(super) tiles: &'a [Tile<'a, T>],
}

/// All measures of a grid, in pixels.
struct Layout {
    zoom: Zoom,
    tile_width: f64,
    tile_height: f64,
    column_width: f64,
    row_height: f64,
    gap: f64,
    label_width: f64,
    columns: usize,
    rows: usize,
}

impl Layout {
    fn width(&self) -> f64 {
        self.label_width + self.columns as f64 * (self.column_width + self.gap) - self.gap
    }

    fn height(&self) -> f64 {
        self.rows as f64 * (self.row_height + self.gap) - self.gap
    }

    /// Upper left corner of tile `index`, relative to that of the grid.
    fn corner(&self, index: usize) -> (f64, f64) {
        let (row, column) = (index / self.columns, index % self.columns);
        let indent = ((self.column_width - self.tile_width) / 2.0).floor();
        let left = self.label_width + column as f64 * (self.column_width + self.gap) + indent;
        (left, row as f64 * (self.row_height + self.gap))
    }
}

impl<T: Copy> Grid<'_, T> {
    /// Draws the whole sheet: heading, tiles, and at least `footer` (width, height) of empty space
    /// under them. Also returns the top of that space.
    pub(super) fn draw(
        &self,
        title: &str,
        subtitle: &str,
        footer: (f64, f64),
        colour: impl Fn(T) -> Rgb,
    ) -> Result<(Picture, f64)> {
        let layout = self.layout(MAX_SIDE as f64 - 240.0 - footer.1)?;
        check_size(layout.width().max(1.0) as usize, layout.height().max(1.0) as usize)?;
        let heading = Heading::over(layout.width().max(footer.0), title, subtitle)?;
        let top = (MARGIN + heading.height()).round();
        let bottom = top + layout.height().max(2.0 * BODY.size);
        let mut picture = Picture::blank(heading.width + 2.0 * MARGIN, bottom + footer.1 + MARGIN)?;
        heading.draw(&mut picture, (MARGIN, MARGIN))?;
        for (index, tile) in self.tiles.iter().enumerate() {
            let (x, y) = layout.corner(index);
            let (left, top) = (MARGIN + x, top + y);
            if !tile.values.is_empty() {
                if layout.gap >= 3.0 {
                    picture.frame((left, top), layout.tile_width, layout.tile_height);
                }
                let image = layout.zoom.picture(tile.values, self.height, self.width, &colour)?;
                picture.paste(&image, (left, top));
            }
            caption(&mut picture, tile, &layout, left + layout.tile_width / 2.0, top + layout.tile_height)?;
        }
        self.label_rows(&mut picture, &layout, top)?;
        if self.tiles.is_empty() {
            picture.text("nothing to show", (MARGIN, top + BODY.size), BODY, MUTED, Anchor::Start)?;
        }
        Ok((picture, bottom))
    }

    fn label_rows(&self, picture: &mut Picture, layout: &Layout, top: f64) -> Result<()> {
        for (row, label) in self.row_labels.iter().enumerate().take(layout.rows) {
            let middle = top + row as f64 * (layout.row_height + layout.gap) + layout.tile_height / 2.0;
            let label = STRONG.fit(label, MAX_LABEL_WIDTH)?;
            let right = MARGIN + layout.label_width - 14.0;
            picture.text(&label, (right, middle + STRONG.centre()), STRONG, TEXT, Anchor::End)?;
        }
        Ok(())
    }

    /// Computes the layout. The tiles are as large as they should be, or smaller where the sheet
    /// would become too large.
    fn layout(&self, limit: f64) -> Result<Layout> {
        for tile in self.tiles.iter().filter(|tile| !tile.values.is_empty()) {
            check_shape(tile.values.len(), self.height, self.width)?;
        }
        let captions = || self.tiles.iter().flat_map(|tile| tile.caption.iter().take(MAX_CAPTION_LINES));
        let shown: Vec<String> = captions().map(CaptionLine::shown).collect();
        let caption_width = BODY.measure_widest(shown.iter().map(String::as_str))?.min(MAX_CAPTION_WIDTH);
        let lines =
            self.tiles.iter().map(|tile| tile.caption.len()).max().unwrap_or(0).min(MAX_CAPTION_LINES);
        let label_width = STRONG.measure_widest(self.row_labels.iter().map(String::as_str))?;
        let label_width =
            if label_width > 0.0 { label_width.min(MAX_LABEL_WIDTH).ceil() + 14.0 } else { 0.0 };
        let columns = self.columns.clamp(1, self.tiles.len().max(1));
        let build = |target: f64| {
            let zoom = Zoom::towards(target, self.height, self.width);
            let (tile_width, tile_height) = (zoom.side(self.width) as f64, zoom.side(self.height) as f64);
            let caption_height = if lines > 0 { lines as f64 * BODY.line_height() + 6.0 } else { 0.0 };
            Layout {
                zoom,
                tile_width,
                tile_height,
                column_width: tile_width.max(caption_width.ceil() + 8.0),
                row_height: tile_height + caption_height,
                gap: (target / 10.0).clamp(1.0, 12.0).floor(),
                label_width,
                columns,
                rows: self.tiles.len().div_ceil(columns),
            }
        };
        let mut target = if columns <= FEW_COLUMNS { LARGE_TILE_SIDE } else { TILE_SIDE };
        let mut layout = build(target);
        while target > 1.0 && (layout.width() > limit || layout.height() > limit) {
            target *= 0.9;
            layout = build(target);
        }
        Ok(layout)
    }
}

fn caption<T>(
    picture: &mut Picture,
    tile: &Tile<'_, T>,
    layout: &Layout,
    middle: f64,
    top: f64,
) -> Result<()> {
    for (i, line) in tile.caption.iter().take(MAX_CAPTION_LINES).enumerate() {
        let baseline = top + 3.0 + (i + 1) as f64 * BODY.line_height() - 4.0;
        let text = BODY.fit(&line.shown(), layout.column_width)?;
        picture.text(&text, (middle, baseline), BODY, line.colour(), Anchor::Middle)?;
    }
    Ok(())
}

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
mod tests {
    use image::{GenericImageView, RgbImage};

    use super::*;
    use crate::plots::colour::WHITE;
    use crate::plots::grid::{CaptionLine, Tone};
    use crate::plots::tile::Zoom;

    fn sheet<'a>(tiles: &'a [Tile<'a, u8>], columns: usize, row_labels: &'a [String]) -> Sheet<'a> {
        Sheet { title: "title", subtitle: "subtitle", height: 28, width: 28, columns, row_labels, tiles }
    }

    /// Positions of `part` in `whole`.
    fn find(whole: &Picture, part: &RgbImage) -> Vec<(u32, u32)> {
        let (width, height) = part.dimensions();
        let fits = |x, y| *whole.image.view(x, y, width, height).to_image() == **part;
        let first = part.get_pixel(0, 0);
        let places = (0..whole.image.height() - height)
            .flat_map(|y| (0..whole.image.width() - width).map(move |x| (x, y)));
        places.filter(|&(x, y)| whole.image.get_pixel(x, y) == first && fits(x, y)).collect()
    }

    fn pattern(seed: usize) -> Vec<u8> {
        (0..784).map(|i| ((i + seed) * 2_654_435_761 % 251) as u8).collect()
    }

    #[test]
    fn tiles_appear_unchanged_in_rows_and_columns() {
        let images = [pattern(0), pattern(100), pattern(200)];
        let tiles: Vec<_> = images.iter().map(|values| Tile { values, caption: vec![] }).collect();
        let picture = sheet(&tiles, 2, &[]).draw().unwrap();
        let places: Vec<_> = images
            .iter()
            .map(|values| {
                let tile = Zoom::Enlarge(6).picture(values, 28, 28, |v| [v; 3]).unwrap();
                let places = find(&picture, &tile);
                assert_eq!(places.len(), 1);
                places[0]
            })
            .collect();
        assert_eq!(places[0].1, places[1].1);
        assert_eq!(places[0].0, places[2].0);
        assert!(places[1].0 >= places[0].0 + 168 + 4 && places[2].1 >= places[0].1 + 168 + 4);
    }

    #[test]
    fn ten_classes_get_tiles_of_112_pixels_and_256_still_fit() {
        let image = pattern(7);
        let tiles = vec![Tile { values: image.as_slice(), caption: vec![] }; 2560];
        let labels: Vec<String> = (0..256).map(|class| class.to_string()).collect();
        let picture = sheet(&tiles[..100], 10, &labels[..10]).draw().unwrap();
        assert!((1200..1400).contains(&picture.image.width()), "{}", picture.image.width());
        let tile = Zoom::Enlarge(4).picture(&image, 28, 28, |v| [v; 3]).unwrap();
        assert_eq!(find(&picture, &tile).len(), 100);
        let picture = sheet(&tiles, 10, &labels).draw().unwrap();
        assert!((7000..=8000).contains(&picture.image.height()), "{}", picture.image.height());
        let png = image::load_from_memory(&picture.to_png().unwrap()).unwrap();
        assert_eq!(png.to_rgb8(), picture.image);
    }

    #[test]
    fn captions_and_labels_are_drawn_in_their_tone() {
        let image = vec![0; 784];
        let draw = |caption: Vec<CaptionLine>, label: &str| {
            sheet(&[Tile { values: &image, caption }], 1, &[label.to_owned()]).draw().unwrap()
        };
        let plain = draw(vec![], "");
        let wrong = draw(vec![CaptionLine::new("IIII", Tone::Wrong)], "");
        let neither = draw(vec![CaptionLine::plain("IIII")], "");
        assert!(
            wrong.contains(crate::plots::colour::WRONG) && !neither.contains(crate::plots::colour::WRONG)
        );
        assert!(neither.contains(crate::plots::colour::TEXT));
        assert!(wrong.image.height() > plain.image.height());
        let (six, nine) = (draw(vec![], "6"), draw(vec![], "9"));
        assert!(
            six.image.width() == nine.image.width() && six != nine,
            "equally wide labels differ in their shape"
        );
    }

    #[test]
    fn odd_sheets_do_not_panic() {
        let long = "long words without an end ".repeat(1000);
        let huge = vec![9; 300 * 200];
        let caption = vec![CaptionLine::plain(long.clone()); 9];
        let tiles = [Tile { values: &[][..], caption: caption.clone() }, Tile { values: &huge, caption }];
        let odd = Sheet {
            title: &long,
            subtitle: "日本語\n\u{0}",
            height: 300,
            width: 200,
            columns: 0,
            row_labels: &[],
            tiles: &tiles,
        };
        let picture = odd.draw().unwrap();
        assert!(picture.image.width() < 900 && picture.contains([9; 3]));
        assert!(sheet(&[], 0, &[]).draw().unwrap().image.width() > 100);
        assert!(sheet(&[Tile { values: &[1, 2, 3], caption: vec![] }], 1, &[]).draw().is_err());
        let one = Tile { values: &[200][..], caption: vec![] };
        assert!(
            Sheet { height: 1, width: 1, ..sheet(std::slice::from_ref(&one), 1, &[]) }
                .draw()
                .unwrap()
                .contains([200; 3])
        );
        let many = vec![one; 100_000_000 / 64];
        assert!(Sheet { height: 1, width: 1, ..sheet(&many, 1, &[]) }.draw().is_err());
    }

    #[test]
    fn weights_share_one_scale_with_its_bar() {
        let values = [0.0, 2.0, -2.0, f32::NAN];
        let tiles = [Tile { values: &values[..], caption: vec![CaptionLine::plain("neuron 0")] }];
        let sheet = WeightSheet {
            title: "",
            subtitle: "",
            height: 2,
            width: 2,
            columns: 8,
            limit: 2.0,
            tiles: &tiles,
        };
        let picture = sheet.draw().unwrap();
        let block = Zoom::Enlarge(84).picture(&values, 2, 2, |v| diverging(v, 2.0)).unwrap();
        assert_eq!(find(&picture, &block).len(), 1);
        let quarter = diverging(1.0, 2.0);
        let near = |pixel: &[u8; 3]| pixel.iter().zip(quarter).all(|(a, b)| a.abs_diff(b) < 4);
        assert!(picture.image.pixels().any(|pixel| near(&pixel.0)), "the bar shows half the limit");
        let (width, height) = picture.image.dimensions();
        assert!(
            [(0, 0), (width - 1, height - 1)].iter().all(|&(x, y)| picture.image.get_pixel(x, y).0 == WHITE)
        );
        assert!(WeightSheet { limit: f32::NAN, ..sheet.clone() }.draw().is_err());
        assert!(WeightSheet { tiles: &[], ..sheet }.draw().is_ok());
    }
}

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
    assert!(wrong.contains(crate::plots::colour::WRONG) && !neither.contains(crate::plots::colour::WRONG));
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
    let sheet =
        WeightSheet { title: "", subtitle: "", height: 2, width: 2, columns: 8, limit: 2.0, tiles: &tiles };
    let picture = sheet.draw().unwrap();
    let block = Zoom::Enlarge(84).picture(&values, 2, 2, |v| diverging(v, 2.0)).unwrap();
    assert_eq!(find(&picture, &block).len(), 1);
    let quarter = diverging(1.0, 2.0);
    let near = |pixel: &[u8; 3]| pixel.iter().zip(quarter).all(|(a, b)| a.abs_diff(b) < 4);
    assert!(picture.image.pixels().any(|pixel| near(&pixel.0)), "the bar shows half the limit");
    let (width, height) = picture.image.dimensions();
    assert!([(0, 0), (width - 1, height - 1)].iter().all(|&(x, y)| picture.image.get_pixel(x, y).0 == WHITE));
    assert!(WeightSheet { limit: f32::NAN, ..sheet.clone() }.draw().is_err());
    assert!(WeightSheet { tiles: &[], ..sheet }.draw().is_ok());
}

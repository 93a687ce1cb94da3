use super::*;
use crate::plots::colour::WHITE;

fn draw(counts: &[Vec<u64>]) -> Result<Picture> {
    let classes: Vec<String> = (0..counts.len()).map(|class| class.to_string()).collect();
    ConfusionMatrix { title: "t", subtitle: "", classes: &classes, counts }.draw()
}

/// Number of pixels of a colour, and the first of them.
fn patch(picture: &Picture, colour: Rgb) -> (usize, Option<(u32, u32)>) {
    let found = || picture.image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == colour);
    (found().count(), found().next().map(|(x, y, _)| (x, y)))
}

#[test]
fn one_mistake_colours_its_cell_only() {
    let picture = draw(&[vec![8, 0, 0], vec![2, 6, 0], vec![0, 0, 4]]).unwrap();
    let (area, mistake) = patch(&picture, mistaken(1.0));
    assert!((3000..67 * 67 + 30).contains(&area), "{area} orange pixels");
    let (_, all) = patch(&picture, recognised(1.0));
    let (_, most) = patch(&picture, recognised(0.75));
    let (mistake, all, most) = (mistake.unwrap(), all.unwrap(), most.unwrap());
    assert_eq!(mistake.0, all.0, "below class 0, its predicted class");
    assert_eq!(mistake.1, most.1, "beside class 1, its true class");
    assert_eq!((most.0 - mistake.0, mistake.1 - all.1), (68, 68));
}

#[test]
fn many_classes_and_a_perfect_or_empty_matrix_can_be_drawn() {
    for size in [1, 2, 20, 21, 256] {
        let counts: Vec<Vec<u64>> =
            (0..size).map(|t| (0..size).map(|p| u64::from(t == p)).collect()).collect();
        let picture = draw(&counts).unwrap();
        assert!((300..1500).contains(&picture.image.width()), "{size}: {}", picture.image.width());
        assert!(picture.contains(recognised(1.0)));
    }
    assert!(draw(&[vec![0, 0], vec![0, 0]]).unwrap().contains(WHITE));
    assert!(draw(&vec![vec![u64::MAX; 5]; 5]).is_ok());
}

#[test]
fn what_is_not_square_is_refused() {
    assert!(draw(&[]).is_err());
    assert!(draw(&[vec![1, 2], vec![3]]).is_err());
    let classes = ["only one".to_owned()];
    let counts = [vec![1, 0], vec![0, 1]];
    assert!(ConfusionMatrix { title: "", subtitle: "", classes: &classes, counts: &counts }.draw().is_err());
    assert!(draw(&vec![vec![1; 3000]; 3000]).is_err(), "too large");
}

#[test]
fn long_names_make_room_without_end() {
    let classes = ["ankle boot".repeat(300), "Ä<&".to_owned()];
    let counts = [vec![1, 2], vec![3, 4]];
    let matrix = ConfusionMatrix { title: "", subtitle: "", classes: &classes, counts: &counts };
    assert!(matrix.draw().unwrap().image.width() < 900);
}

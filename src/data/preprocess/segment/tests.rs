//! Drawn pictures whose doubts are known.
#![allow(clippy::unwrap_used)]

use crate::data::preprocess::digits::{Picture, Random, Scene, Shot};

use super::*;

fn gray(picture: &Picture) -> GrayF32 {
    let values = picture.pixels.iter().map(|&value| f32::from(value)).collect();
    GrayF32 { height: picture.height, width: picture.width, values }
}

/// Number of doubts of each kind about twenty pictures of the scene.
fn doubts(scene: Scene) -> Vec<Doubt> {
    let shots = Shot::all(&[60, 120, 200], &[-8.0, 0.0, 8.0], 5).into_iter().step_by(5);
    let segmented = |shot: Shot| segment(&gray(&shot.draw(scene))).unwrap();
    shots.flat_map(|shot| segmented(shot).doubts).collect()
}

/// White paper of `height` × `width` pixels with black rectangles: first row, first column, rows,
/// columns.
fn rectangles(height: usize, width: usize, all: &[[usize; 4]]) -> GrayF32 {
    let mut picture = GrayF32 { height, width, values: vec![255.0; height * width] };
    for &[top, left, rows, columns] in all {
        (top..top + rows).for_each(|row| picture.values[row * width + left..][..columns].fill(0.0));
    }
    picture
}

fn doubts_about(picture: &GrayF32) -> Vec<Doubt> {
    segment(picture).unwrap().doubts
}

/// Number of rows and columns with ink.
fn span(picture: &GrayF32) -> (usize, usize) {
    let ink = segment(picture).unwrap().ink;
    let row_has = |&row: &usize| (0..ink.width).any(|column| ink.at(row, column) > 0.5);
    let column_has = |&column: &usize| (0..ink.height).any(|row| ink.at(row, column) > 0.5);
    ((0..ink.height).filter(row_has).count(), (0..ink.width).filter(column_has).count())
}

#[test]
fn one_digit_has_no_doubt_and_two_have_one() {
    for scene in [Scene::Clean, Scene::FrameInset, Scene::Ruled, Scene::Marker, Scene::Hair] {
        assert!(doubts(scene).len() <= 1, "{scene:?}");
    }
    let two = doubts(Scene::Two).iter().filter(|&&doubt| doubt == Doubt::SeveralParts).count();
    assert!(two >= 18, "{two}");
    assert!(doubts(Scene::Neighbours).len() >= 12);
}

#[test]
fn ink_from_side_to_side_is_doubtful() {
    assert_eq!(doubts_about(&rectangles(100, 100, &[[48, 0, 6, 100]])), [Doubt::ThroughTheWidth]);
    assert_eq!(doubts_about(&rectangles(100, 100, &[[0, 48, 100, 6]])), [Doubt::ThroughTheHeight]);
    // A 7 that was cut out along its box.
    assert_eq!(doubts_about(&rectangles(90, 60, &[[0, 0, 9, 60], [0, 30, 90, 9]])), []);
}

/// A stroke of 60 × 10 pixels in frames of all kinds.
#[test]
fn frames_are_left_out() {
    let stroke = [70, 95, 60, 10];
    assert_eq!(span(&rectangles(200, 200, &[stroke])), (60, 10));
    for inset in [0, 1, 5, 20, 40] {
        for pen in [1, 3, 8, 16] {
            let (end, side) = (200 - inset - pen, 200 - 2 * inset);
            let frame = [
                [inset, inset, pen, side],
                [end, inset, pen, side],
                [inset, inset, side, pen],
                [inset, end, side, pen],
            ];
            let picture = rectangles(200, 200, &[&frame[..], &[stroke]].concat());
            assert_eq!((span(&picture), doubts_about(&picture)), ((60, 10), vec![]), "{inset} {pen}");
        }
    }
    let alone =
        rectangles(200, 200, &[[20, 20, 3, 160], [177, 20, 3, 160], [20, 20, 160, 3], [20, 177, 160, 3]]);
    assert_eq!(doubts_about(&alone), [Doubt::OnlyAFrame]);
}

#[test]
fn a_bar_at_a_side_is_left_out_and_a_stroke_is_not() {
    let stroke = [70, 95, 60, 10];
    let bar = rectangles(200, 200, &[[0, 0, 30, 200], stroke]);
    assert_eq!((span(&bar), doubts_about(&bar)), ((60, 10), vec![]));
    // The upper stroke of a 7 goes from edge to edge.
    assert_eq!(span(&rectangles(90, 60, &[[0, 0, 9, 60], [0, 30, 90, 9]])), (90, 60));
}

#[test]
fn every_tiny_or_odd_picture_has_an_answer() {
    let mut random = Random::new(8);
    for (height, width) in [(1, 1), (1, 2), (2, 1), (1, 300), (300, 1), (3, 3), (16, 16), (17, 5), (40, 400)]
    {
        for levels in [2, 256] {
            for _ in 0..8 {
                let grey = |_| (random.below(levels) * 255 / (levels - 1)) as f32;
                let values: Vec<f32> = (0..height * width).map(grey).collect();
                let found = segment(&GrayF32 { height, width, values });
                assert!(found.is_none_or(|it| it.ink.values.iter().all(|ink| (0.0..=1.0).contains(ink))));
            }
        }
    }
}

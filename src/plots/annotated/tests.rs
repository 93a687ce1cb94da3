use super::*;

fn annotated(marks: &[Mark]) -> Picture {
    let photograph = Annotated {
        title: "2 digits",
        subtitle: "sheet.png",
        pixels: &[200; 300 * 400],
        height: 300,
        width: 400,
        marks,
    };
    photograph.draw().unwrap()
}

fn mark(top: usize, left: usize, is_doubtful: bool) -> Mark {
    Mark { top, left, height: 60, width: 40, text: "7".to_owned(), is_doubtful }
}

/// The photograph is enlarged 4 times (1,400 / 400, rounded).
#[test]
fn a_box_lies_around_its_part() {
    let picture = annotated(&[mark(100, 50, false)]);
    let top = picture.image.height() - MARGIN as u32 - 1200;
    let at = |x: u32, y: u32| picture.image.get_pixel(MARGIN as u32 + x, top + y).0;
    for (x, y) in [(199, 401), (360, 500), (280, 399), (280, 640)] {
        assert_eq!(at(x, y), RIGHT, "{x} {y}");
    }
    for (x, y) in [(200, 400), (359, 639), (197, 500), (362, 500), (280, 642)] {
        assert_eq!(at(x, y), [200; 3], "{x} {y}");
    }
    // The plate of the answer is above the box.
    assert_eq!(at(199, 396), RIGHT);
    assert!(picture.contains(WHITE) && !picture.contains(WRONG));
}

#[test]
fn a_doubtful_part_has_another_colour() {
    let picture = annotated(&[mark(0, 0, true), mark(240, 360, false)]);
    assert!(picture.contains(WRONG) && picture.contains(RIGHT));
}

#[test]
fn a_large_photograph_is_shrunk() {
    let pixels = vec![9; 3000 * 5600];
    let photograph = Annotated {
        title: "",
        subtitle: "",
        pixels: &pixels,
        height: 3000,
        width: 5600,
        marks: &[mark(2940, 5560, false)],
    };
    assert_eq!(photograph.draw().unwrap().image.width(), 1400 + 2 * MARGIN as u32);
}

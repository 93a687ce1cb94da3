use super::*;

const DARK_PAGE: Rgb = [0x16, 0x18, 0x1D];

#[test]
fn series_can_be_read_on_white_and_on_a_dark_page() {
    for (light, dark) in series_colours() {
        assert!(contrast(light, WHITE) >= 3.0, "{light:?} on white: {}", contrast(light, WHITE));
        assert!(contrast(dark, DARK_PAGE) >= 4.5, "{dark:?} on dark: {}", contrast(dark, DARK_PAGE));
    }
    // Later steps are visibly lighter.
    for steps in [0, 2, 4, 6].map(|index| [step(index), step(index + 2)]) {
        assert!(luminance(steps[1].0) > 1.2 * luminance(steps[0].0), "{steps:?}");
        assert!(luminance(steps[1].1) > 1.2 * luminance(steps[0].1), "{steps:?}");
    }
}

#[test]
fn each_series_has_its_own_colour() {
    let distinct = |colours: Vec<Rgb>| colours.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(distinct((0..8).map(|index| Colour::Category(index).on_white()).collect()), 8);
    assert_eq!(Colour::Category(8).on_white(), Colour::Category(0).on_white());
    for of in [2, 5, 9] {
        let colours: Vec<_> = (0..of).map(|place| Colour::Ordered { place, of }.on_white()).collect();
        assert_eq!((colours[0], colours[of - 1]), (step(0).0, step(8).0));
        assert_eq!(distinct(colours), of);
    }
    assert_eq!(Colour::Ordered { place: 7, of: 0 }.on_white(), step(8).0);
    assert_eq!(dark_style().matches("[stroke=").count(), 17);
}

#[test]
fn small_text_keeps_its_contrast() {
    for colour in [TEXT, MUTED, RIGHT, WRONG] {
        assert!(contrast(colour, WHITE) >= 4.5, "{colour:?}");
    }
    for i in 0..=100 {
        for background in [recognised(f64::from(i) / 100.0), mistaken(f64::from(i) / 100.0)] {
            assert!(contrast(text_on(background), background) >= 4.5, "{background:?}");
        }
    }
}

#[test]
fn weights_are_blue_white_red() {
    let [low, zero, high] = [-2.0, 0.0, 2.0].map(|v| diverging(v, 2.0));
    assert!(low[2] > low[0] + 50 && high[0] > high[2] + 50, "{low:?} {high:?}");
    assert!(zero.iter().all(|&c| c > 0xE8), "{zero:?}");
    assert_eq!(diverging(f32::INFINITY, 2.0), high);
    assert_eq!(diverging(f32::NEG_INFINITY, 2.0), low);
    assert_eq!(diverging(f32::NAN, 2.0), NOT_A_NUMBER);
}

use super::*;

/// The page and the comments of the file have the same figures.
#[test]
fn the_best_networks_figures_are_those_of_its_file() {
    let (chosen, next) = BEST_VALIDATION;
    for figure in [chosen, next, BEST_TEST] {
        assert!(BEST.contains(&format!("{figure:.4}")), "{figure}");
    }
    assert_eq!(margin(chosen - next), "0.07 percentage points, 7 images");
    assert!(BEST.contains("margin of 0.0007"));
}

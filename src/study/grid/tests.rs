use toml::Table;

use super::*;
use crate::study::search_space::read;

#[test]
fn a_grid_is_every_combination_and_a_sample_is_some_of_it() {
    let table = "b.c = [1, 2, 3]\na = [true, false]".parse::<Table>().unwrap();
    let parameters = read(&table, "", "s.toml", &|_| false).unwrap();
    let keys: Vec<_> = parameters.iter().map(|parameter| parameter.key.as_str()).collect();
    assert_eq!(keys, ["a", "b.c"]);
    let grid = |sample| -> Vec<String> {
        let grid = Grid::new(&parameters, sample).unwrap();
        assert_eq!(grid.indices.len(), grid.configurations().count());
        let text = |(configuration, values): (Configuration, Vec<Value>)| {
            let words: Vec<_> =
                configuration.values.iter().map(|(key, word)| format!("{key} {word}")).collect();
            assert_eq!(words, [format!("a {}", values[0]), format!("b.c {}", values[1])]);
            format!("{}{}", values[0], values[1])
        };
        grid.configurations().map(text).collect()
    };
    let text = grid(None);
    assert_eq!(text, ["true1", "true2", "true3", "false1", "false2", "false3"]);
    let sample = |num, seed| grid(Some((num, seed)));
    let drawn = sample(3, 7);
    assert_eq!(drawn.len(), 3);
    assert_eq!(drawn, sample(3, 7));
    assert_eq!(sample(100, 7), text, "more than there are");
    assert!((0..20).any(|seed| sample(3, seed) != drawn));
    assert!(
        drawn
            .windows(2)
            .all(|pair| text.iter().position(|t| *t == pair[0]) < text.iter().position(|t| *t == pair[1]))
    );
}

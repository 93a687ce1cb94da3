//! Owns the hint for a mistyped word. Must not know what the words are.

/// Returns a hint with the nearest of the `valid` words, if one is near, and all of them. `noun`
/// says what the words are.
pub(crate) fn suggestion(prefix: &str, got: &str, valid: &[String], noun: &str) -> String {
    // A part of a word counts like one typing error: `epochs` means `num_epochs`, and `glorot`
    // means `glorot-uniform`.
    let lower = got.to_lowercase();
    let distance = |word: &String| match word.contains(&lower) && lower.len() > 2 {
        true => 1,
        // The distance of a long text costs time and memory, and is never small.
        false if lower.len() > 100 => usize::MAX,
        false => strsim::damerau_levenshtein(word, &lower),
    };
    let nearest =
        valid.iter().min_by_key(|word| distance(word)).filter(|word| distance(word) <= 1 + got.len() / 4);
    let all = valid.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match nearest {
        Some(word) => format!("did you mean `{prefix}{word}`? Valid {noun}: {all}"),
        None => format!("valid {noun}: {all}"),
    }
}

//! Owns the comparison of several claims of one file with what was found: numbers, texts and JSON.
//! Must not know runs.

use serde_json::Value;

use super::Check;

/// Relative difference up to which two numbers are equal up to rounding.
const ROUNDING: f64 = 1e-5;

/// Claims of one file. Those that are false are collected.
#[derive(Default)]
pub(super) struct Claims {
    claimed: Vec<String>,
    found: Vec<String>,
}

impl Claims {
    /// Adds a claim that is true if both texts are equal.
    pub(super) fn add(&mut self, name: &str, claimed: impl ToString, found: impl ToString) {
        let (claimed, found) = (claimed.to_string(), found.to_string());
        if claimed != found {
            self.claimed.push(format!("{name} {claimed}"));
            self.found.push(format!("{name} {found}"));
        }
    }

    /// Adds a claim about a value that may be missing. A file that does not state it claims nothing.
    pub(super) fn add_stated(
        &mut self,
        name: &str,
        claimed: Option<impl ToString>,
        found: Option<impl ToString>,
    ) {
        if let Some(claimed) = claimed {
            self.add(name, claimed, found.map_or_else(|| "none".to_owned(), |found| found.to_string()));
        }
    }

    /// Adds a claim for each key of the JSON object `claimed`, but not for those in `left_out`.
    pub(super) fn add_json(&mut self, claimed: &Value, found: &Value, left_out: &[&str]) {
        let Some(keys) = claimed.as_object() else { return };
        for (key, value) in keys.iter().filter(|(key, _)| !left_out.contains(&key.as_str())) {
            self.add(key, shortened(value), shortened(found.get(key).unwrap_or(&Value::Null)));
        }
    }

    /// Returns the check with this name: failed if a claim is false, otherwise true with the text
    /// `found`.
    pub(super) fn into_check(self, name: &str, found: impl Into<String>) -> Check {
        match self.claimed.is_empty() {
            true => Check::ok(name, found),
            false => Check::failed(name, self.claimed.join(", "), self.found.join(", ")),
        }
    }
}

/// JSON as text. A long text is replaced by its beginning and its length, so that a line stays
/// readable; equal values have equal texts, and different ones almost always different ones.
fn shortened(value: &Value) -> String {
    const MAX_CHARS: usize = 200;
    let text = value.to_string();
    match text.chars().count() {
        length if length > MAX_CHARS => {
            let digest = crate::util::hex::hex(&<sha2::Sha256 as sha2::Digest>::digest(&text));
            format!(
                "{}… ({length} characters, digest {})",
                text.chars().take(60).collect::<String>(),
                &digest[..8]
            )
        }
        _ => text,
    }
}

/// Returns whether two numbers are equal up to rounding.
pub(super) fn is_near(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= ROUNDING * one.abs().max(other.abs())
}

#[cfg(test)]
mod tests;

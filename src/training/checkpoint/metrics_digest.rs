//! Owns the digest by which a checkpoint recognises the records of the epochs before it.
//! Depends on `util`. Must not know files.

use sha2::{Digest, Sha256};

use crate::util::hex::hex;

/// SHA-256 over the lines of `metrics.jsonl`, epoch by epoch. The line endings do not matter,
/// because a copy of the file may have other ones (LF to CRLF).
#[derive(Debug, Clone, Default)]
pub struct MetricsDigest {
    hash: Sha256,
}

impl MetricsDigest {
    /// Adds the line of the next epoch.
    pub fn add(&mut self, line: &[u8]) {
        // Every line ends with LF in the digest, whatever its ending in the file is.
        self.hash.update(line.trim_ascii_end());
        self.hash.update(b"\n");
    }

    /// Returns the digest of all lines so far, in hex.
    pub fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(lines: &[&str]) -> String {
        let mut digest = MetricsDigest::default();
        lines.iter().for_each(|line| digest.add(line.as_bytes()));
        digest.sha256()
    }

    #[test]
    fn it_is_of_the_file_and_does_not_depend_on_the_kind_of_line_feeds() {
        let lines = digest(&["one\n", "two\n"]);
        // printf 'one\ntwo\n' | sha256sum
        assert_eq!(lines, "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8");
        assert_eq!(lines, digest(&["one\r\n", "two\r\n"]));
        assert_ne!(lines, digest(&["two\n", "one\n"]));
        assert_ne!(lines, digest(&["one\n", "tw0\n"]));
        assert_ne!(lines, digest(&["one\n"]));
    }
}

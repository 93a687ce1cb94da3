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
mod tests;

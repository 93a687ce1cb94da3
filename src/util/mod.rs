//! Owns the helpers that every module needs: files, number formats, random numbers, threads,
//! memory. Depends on `error` alone. Must not know networks, data sets or experiments.

pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod hex;
pub(crate) mod memory;
pub(crate) mod notice;
pub(crate) mod rng;
pub(crate) mod suggest;
pub(crate) mod table;
pub(crate) mod threads;

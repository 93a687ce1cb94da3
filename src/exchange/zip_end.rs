//! Owns the end of zip archives as PyTorch writes it. Depends on nothing. Must not know what is in an
//! archive.

use std::borrow::Cow;

/// First bytes and sizes of the three records at the end of an archive with 64-bit numbers.
const END_64: (&[u8], usize) = (b"PK\x06\x06", 56);
const LOCATOR_64: (&[u8], usize) = (b"PK\x06\x07", 20);
const END: (&[u8], usize) = (b"PK\x05\x06", 22);

/// Returns an archive without the records of 64-bit numbers at its end, if its last record has the same
/// numbers in 32 bits.
///
/// PyTorch always writes both. The crate `zip` (9.8.2) then takes the list of members to begin 76
/// bytes later, and it finds a member there if the first name has 30 characters, as that of a file
/// `torch-tanh.state_dict.pt`: the archive seems to be damaged.
pub(super) fn without_64_bit_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    shortened(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn shortened(bytes: &[u8]) -> Option<Vec<u8>> {
    let (rest, end) = split_record(bytes, END)?;
    let (rest, _) = split_record(rest, LOCATOR_64)?;
    let (members, _) = split_record(rest, END_64)?;
    let number = |at: usize| Some(u64::from(u32::from_le_bytes(*end.get(at..)?.first_chunk()?)));
    // The list of members, whose size and place the last record states, ends where the others begin.
    let list_end = number(12)?.checked_add(number(16)?)?;
    (list_end == members.len() as u64).then(|| [members, end].concat())
}

/// Splits off the last record, if it begins with its first bytes.
fn split_record<'a>(bytes: &'a [u8], (magic, size): (&[u8], usize)) -> Option<(&'a [u8], &'a [u8])> {
    let (rest, record) = bytes.split_at_checked(bytes.len().checked_sub(size)?)?;
    record.starts_with(magic).then_some((rest, record))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

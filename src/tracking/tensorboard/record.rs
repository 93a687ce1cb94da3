//! Owns the frame around each message of an event file, and its checksums: TensorFlow's `tfrecord`.
//! Depends on `event`. Must not know what the messages say.
//!
//! ```text
//! 8 bytes  length of the message, little-endian
//! 4 bytes  masked CRC-32C of these 8 bytes
//! n bytes  the message
//! 4 bytes  masked CRC-32C of the message
//! ```

use prost::Message;

use crate::tracking::tensorboard::event::Event;

/// Bytes before a message.
const HEAD: usize = 12;
/// Bytes after it.
const TAIL: usize = 4;

/// Returns the records of `events`.
pub(crate) fn encode(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        let message = event.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        bytes.extend(length);
        bytes.extend(masked_crc(&length).to_le_bytes());
        bytes.extend(&message);
        bytes.extend(masked_crc(&message).to_le_bytes());
    }
    bytes
}

/// Returns the events in `bytes` up to the first record that is damaged or incomplete, as the last
/// one may be after a kill.
pub(super) fn decode(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = bytes;
    while let Some((event, after)) = decode_first(rest) {
        events.push(event);
        rest = after;
    }
    events
}

/// Returns the event of the first record in `bytes`, and the bytes after it. `None` if the record is
/// damaged or incomplete.
fn decode_first(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (length, checksum) = head.split_first_chunk::<8>()?;
    if checksum != masked_crc(length).to_le_bytes() {
        return None;
    }
    let (message, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let (checksum, rest) = rest.split_at_checked(TAIL)?;
    if checksum != masked_crc(message).to_le_bytes() {
        return None;
    }
    Some((Event::decode(message).ok()?, rest))
}

/// Returns the checksum of `bytes` as the format masks it, since a checksum of checksums would be
/// weak.
fn masked_crc(bytes: &[u8]) -> u32 {
    const MASK: u32 = 0xa282_ead8;
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests;

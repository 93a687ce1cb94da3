use super::*;
use crate::tracking::tensorboard::event::Content;
use crate::util::hex::hex;

fn event(step: i64) -> Event {
    Event { wall_time: 1.5, step, content: Some(Content::FileVersion("brain.Event:2".to_owned())) }
}

/// The bytes that `RecordWriter` of TensorBoard 2.21 writes for this event.
#[test]
fn a_record_has_the_bytes_of_tensorboards_own_writer() {
    let expected = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c";
    assert_eq!(hex(&encode(&[event(0)])), expected);
}

#[test]
fn events_are_read_up_to_the_first_damaged_record() {
    let events = [event(0), event(1), event(2)];
    let bytes = encode(&events);
    assert_eq!(decode(&bytes), events);
    let two = encode(&events[..2]).len();
    for end in two..bytes.len() {
        assert_eq!(decode(&bytes[..end]), events[..2], "{end} bytes");
    }
    for position in two..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        assert_eq!(decode(&damaged), events[..2], "byte {position}");
    }
}

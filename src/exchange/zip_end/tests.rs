use std::io::{Cursor, Write};

use super::*;

/// An archive of two members, the first of which has a name of 30 characters, as other programs
/// write it.
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["torch-tanh.state_dict/data.pkl", "torch-tanh.state_dict/data/0"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"content").unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn the_end_that_pytorch_adds_is_left_out() {
    let plain = archive();
    let (members, end) = plain.split_at(plain.len() - END.1);
    let record = |(magic, size): (&[u8], usize)| [magic, &vec![0; size - magic.len()]].concat();
    let of_pytorch = [members, &record(END_64), &record(LOCATOR_64), end].concat();
    assert_eq!(*without_64_bit_end(&of_pytorch), plain);
    assert_eq!(zip::ZipArchive::new(Cursor::new(&*without_64_bit_end(&of_pytorch))).unwrap().len(), 2);
    // What has another end stays as it is.
    assert_eq!(*without_64_bit_end(&plain), plain);
    let elsewhere = [members, b"more", &record(END_64), &record(LOCATOR_64), end].concat();
    assert_eq!(*without_64_bit_end(&elsewhere), elsewhere);
    for length in 0..of_pytorch.len() {
        assert_eq!(*without_64_bit_end(&of_pytorch[..length]), of_pytorch[..length]);
    }
}

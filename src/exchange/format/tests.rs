use std::io::Write;

use super::*;

fn zip(names: &[&str]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"content").unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_file_is_recognised_by_its_content() {
    let of = |bytes: &[u8]| Format::of(bytes).map_err(|error| error.message().to_owned());
    assert_eq!(of(&zip(&["model/version", "model/data.pkl"])), Ok(Format::Pytorch));
    assert_eq!(of(&zip(&["metadata.json", "config.json", "model.weights.h5"])), Ok(Format::Keras));
    assert_eq!(of(b"\x89HDF\r\n\x1a\n\0\0"), Ok(Format::Keras));
    assert_eq!(of(b"\x80\x02\x8a\x0a\x6c\xfc"), Ok(Format::Pytorch));
    assert_eq!(of(&[&[0; 257][..], b"ustar\0"].concat()), Ok(Format::Pytorch));
    assert_eq!(of(b"\x08\x07\x12\x07pytorch"), Ok(Format::Onnx));
    assert_eq!(of(b"\x10\0\0\0\0\0\0\0{\"a\":{}}"), Ok(Format::Safetensors));
    // The length of this header is the tag of an ONNX file, too.
    assert_eq!(of(b"\x08\0\0\0\0\0\0\0{\"a\":{}}"), Ok(Format::Safetensors));
    let unknown = |reason: &str| Err(format!("no network is found in the file: {reason}"));
    assert_eq!(of(&zip(&["x_train.npy"])), unknown("it is an npz archive of arrays"));
    assert_eq!(of(&zip(&["a.txt"])), unknown("it is a zip archive of another program"));
    assert_eq!(of(b""), unknown("its first bytes are those of no known format"));
    assert_eq!(of(b"\x89PNG\r\n"), unknown("its first bytes are those of no known format"));
    assert!(of(b"PK\x03\x04").unwrap_err().starts_with("the zip archive is damaged: "));
}

use super::*;

#[test]
fn headers_of_numpy() {
    let parsed = |text: &str| Header::parse(text).unwrap();
    let header = parsed("{'descr': '<f8', 'fortran_order': False, 'shape': (60, 28), }   \n");
    let elements = Elements::Numbers(ElementType::F64);
    assert_eq!(header, Header { elements, is_big_endian: false, is_fortran: false, dims: vec![60, 28] });
    let header = parsed("{'descr': '>U12', 'fortran_order': True, 'shape': (5,), }");
    let elements = Elements::Unicode(12);
    assert_eq!(header, Header { elements, is_big_endian: true, is_fortran: true, dims: vec![5] });
    for (descr, text) in [
        ("'|O'", "5 pickled objects"),
        ("'|b1'", "5 unsigned bytes"),
        ("'|S3'", "5 words"),
        ("'<c16'", "5 values of type `<c16`"),
        ("[('a', '<f4'), ('b', '<i4')]", "5 values of type `records`"),
    ] {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (5,), }}");
        assert_eq!(parsed(&header).describe(), text);
    }
    for text in
        ["", "{'descr': '<f8', 'shape': (1,)}", "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"]
    {
        assert_eq!(Header::parse(text), None, "{text}");
    }
}

/// Version 2 and 3 have a length of four bytes.
#[test]
fn versions() {
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (), }";
    for (version, length) in [(1, vec![55, 0]), (2, vec![55, 0, 0, 0]), (3, vec![55, 0, 0, 0])] {
        let bytes = [&MAGIC[..], &[version, 0], &length, text.as_bytes()].concat();
        assert!(Header::read(&mut &bytes[..], "x").unwrap().dims.is_empty());
    }
    let bytes = [&MAGIC[..], &[9, 0, 0, 0]].concat();
    let error = Header::read(&mut &bytes[..], "x").unwrap_err();
    assert_eq!(error.message(), "`x` has version 9 of NumPy's format");
    let bytes = [&MAGIC[..], &[2, 0, 0xff, 0xff, 0xff, 0xff]].concat();
    assert_eq!(
        Header::read(&mut &bytes[..], "x").unwrap_err().message(),
        "`x` is damaged: its header is too long"
    );
}

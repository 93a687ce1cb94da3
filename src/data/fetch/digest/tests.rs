use super::*;

#[test]
fn a_file_is_compared_by_size_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "abc").unwrap();
    let compare = |size, checksum| {
        let expected = RemoteFile { name: "file", mirrors: &[], size, checksum, members: &[] };
        difference(&path, &expected).unwrap()
    };
    // The digests of `abc` in the standards of both: FIPS 180-4 and RFC 1321.
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    assert_eq!(compare(Some(3), Checksum::Sha256(sha256)), None);
    assert_eq!(compare(None, Checksum::Md5(md5)), None);
    let wrong = compare(None, Checksum::Md5("00"));
    assert_eq!(wrong, Some(format!("has the MD5 {md5}, expected 00")));
    let wrong = compare(Some(1000), Checksum::Sha256(sha256));
    assert_eq!(wrong.as_deref(), Some("has 3 bytes, expected 1,000"));
}

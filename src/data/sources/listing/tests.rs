use std::fs;

use super::*;

#[test]
fn a_listing_has_the_visible_files_and_folders_in_natural_order() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b10", "b9", ".hidden"] {
        fs::write(dir.path().join(name), b"").unwrap();
    }
    for name in ["c10", "c2", ".git", "__MACOSX"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    let listing = Listing::read(dir.path()).unwrap();
    assert_eq!(
        (listing.files, listing.folders),
        (vec!["b9".into(), "b10".into()], vec!["c2".into(), "c10".into()])
    );
}

#[cfg(unix)]
#[test]
fn a_listing_follows_links() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    for (target, link) in [("file", "a"), (".", "b"), ("nowhere", "c")] {
        std::os::unix::fs::symlink(target, dir.path().join(link)).unwrap();
    }
    let listing = Listing::read(dir.path()).unwrap();
    assert_eq!(
        (listing.files, listing.folders),
        (vec!["a".to_owned(), "file".to_owned()], vec!["b".to_owned()])
    );
}

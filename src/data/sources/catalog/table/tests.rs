use std::collections::HashSet;

use super::*;

#[test]
fn every_file_can_be_fetched_and_checked() {
    for set in DATA_SETS {
        for file in set.downloads {
            assert!(!file.mirrors.is_empty(), "{}", file.name);
            for address in file.addresses() {
                assert!(address.starts_with("http://") || address.starts_with("https://"), "{address}");
                assert!(address.ends_with(&format!("/{}", file.name)), "{address}");
            }
            let (digits, length) = match file.checksum {
                Checksum::Sha256(digits) => (digits, 64),
                Checksum::Md5(digits) => (digits, 32),
            };
            assert_eq!(digits.len(), length, "{}", file.name);
            assert!(digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)), "{digits}");
        }
    }
}

#[test]
fn every_file_that_is_read_is_fetched_or_unpacked_and_told_apart() {
    for set in DATA_SETS {
        assert_eq!(set.files.len(), 4, "{}", set.name);
        let has = |name| {
            let members = |file: &RemoteFile| file.members.iter().any(|group| group.contains(name));
            set.downloads.iter().any(|file| file.name == *name || members(file))
        };
        assert!(set.files.iter().all(has), "{}", set.name);
        assert!(set.files.iter().all(|name| name.starts_with(set.prefix)), "{}", set.name);
        let others = DATA_SETS.iter().filter(|other| other.folder == set.folder && other.name != set.name);
        for other in others {
            assert!(!other.files.iter().any(|name| name.starts_with(set.prefix)), "{}", set.name);
        }
    }
}

#[test]
fn names_are_different_and_classes_are_as_many_as_published() {
    let names: HashSet<_> = DATA_SETS.iter().map(|set| set.name).collect();
    assert_eq!(names.len(), DATA_SETS.len());
    for (name, count) in [
        ("emnist/letters", 26),
        ("emnist/balanced", 47),
        ("emnist/bymerge", 47),
        ("emnist/byclass", 62),
        ("fashion-mnist", 10),
        ("kmnist", 10),
    ] {
        let set = DATA_SETS.iter().find(|set| set.name == name).unwrap();
        let different: HashSet<_> = set.class_names.iter().collect();
        assert_eq!((set.class_names.len(), different.len()), (count, count), "{name}");
    }
}

use super::*;

#[test]
fn faults_of_a_drive_are_not_taken_for_missing_functions() {
    let error = io::Error::from_raw_os_error;
    for fault in [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::EACCES, libc::EROFS, libc::EINTR] {
        assert!(!has_no_locks(&error(fault)), "{fault}");
        assert!(tolerate(Err(error(fault)), Path::new("a")).is_err(), "{fault}");
    }
    assert!(!has_no_locks(&error(libc::EINVAL)));
    assert!(has_no_locks(&error(libc::ENOLCK)));
    assert!(tolerate(Err(error(libc::EINVAL)), Path::new("a")).is_ok());
    assert!(tolerate(Err(error(libc::ENOLCK)), Path::new("a")).is_err());
}

#[test]
fn notices_name_a_folder_that_lasts() {
    assert_eq!(shown(Path::new("a/b/.tmpAbc")), Path::new("a/b"));
    assert_eq!(shown(Path::new("a/.tmpAbc/old")), Path::new("a/.tmpAbc/old"));
    assert_eq!(shown(Path::new(".tmpAbc")), Path::new("."));
}

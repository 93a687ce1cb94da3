use super::*;

#[test]
fn a_lock_is_exclusive_and_released() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(is_locked(folder.path()), None);
    let lock = Lock::take(folder.path()).unwrap();
    assert!(lock.is_some());
    assert_eq!(is_locked(folder.path()), Some(true));
    assert!(Lock::take(folder.path()).unwrap().is_none());
    drop(lock);
    assert_eq!(is_locked(folder.path()), Some(false));
    assert!(Lock::take(folder.path()).unwrap().is_some());
}

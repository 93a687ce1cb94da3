use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn reading_a_file_is_reported_up_to_its_end() {
    let seen: Arc<Mutex<Vec<(u64, u64)>>> = Arc::default();
    let list = seen.clone();
    observe_reading(Box::new(move |progress| {
        if progress.name == "reported by a test" {
            list.lock().unwrap().push((progress.done, progress.total));
        }
    }));
    let total = 3 << 20;
    let mut reader = ReportingReader::new(io::repeat(7).take(total), "reported by a test", total);
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..2 {
        reader.read_exact(&mut buffer).unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), [(1 << 20, total), (2 << 20, total)]);
    drop(reader);
    assert_eq!(seen.lock().unwrap().last(), Some(&(total, total)));
}

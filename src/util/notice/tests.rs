use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn a_topic_has_one_notice() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let list = seen.clone();
    observe_notices(Box::new(move |notice| {
        let text = format!("{notice:?}");
        if text.contains("of a test") {
            list.lock().unwrap().push(text);
        }
    }));
    give_once("test", Notice::Warning("first of a test"));
    give_once("test", Notice::Warning("second of a test"));
    give_once("other test", Notice::Note("third of a test"));
    assert_eq!(*seen.lock().unwrap(), ["Warning(\"first of a test\")", "Note(\"third of a test\")"]);
}

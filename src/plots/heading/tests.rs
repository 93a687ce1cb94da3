use super::*;

#[test]
fn a_heading_makes_room_for_itself_but_not_without_end() {
    assert_eq!(Heading::over(500.0, "short", "").unwrap().width, 500.0);
    let wider = Heading::over(50.0, "a title wider than its content", "").unwrap().width;
    assert!((300.0..MAX_WIDTH).contains(&wider));
    let endless = Heading::over(50.0, &"word ".repeat(500), &"word ".repeat(500)).unwrap();
    assert_eq!(endless.width, MAX_WIDTH);
    assert_eq!((endless.title.len(), endless.subtitle.len()), (2, 3));
    assert_eq!(Heading::over(50.0, "", "").unwrap().height(), 0.0);
}

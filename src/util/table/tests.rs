use super::*;

#[test]
fn every_column_has_its_header_above_its_cells() {
    let columns: [Column<(&str, Option<u32>)>; 2] = [
        Column::text("name", |row| row.0.to_owned()),
        Column::number("size", |row| or_dash(row.1, |size| size.to_string())),
    ];
    let table = TextTable::new(&columns, [("a", Some(3)), ("b", None)]).renamed("size", "bytes");
    let names: Vec<_> = table.headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["name", "bytes"]);
    assert_eq!(table.headers[1].align, Align::Right);
    assert_eq!(table.rows, [["a", "3"], ["b", "–"]]);
}

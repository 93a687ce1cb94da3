use super::*;

fn read(text: &str) -> Header {
    Header::read("a.csv", text.as_bytes()).unwrap().unwrap()
}

#[test]
fn a_header_is_no_row_of_numbers() {
    for (text, names) in [
        ("label,pixel0\n1,2\n", vec!["label", "pixel0"]),
        ("\"\",\"label\",\"pixel0\"\n", vec!["", "label", "pixel0"]),
        ("# label; pixel0 ;pixel1\r\n", vec!["label", "pixel0", "pixel1"]),
        ("1,2\n", vec![]),
        ("cat,0,0\n", vec![]),
        ("cat,0\n", vec![]),
        ("0,1,2,3,4,5,6,7,8\n", vec![]),
    ] {
        assert_eq!(read(text).names, names, "{text}");
    }
    // pandas names columns without a name by their numbers.
    let counting: Vec<String> = (0..16).map(|number| number.to_string()).collect();
    assert_eq!(read(&format!(",{}\n", counting.join(","))).names.len(), 17);
    assert_eq!(read(&counting.join(",").replace("7", "8")).names.len(), 0);
}

#[test]
fn the_first_image_is_behind_the_header() {
    let header = read("\u{feff}\r\n \nlabel,pixel0\r\n1,2\r\n");
    assert_eq!((header.start, header.num_lines), (3 + 2 + 2 + 14, 3));
    let header = read("\n1,2,\n");
    assert_eq!((header.start, header.num_lines, header.num_columns), (1, 1, 3));
    assert!(header.ends_with_separator);
    assert_eq!(Header::read("a.csv", b"\n \r\n").unwrap(), None);
    assert_eq!(Header::read("a.csv", b"").unwrap(), None);
}

#[test]
fn the_separator_is_the_most_frequent_one() {
    for (text, separator) in
        [("1,2,3", b','), ("1;2", b';'), ("1\t2", b'\t'), ("0,5;0,5;0,5", b';'), ("\"a;b\",1,2,3", b',')]
    {
        assert_eq!(separator_of(text.as_bytes()), separator, "{text}");
    }
}

#[test]
fn a_text_is_recognised_by_its_beginning() {
    let zeros = "0,".repeat(500);
    let pixels: String = (0..100).map(|number| format!("pixel{number},")).collect();
    for text in [
        zeros.as_str(),
        pixels.as_str(),
        "label,a,b\n1,2,3\n",
        "cat,0,0,25",
        "5\t0",
        "label,1x1,1x2,1x3",
        "\u{feff}label,pixel0\r\n7,0\r\n",
        "\"cat\",0,0",
    ] {
        assert!(looks_like_images(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "\n\n",
        "Once upon a time, there was a net, and a data set.\nIt was 5, or 6.\n",
        "{\"label\": 5, \"pixels\": [0, 0, 0, 0, 255, 12]}",
        "7\n8\n9\n",
        "id,name,file\n1,cat,a.png\n",
        "\0,1,2",
        "[data]\nsize = [28, 28]\n",
    ] {
        assert!(!looks_like_images(text.as_bytes()), "{text}");
    }
}

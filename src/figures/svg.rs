//! Owns turning a scene into an SVG element that can stand inside an HTML page. Knows no kind of picture.

use std::fmt::Write as _;

use super::colour::Rgb;
use super::scene::{Anchor, DASH, Point, Scene, Shape, Text};

/// The scene as an `<svg class="chart">` without background; `label` is what a screen reader says.
///
/// It fills the width of what it stands in, up to its own width, and keeps its proportions.
pub(super) fn write(scene: &Scene, label: &str) -> String {
    let (width, height, label) = (scene.width.ceil(), scene.height.ceil(), escape(label));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" style=\"max-width:100%;height:auto\" font-family=\"sans-serif\" \
         role=\"img\" aria-label=\"{label}\">\n<title>{label}</title>\n"
    );
    for shape in &scene.shapes {
        svg.push_str(&element(shape));
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    svg
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Fill { at: (x, y), width, height, colour } => format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            hex(*colour)
        ),
        Shape::Stroke { points, width, dashed, colour } => {
            let dash = if *dashed { format!(" stroke-dasharray=\"{DASH}\"") } else { String::new() };
            format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" \
                 stroke-linecap=\"round\" stroke-linejoin=\"round\"{dash}/>",
                coordinates(points),
                hex(*colour)
            )
        }
        Shape::Dot { at: (x, y), radius, colour } => {
            format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{}\"/>", hex(*colour))
        }
        Shape::Text(line) => text(line),
    }
}

fn text(line: &Text) -> String {
    let (x, y) = line.at;
    let anchor = match line.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let bold = if line.font.bold { " font-weight=\"bold\"" } else { "" };
    let turn = if line.upwards { format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"") } else { String::new() };
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{}\"{bold} fill=\"{}\"{turn}>{}</text>",
        line.font.size,
        hex(line.colour),
        escape(&line.text)
    )
}

fn coordinates(points: &[Point]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for (x, y) in points {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{space}{x:.1},{y:.1}");
    }
    text
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// Safe between tags and between double quotes; characters that XML forbids are replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::colour::INK;
    use super::super::text::BODY;
    use super::*;

    #[test]
    fn what_users_write_is_escaped() {
        let mut scene = Scene::new(10.0, 10.0);
        scene.text("a<b>&\"c\"\u{0}", (1.0, 2.0), BODY, INK, Anchor::Start);
        let svg = write(&scene, "\"><script>");
        assert!(svg.contains(">a&lt;b&gt;&amp;&quot;c&quot; </text>"), "{svg}");
        assert!(svg.contains("aria-label=\"&quot;&gt;&lt;script&gt;\""), "{svg}");
        assert!(!svg.contains("<script") && !svg.contains('\u{0}'));
    }

    #[test]
    fn it_can_stand_in_a_page_of_any_width() {
        let svg = write(&Scene::new(640.4, 400.0), "loss");
        assert!(svg.starts_with("<svg ") && !svg.contains("<?xml"));
        for part in ["class=\"chart\"", "viewBox=\"0 0 641 400\"", "role=\"img\"", "<title>loss</title>"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!svg.contains(" height=\"400\""));
    }

    #[test]
    fn a_dashed_line_says_so() {
        let stroke =
            |dashed| Shape::Stroke { points: vec![(1.0, 2.0), (3.25, 4.0)], width: 2.0, dashed, colour: INK };
        assert!(element(&stroke(true)).contains("stroke-dasharray"));
        assert!(!element(&stroke(false)).contains("stroke-dasharray"));
        assert!(element(&stroke(false)).contains("points=\"1.0,2.0 3.2,4.0\""));
    }
}

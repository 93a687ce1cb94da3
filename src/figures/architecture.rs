//! Owns the diagram of a network's layers. Knows names and numbers only.

use crate::error::Result;

use super::colour::{AXIS, INK, QUIET, RIGHT, WHITE};
use super::heading::{Heading, MARGIN};
use super::number::grouped;
use super::picture::Picture;
use super::scene::{Anchor, Point, Scene};
use super::svg;
use super::text::{BODY, STRONG};

const BOX_HEIGHT: f64 = 44.0;
const ARROW_HEIGHT: f64 = 40.0;
const NARROWEST: f64 = 150.0;
/// How much wider a box gets each time its layer's width doubles.
const PER_DOUBLING: f64 = 18.0;
const WIDEST: f64 = 400.0;
const GAP: f64 = 28.0;
const MAX_DETAIL_WIDTH: f64 = 620.0;

/// One layer of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its kind, such as "Linear"; stands in its box.
    pub name: String,
    /// More about it, such as how many weights it has; stands beside its box.
    pub detail: String,
    /// How many values leave it.
    pub width: usize,
}

/// The layers of a network from top to bottom; a wider box stands for more values (by their logarithm).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture<'a> {
    /// What is shown, in bold.
    pub title: &'a str,
    /// More about it, such as the number of parameters; may be empty.
    pub subtitle: &'a str,
    /// From the input to the output.
    pub layers: &'a [Layer],
}

impl Architecture<'_> {
    /// The diagram as pixels.
    pub fn to_picture(&self) -> Result<Picture> {
        self.scene()?.to_picture()
    }

    /// The diagram as an `<svg class="chart">` element to stand in an HTML page, with the same colours as
    /// [`Chart`](super::Chart); boxes `fill` `#0072B2` with names in `#FFFFFF`, arrows `stroke` `#777777`.
    pub fn to_svg(&self) -> Result<String> {
        Ok(svg::write(&self.scene()?, self.title))
    }

    fn scene(&self) -> Result<Scene> {
        let widest = self.layers.iter().map(|layer| box_width(layer.width)).fold(NARROWEST, f64::max);
        let details = self.layers.iter().map(|layer| layer.detail.as_str());
        let details_width = BODY.measure_widest(details)?.min(MAX_DETAIL_WIDTH).ceil();
        let heading = Heading::over(widest + GAP + details_width, self.title, self.subtitle)?;
        let mut scene = Scene::new(heading.width + 2.0 * MARGIN, 0.0);
        heading.draw(&mut scene, (MARGIN, MARGIN));
        let mut top = (MARGIN + heading.height() + 6.0).round();
        let middle = (MARGIN + widest / 2.0).floor() + 0.5;
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                arrow(&mut scene, (middle, top), self.layers[i - 1].width);
                top += ARROW_HEIGHT;
            }
            draw_layer(&mut scene, layer, (middle, top), MARGIN + widest + GAP)?;
            top += BOX_HEIGHT;
        }
        scene.height = top + MARGIN;
        Ok(scene)
    }
}

fn box_width(values: usize) -> f64 {
    (NARROWEST + PER_DOUBLING * (values.max(1) as f64).log2()).min(WIDEST).round()
}

/// A box around (`middle`, …) with the layer's name, and its detail at `detail_left`.
fn draw_layer(scene: &mut Scene, layer: &Layer, (middle, top): Point, detail_left: f64) -> Result<()> {
    let width = box_width(layer.width);
    // A thick line has round joins: around a smaller rectangle it makes round corners.
    let radius = 6.0;
    let (left, right) = (middle - width / 2.0 + radius, middle + width / 2.0 - radius);
    let (upper, lower) = (top + radius, top + BOX_HEIGHT - radius);
    scene.fill((left, upper), right - left, lower - upper, RIGHT);
    let outline = vec![(left, upper), (right, upper), (right, lower), (left, lower), (left, upper)];
    scene.stroke(outline, 2.0 * radius, RIGHT);
    let name = STRONG.fit(&layer.name, width - 24.0)?;
    let centre = top + BOX_HEIGHT / 2.0;
    scene.text(&name, (middle, centre + STRONG.centre()), STRONG, WHITE, Anchor::Middle);
    let detail = BODY.fit(&layer.detail, MAX_DETAIL_WIDTH)?;
    scene.text(&detail, (detail_left, centre + BODY.centre()), BODY, INK, Anchor::Start);
    Ok(())
}

/// From one box to the next, with the number of values that pass.
fn arrow(scene: &mut Scene, (x, top): Point, values: usize) {
    let (start, tip) = (top + 5.0, top + ARROW_HEIGHT - 5.0);
    scene.stroke(vec![(x, start), (x, tip)], 1.5, AXIS);
    scene.stroke(vec![(x - 5.0, tip - 6.0), (x, tip), (x + 5.0, tip - 6.0)], 1.5, AXIS);
    let label = grouped(values as u64);
    scene.text(&label, (x + 14.0, top + ARROW_HEIGHT / 2.0 + BODY.centre()), BODY, QUIET, Anchor::Start);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn layer(name: &str, detail: &str, width: usize) -> Layer {
        Layer { name: name.to_owned(), detail: detail.to_owned(), width }
    }

    #[test]
    fn layers_stand_from_top_to_bottom_with_arrows_between() {
        let layers =
            [layer("Flatten", "784 values", 784), layer("Linear", "a & b", 10), layer("Softmax", "", 10)];
        let diagram = Architecture { title: "net", subtitle: "", layers: &layers };
        let svg = diagram.to_svg().unwrap();
        let places: Vec<usize> = layers.iter().map(|l| svg.find(&format!(">{}<", l.name)).unwrap()).collect();
        assert!(places.is_sorted());
        assert_eq!(svg.matches("stroke-width=\"1.5\"").count(), 4, "two strokes for each of two arrows");
        assert!(svg.contains(">784<") && svg.contains("a &amp; b"));
        assert!(box_width(784) > box_width(10) && box_width(10) > box_width(1));
        assert!(diagram.to_picture().unwrap().contains(RIGHT));
    }

    #[test]
    fn odd_networks_do_not_panic() {
        let long = "x".repeat(5000);
        for layers in [vec![], vec![layer("", "", 0)], vec![layer(&long, &long, usize::MAX); 3]] {
            let picture = Architecture { title: &long, subtitle: "", layers: &layers }.to_picture().unwrap();
            assert!(picture.width < 1400, "{}", picture.width);
        }
        let deep = vec![layer("Linear", "", 8); 1000];
        assert!(Architecture { title: "", subtitle: "", layers: &deep }.to_picture().is_err());
    }
}

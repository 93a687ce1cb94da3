//! Pictures of digits as people make them: ten hands that write the ten digits, and the scenes
//! around a digit. Everything follows from a seed. Depends on nothing. Must not know smallnet.
#![allow(dead_code, unreachable_pub)]

/// A grey picture, row by row, 0 is black.
pub struct Picture {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// A stream of random numbers: SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// A whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}

/// A person's way of writing.
struct Hand {
    /// Columns to the right per row upwards.
    slant: f32,
    /// Width of the letters, as a share of the usual one.
    aspect: f32,
    closed_four: bool,
    one_with_foot: bool,
    one_with_flag: bool,
    seven_with_bar: bool,
    two_with_loop: bool,
    straight_nine: bool,
    flat_three: bool,
    /// The bar of the 5 is a stroke of its own, which may not touch the rest.
    loose_five: bool,
}

/// Number of hands.
pub const NUM_HANDS: usize = 10;

const T: bool = true;
const F: bool = false;

#[rustfmt::skip]
const HANDS: [Hand; NUM_HANDS] = [
    hand(0.00, 1.00, [F, F, F, F, F, F, F, F]),
    hand(0.20, 0.90, [F, F, T, T, F, T, F, F]),
    hand(-0.10, 1.05, [T, F, T, F, F, T, F, F]),
    hand(0.10, 0.80, [F, F, F, T, T, F, F, F]),
    hand(0.30, 1.00, [F, F, F, F, T, T, F, T]),
    hand(0.05, 1.20, [T, T, T, F, F, F, F, F]),
    hand(0.15, 1.10, [F, F, F, F, F, T, T, T]),
    hand(0.00, 0.75, [F, F, T, T, F, F, F, T]),
    hand(0.25, 0.85, [T, F, F, F, T, T, F, F]),
    hand(0.08, 0.95, [F, T, T, T, F, F, F, F]),
];

const fn hand(slant: f32, aspect: f32, kinds: [bool; 8]) -> Hand {
    let [
        closed_four,
        one_with_foot,
        one_with_flag,
        seven_with_bar,
        two_with_loop,
        straight_nine,
        flat_three,
        loose_five,
    ] = kinds;
    Hand {
        slant,
        aspect,
        closed_four,
        one_with_foot,
        one_with_flag,
        seven_with_bar,
        two_with_loop,
        straight_nine,
        flat_three,
        loose_five,
    }
}

/// A point: column to the right, row downwards. A digit is about 0.6 wide and 1 high.
pub type Point = [f32; 2];

/// Strokes of a digit. A stroke is a smooth curve through its points, with a corner where a point
/// comes twice.
fn strokes(digit: usize, hand: &Hand) -> Vec<Vec<Point>> {
    let points = |points: &[Point]| points.to_vec();
    match digit {
        0 => vec![points(&[
            [0.32, 0.0],
            [0.08, 0.2],
            [0.0, 0.52],
            [0.1, 0.85],
            [0.3, 1.0],
            [0.52, 0.85],
            [0.6, 0.5],
            [0.52, 0.15],
            [0.3, 0.0],
        ])],
        1 => {
            let mut one = vec![points(&[[0.3, 0.0], [0.3, 0.5], [0.3, 1.0]])];
            if hand.one_with_flag {
                one.push(points(&[[0.12, 0.22], [0.3, 0.0]]));
            }
            if hand.one_with_foot {
                one.push(points(&[[0.1, 1.0], [0.5, 1.0]]));
            }
            one
        }
        2 if hand.two_with_loop => vec![points(&[
            [0.05, 0.2],
            [0.25, 0.0],
            [0.52, 0.15],
            [0.42, 0.5],
            [0.15, 0.95],
            [0.02, 0.9],
            [0.1, 0.78],
            [0.3, 0.9],
            [0.6, 0.97],
        ])],
        2 => vec![points(&[
            [0.04, 0.2],
            [0.25, 0.0],
            [0.52, 0.15],
            [0.45, 0.45],
            [0.02, 0.98],
            [0.02, 0.98],
            [0.58, 0.98],
        ])],
        3 if hand.flat_three => vec![points(&[
            [0.06, 0.02],
            [0.52, 0.02],
            [0.52, 0.02],
            [0.25, 0.38],
            [0.25, 0.38],
            [0.52, 0.5],
            [0.54, 0.8],
            [0.3, 1.0],
            [0.02, 0.9],
        ])],
        3 => vec![points(&[
            [0.06, 0.1],
            [0.3, 0.0],
            [0.5, 0.15],
            [0.42, 0.4],
            [0.2, 0.47],
            [0.2, 0.47],
            [0.5, 0.58],
            [0.54, 0.82],
            [0.3, 1.0],
            [0.03, 0.92],
        ])],
        4 if hand.closed_four => {
            vec![points(&[[0.42, 1.0], [0.42, 0.0], [0.42, 0.0], [0.02, 0.65], [0.02, 0.65], [0.62, 0.65]])]
        }
        4 => vec![
            points(&[[0.12, 0.0], [0.04, 0.52], [0.04, 0.52], [0.58, 0.5]]),
            points(&[[0.46, 0.08], [0.44, 0.5], [0.4, 1.0]]),
        ],
        5 if hand.loose_five => vec![
            points(&[
                [0.12, 0.1],
                [0.08, 0.45],
                [0.08, 0.45],
                [0.38, 0.42],
                [0.54, 0.68],
                [0.36, 0.98],
                [0.02, 0.92],
            ]),
            points(&[[0.2, 0.0], [0.6, -0.02]]),
        ],
        5 => vec![points(&[
            [0.56, 0.0],
            [0.14, 0.0],
            [0.14, 0.0],
            [0.08, 0.45],
            [0.08, 0.45],
            [0.38, 0.42],
            [0.54, 0.68],
            [0.36, 0.98],
            [0.02, 0.92],
        ])],
        6 => vec![points(&[
            [0.45, 0.0],
            [0.15, 0.3],
            [0.02, 0.7],
            [0.2, 1.0],
            [0.46, 0.9],
            [0.5, 0.65],
            [0.28, 0.55],
            [0.06, 0.72],
        ])],
        7 => {
            let mut seven =
                vec![points(&[[0.02, 0.04], [0.58, 0.02], [0.58, 0.02], [0.38, 0.45], [0.22, 1.0]])];
            if hand.seven_with_bar {
                seven.push(points(&[[0.18, 0.5], [0.54, 0.48]]));
            }
            seven
        }
        8 => vec![points(&[
            [0.5, 0.12],
            [0.28, 0.0],
            [0.08, 0.15],
            [0.14, 0.36],
            [0.42, 0.58],
            [0.52, 0.82],
            [0.28, 1.0],
            [0.04, 0.84],
            [0.14, 0.58],
            [0.42, 0.36],
            [0.5, 0.12],
        ])],
        _ if hand.straight_nine => vec![points(&[
            [0.5, 0.14],
            [0.3, 0.0],
            [0.06, 0.16],
            [0.1, 0.4],
            [0.32, 0.44],
            [0.5, 0.14],
            [0.5, 0.14],
            [0.5, 1.0],
        ])],
        _ => vec![points(&[
            [0.5, 0.14],
            [0.3, 0.0],
            [0.06, 0.16],
            [0.1, 0.4],
            [0.32, 0.44],
            [0.5, 0.14],
            [0.5, 0.14],
            [0.46, 0.6],
            [0.3, 0.95],
            [0.1, 0.96],
        ])],
    }
}

/// Points on the smooth curve (Catmull-Rom) through `points`, close enough to be joined by lines.
fn curve(points: &[Point]) -> Vec<Point> {
    let mut all = Vec::new();
    for part in points.chunk_by(|a, b| a != b) {
        let at = |index: isize| part[index.clamp(0, part.len() as isize - 1) as usize];
        for index in 0..part.len() as isize - 1 {
            let [a, b, c, d] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
            for step in 0..=8 {
                let t = step as f32 / 8.0;
                all.push([0, 1].map(|k| {
                    let (p, q) = ((c[k] - a[k]) / 2.0, (d[k] - b[k]) / 2.0);
                    let (u, v) = (t * t * (3.0 - 2.0 * t), t * t * (t - 1.0));
                    b[k] * (1.0 - u) + c[k] * u + p * (t * (1.0 - t) * (1.0 - t)) + q * v
                }));
            }
        }
    }
    all
}

/// Strokes of a digit as a pen writes them, `height` pixels high in the middle of a square of `side`
/// pixels: points, in pixels, that are joined by lines.
pub fn strokes_of(digit: usize, hand: usize, height: f32, side: f32, seed: u64) -> Vec<Vec<Point>> {
    let written = Written::new(digit, hand, height, 0.0, &mut Random::new(seed));
    let to = written.size().map(|size| (side - size) / 2.0);
    written.moved(to).strokes
}

/// A written digit: lines between points, in pixels, and the smallest box around them.
struct Written {
    strokes: Vec<Vec<Point>>,
    low: Point,
    high: Point,
}

impl Written {
    /// Writes a digit `height` pixels high, tilted by `tilt` degrees, at the origin.
    fn new(digit: usize, hand: usize, height: f32, tilt: f32, random: &mut Random) -> Self {
        let hand = &HANDS[hand % NUM_HANDS];
        let (sin, cos) = tilt.to_radians().sin_cos();
        let slant = hand.slant + random.between(-0.06, 0.06);
        let aspect = hand.aspect * random.between(0.92, 1.08);
        let strokes: Vec<Vec<Point>> = strokes(digit, hand)
            .iter()
            .map(|stroke| {
                let mut previous = None;
                let jittered: Vec<Point> = stroke
                    .iter()
                    .map(|&point| match previous {
                        // The two points of a corner stay together.
                        Some((before, moved)) if before == point => moved,
                        _ => {
                            let moved = point.map(|value| value + random.between(-0.025, 0.025));
                            previous = Some((point, moved));
                            moved
                        }
                    })
                    .collect();
                let placed = |[x, y]: Point| {
                    let (x, y) = ((x - 0.3) * aspect + (0.5 - y) * slant, y - 0.5);
                    [height * (x * cos - y * sin), height * (x * sin + y * cos)]
                };
                curve(&jittered).into_iter().map(placed).collect()
            })
            .collect();
        let fold = |k: usize, choose: fn(f32, f32) -> f32, start: f32| {
            strokes.iter().flatten().map(|point| point[k]).fold(start, choose)
        };
        let low = [0, 1].map(|k| fold(k, f32::min, f32::INFINITY));
        let high = [0, 1].map(|k| fold(k, f32::max, f32::NEG_INFINITY));
        Self { strokes, low, high }
    }

    /// Moves the digit so that the smallest column and row of its lines are `to`.
    fn moved(mut self, to: Point) -> Self {
        let by = [0, 1].map(|k| to[k] - self.low[k]);
        self.strokes.iter_mut().flatten().for_each(|point| *point = [point[0] + by[0], point[1] + by[1]]);
        self.low = to;
        self.high = [self.high[0] + by[0], self.high[1] + by[1]];
        self
    }

    fn size(&self) -> Point {
        [self.high[0] - self.low[0], self.high[1] - self.low[1]]
    }
}

/// Share of each pixel that ink covers.
struct Ink {
    side: usize,
    values: Vec<f32>,
}

impl Ink {
    fn new(side: usize) -> Self {
        Self { side, values: vec![0.0; side * side] }
    }

    fn write(&mut self, written: &Written, pen: f32) {
        for stroke in &written.strokes {
            stroke.windows(2).for_each(|ends| self.line(ends[0], ends[1], pen, 1.0));
        }
    }

    /// Draws a line with round ends, `pen` pixels wide, of this strength.
    fn line(&mut self, from: Point, to: Point, pen: f32, strength: f32) {
        let side = self.side as f32;
        // Thinner than a pixel is fainter.
        let (radius, strength) = (pen.max(1.0) / 2.0, strength * pen.min(1.0));
        let bounds = |k: usize| {
            let (low, high) = (from[k].min(to[k]) - radius - 1.0, from[k].max(to[k]) + radius + 1.0);
            low.clamp(0.0, side) as usize..high.clamp(0.0, side).ceil() as usize
        };
        let along = [to[0] - from[0], to[1] - from[1]];
        let length = (along[0] * along[0] + along[1] * along[1]).max(1e-9);
        for row in bounds(1) {
            for column in bounds(0) {
                let (x, y) = (column as f32 + 0.5 - from[0], row as f32 + 0.5 - from[1]);
                let t = ((x * along[0] + y * along[1]) / length).clamp(0.0, 1.0);
                let distance = (x - t * along[0]).hypot(y - t * along[1]);
                let value = &mut self.values[row * self.side + column];
                *value = value.max(strength * (radius + 0.5 - distance).clamp(0.0, 1.0));
            }
        }
    }
}

/// A kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Nothing but the digit on even paper, with a little noise.
    Clean,
    /// Light on dark.
    Chalk,
    FrameAtEdge,
    FrameInset,
    RoundedBox,
    Ruled,
    Squared,
    /// A bar with buttons at one of the four sides.
    Toolbar,
    /// The paper ends on a dark desk.
    Desk,
    /// The shadow of a hand, and less light in one corner.
    Shadow,
    /// A pen so fat that the digit fills the picture.
    Marker,
    /// A line about one pixel wide.
    Hair,
    /// The digit touches the edge of the picture.
    AtEdge,
    /// Parts of other digits at the left or right edge.
    Neighbours,
    /// Two digits of like size: no answer is right.
    Two,
}

impl Scene {
    pub const ALL: [Self; 15] = [
        Self::Clean,
        Self::Chalk,
        Self::FrameAtEdge,
        Self::FrameInset,
        Self::RoundedBox,
        Self::Ruled,
        Self::Squared,
        Self::Toolbar,
        Self::Desk,
        Self::Shadow,
        Self::Marker,
        Self::Hair,
        Self::AtEdge,
        Self::Neighbours,
        Self::Two,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Chalk => "light on dark",
            Self::FrameAtEdge => "frame at the edge",
            Self::FrameInset => "frame inset",
            Self::RoundedBox => "box with round corners",
            Self::Ruled => "ruled paper",
            Self::Squared => "squared paper",
            Self::Toolbar => "toolbar at a side",
            Self::Desk => "desk at a side",
            Self::Shadow => "shadow",
            Self::Marker => "fat marker",
            Self::Hair => "hair-thin pen",
            Self::AtEdge => "digit at the edge",
            Self::Neighbours => "parts of neighbours",
            Self::Two => "two digits",
        }
    }
}

/// What varies between the pictures of one scene.
#[derive(Debug, Clone, Copy)]
pub struct Shot {
    pub digit: usize,
    /// Below [`NUM_HANDS`].
    pub hand: usize,
    /// Height and width of the picture in pixels.
    pub side: usize,
    /// Degrees clockwise by which the digit is tilted. Lines on the paper have a sixth of it.
    pub tilt: f32,
    pub seed: u64,
}

impl Shot {
    /// Each of the ten digits in each of the ten hands, at sides and tilts in turn.
    pub fn all(sides: &[usize], tilts: &[f32], seed: u64) -> Vec<Self> {
        let shot = |index: usize| Self {
            digit: index % 10,
            hand: index / 10,
            side: sides[(index + index / 10) % sides.len()],
            tilt: tilts[(index / 10 + index / 3) % tilts.len()],
            seed: seed.wrapping_mul(1000) + index as u64,
        };
        (0..10 * NUM_HANDS).map(shot).collect()
    }

    /// Draws the picture.
    pub fn draw(self, scene: Scene) -> Picture {
        let Self { digit, hand, side, tilt, seed } = self;
        let random = &mut Random::new(seed * 31 + scene as u64);
        let length = side as f32;
        let mut ink = Ink::new(side);
        let mut lines = Ink::new(side);
        let (height, pen) = match scene {
            Scene::Marker => (length * 0.68, length * random.between(0.13, 0.19)),
            Scene::Hair => (length * random.between(0.5, 0.8), random.between(0.9, 1.3)),
            Scene::Two | Scene::Neighbours => (length * 0.45, length * random.between(0.03, 0.05)),
            _ => {
                let height = length * random.between(0.42, 0.58);
                (height, (height * random.between(0.07, 0.12)).max(1.3))
            }
        };
        let written = Written::new(digit, hand, height, tilt, random);
        let middle = written.size().map(|size| (length - size) / 2.0);
        let free = |random: &mut Random| {
            let by = [0, 1].map(|_| random.between(-0.05, 0.05) * length);
            [middle[0] + by[0], middle[1] + by[1]]
        };
        let paper_tilt = tilt / 6.0;
        let to = match scene {
            Scene::Marker => middle,
            Scene::AtEdge => {
                let far = written.size().map(|size| length - size - pen / 2.0);
                match random.below(4) {
                    0 => [pen / 2.0, middle[1]],
                    1 => [middle[0], pen / 2.0],
                    2 => [far[0], middle[1]],
                    _ => [middle[0], far[1]],
                }
            }
            Scene::Two => [length * 0.28 - written.size()[0] / 2.0, middle[1]],
            _ => free(random),
        };
        ink.write(&written.moved(to), pen);
        match scene {
            Scene::Two => {
                let other = Written::new(random.below(10), hand, height, tilt, random);
                let to = [length * 0.72 - other.size()[0] / 2.0, middle[1]];
                ink.write(&other.moved(to), pen);
            }
            Scene::Neighbours => {
                for is_right in [false, true] {
                    let other = Written::new(random.below(10), hand, height, tilt, random);
                    let width = other.size()[0];
                    let seen = (width * random.between(0.15, 0.4)).min(length * 0.09);
                    let to = [if is_right { length - seen } else { seen - width }, middle[1]];
                    ink.write(&other.moved(to), pen);
                }
            }
            Scene::FrameAtEdge => frame(&mut lines, 0.0, length * random.between(0.03, 0.08), 0.0, 0.0),
            Scene::FrameInset => {
                let (inset, pen) = (random.between(0.02, 0.13), random.between(0.012, 0.035));
                frame(&mut lines, length * inset, (length * pen).max(1.0), paper_tilt, 0.0);
            }
            Scene::RoundedBox => {
                let (inset, pen) = (random.between(0.02, 0.12), random.between(0.012, 0.035));
                let corner = random.between(0.08, 0.25);
                frame(&mut lines, length * inset, (length * pen).max(1.0), paper_tilt, length * corner);
            }
            Scene::Ruled | Scene::Squared => {
                let distance = length * random.between(0.11, 0.22);
                let pen = (length * random.between(0.006, 0.014)).max(1.0);
                let first = random.between(0.0, distance);
                rule(&mut lines, distance, first, pen, paper_tilt, false);
                if scene == Scene::Squared {
                    rule(&mut lines, distance, random.between(0.0, distance), pen, paper_tilt, true);
                }
            }
            _ => {}
        }
        expose(scene, &ink, &lines, random)
    }
}

/// Draws a rectangle `inset` pixels from the edge, with corners of this radius.
fn frame(lines: &mut Ink, inset: f32, pen: f32, tilt: f32, corner: f32) {
    let side = lines.side as f32;
    let (sin, cos) = tilt.to_radians().sin_cos();
    let half = side / 2.0 - inset - pen / 2.0;
    let corner = corner.min(half);
    let place = |[x, y]: Point| [side / 2.0 + x * cos - y * sin, side / 2.0 + x * sin + y * cos];
    let mut points = Vec::new();
    for quarter in 0..4 {
        for step in 0..=6 {
            let angle = (quarter as f32 + step as f32 / 6.0) * std::f32::consts::FRAC_PI_2;
            let sign = |value: f32| if value > 0.0 { half - corner } else { corner - half };
            let middle = (quarter as f32 + 0.5) * std::f32::consts::FRAC_PI_2;
            points.push(place([
                sign(middle.cos()) + corner * angle.cos(),
                sign(middle.sin()) + corner * angle.sin(),
            ]));
        }
    }
    points.push(points[0]);
    points.windows(2).for_each(|ends| lines.line(ends[0], ends[1], pen, 1.0));
}

/// Draws parallel lines through the whole picture.
fn rule(lines: &mut Ink, distance: f32, first: f32, pen: f32, tilt: f32, is_upright: bool) {
    let side = lines.side as f32;
    let rise = tilt.to_radians().tan() * side;
    let mut at = first - side;
    while at < 2.0 * side {
        let (from, to) = match is_upright {
            false => ([0.0, at], [side, at + rise]),
            true => ([at, 0.0], [at - rise, side]),
        };
        lines.line(from, to, pen, 1.0);
        at += distance;
    }
}

/// Turns ink and lines into the greys of a photograph or a screen.
fn expose(scene: Scene, ink: &Ink, lines: &Ink, random: &mut Random) -> Picture {
    let side = ink.side;
    let length = side as f32;
    let (paper, black) = (random.between(215.0, 252.0), random.between(15.0, 70.0));
    let line_grey = match scene {
        Scene::Ruled | Scene::Squared => random.between(140.0, 195.0),
        _ => random.between(20.0, 110.0),
    };
    let (edge, slope) = (random.between(0.08, 0.2) * length, random.between(-0.08, 0.08));
    let at_side = random.below(4);
    let desk = random.between(50.0, 110.0);
    let bar = random.between(40.0, 130.0);
    let noise =
        if matches!(scene, Scene::Toolbar | Scene::FrameAtEdge) { 0.0 } else { random.between(1.0, 4.0) };
    let shadow = random.between(0.5, 0.75);
    let shadow_at = random.between(0.25, 0.6);
    let pixel = |index: usize, random: &mut Random| {
        let (row, column) = ((index / side) as f32, (index % side) as f32);
        let mut grey = paper + (line_grey - paper) * lines.values[index];
        grey += (black - grey) * ink.values[index];
        let (depth, along) = match at_side {
            0 => (row, column),
            1 => (column, row),
            2 => (length - 1.0 - row, column),
            _ => (length - 1.0 - column, row),
        };
        if scene == Scene::Toolbar && depth < edge {
            let is_button =
                (depth / edge - 0.5).abs() < 0.25 && (along / edge).fract() < 0.5 && along < length * 0.7;
            grey = if is_button { 230.0 } else { bar };
        }
        if scene == Scene::Desk && depth < edge + slope * along {
            grey = desk + random.between(-12.0, 12.0);
        }
        if scene == Scene::Shadow {
            let soft = ((column / length - shadow_at + (row / length - 0.5) * 0.4) / 0.06).clamp(-1.0, 1.0);
            let light = 1.0 - (1.0 - shadow) * (0.5 - 0.5 * soft);
            grey *= light * (1.0 - 0.25 * (row / length).powi(2));
        }
        let grey = if scene == Scene::Chalk { 255.0 - grey } else { grey };
        (grey + random.between(-noise, noise)).round().clamp(0.0, 255.0) as u8
    };
    let pixels = (0..side * side).map(|index| pixel(index, random)).collect();
    Picture { height: side, width: side, pixels }
}

/// A kind of sheet with many digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetKind {
    /// Rows on even paper, which are tilted.
    Rows,
    Ruled,
    Squared,
    /// A photograph with a shadow over half of it.
    Shadow,
    /// A table of cells, some of which are empty.
    Table,
}

impl SheetKind {
    pub const ALL: [Self; 5] = [Self::Rows, Self::Ruled, Self::Squared, Self::Shadow, Self::Table];
}

/// Draws a sheet of `rows` × `rows` digits on `side` × `side` pixels. Returns the picture and the
/// digits in reading order.
pub fn draw_sheet(kind: SheetKind, rows: usize, side: usize, tilt: f32, seed: u64) -> (Picture, Vec<usize>) {
    let random = &mut Random::new(seed * 77 + kind as u64);
    let (mut ink, mut lines) = (Ink::new(side), Ink::new(side));
    let (length, cell) = (side as f32, side as f32 / (rows as f32 + 1.0));
    let (sin, cos) = tilt.to_radians().sin_cos();
    let turn = |[x, y]: Point| {
        let (x, y) = (x - length / 2.0, y - length / 2.0);
        [length / 2.0 + x * cos - y * sin, length / 2.0 + x * sin + y * cos]
    };
    let mut digits = Vec::new();
    for row in 0..rows {
        for column in 0..rows {
            let [digit, hand] = [random.below(10), random.below(NUM_HANDS)];
            let height = cell * random.between(0.5, 0.6);
            let written = Written::new(digit, hand, height, tilt, random);
            let middle = turn([cell * (column as f32 + 1.0), cell * (row as f32 + 1.0)]);
            if kind == SheetKind::Table && random.below(3) == 0 {
                continue;
            }
            let to = [0, 1].map(|k| middle[k] - written.size()[k] / 2.0 + random.between(-0.04, 0.04) * cell);
            ink.write(&written.moved(to), (height * random.between(0.08, 0.12)).max(1.5));
            digits.push(digit);
        }
    }
    let pen = (length * 0.002).max(1.0);
    if kind == SheetKind::Table {
        for step in 0..=rows {
            let at = cell * (step as f32 + 0.5);
            let (start, end) = (cell / 2.0, length - cell / 2.0);
            lines.line(turn([start, at]), turn([end, at]), pen * 1.5, 1.0);
            lines.line(turn([at, start]), turn([at, end]), pen * 1.5, 1.0);
        }
    }
    if matches!(kind, SheetKind::Ruled | SheetKind::Squared) {
        rule(&mut lines, cell / 2.0, cell * 0.3, pen, tilt, false);
        if kind == SheetKind::Squared {
            rule(&mut lines, cell / 2.0, cell * 0.2, pen, tilt, true);
        }
    }
    let scene = match kind {
        SheetKind::Rows => Scene::Clean,
        SheetKind::Ruled => Scene::Ruled,
        SheetKind::Squared => Scene::Squared,
        SheetKind::Shadow => Scene::Shadow,
        SheetKind::Table => Scene::FrameInset,
    };
    (expose(scene, &ink, &lines, random), digits)
}

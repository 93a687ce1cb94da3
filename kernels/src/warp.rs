//! Owns the movement of an image's pixels: shift, rotation, scale and shear as one affine map, plus
//! displacements, with bilinear interpolation. Depends on `elastic`. Must not know random numbers.

use std::ops::Range;

use crate::elastic::Field;

/// Adding this number to a number from 0 to 2²² rounds it to a whole number, which is then in the low
/// bits of the sum. It is 1.5 · 2²³.
const ROUNDING: f32 = 12_582_912.0;

/// Affine change of an image around its middle. A pixel at the offset (x, y) from the middle, x to the
/// right and y downwards, moves to R(rotation) · S(shear) · diag(scale) · (x, y) + shift, where R turns
/// clockwise and S adds tan(shear) · y to x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Shift to the right and downwards, in pixels.
    pub shift: [f64; 2],
    /// Rotation clockwise, in degrees.
    pub rotation: f64,
    /// Factors of width and height, above 0.
    pub scale: [f64; 2],
    /// Shear, in degrees.
    pub shear: f64,
}

impl Affine {
    /// Matrix, row by row, that takes the offset of a pixel to its offset in the changed image, before
    /// the shift.
    fn forward(&self) -> [[f64; 2]; 2] {
        let (sin, cos) = self.rotation.to_radians().sin_cos();
        let tan = self.shear.to_radians().tan();
        let [x, y] = self.scale;
        [[x * cos, y * (tan * cos - sin)], [x * sin, y * (tan * sin + cos)]]
    }

    /// Inverse of [`Affine::forward`].
    fn inverse(&self) -> [[f64; 2]; 2] {
        let [[xx, xy], [yx, yy]] = self.forward();
        // The rotation and the shear keep areas.
        let determinant = self.scale[0] * self.scale[1];
        [[yy, -xy], [-yx, xx]].map(|row| row.map(|value| value / determinant))
    }
}

/// Image that is being warped, and the memory for it.
#[derive(Debug, Default)]
pub struct Warp {
    /// For each pixel the four that are interpolated, as bytes from low to high: itself, the one to
    /// the right, the one below, the one below to the right.
    quads: Vec<u32>,
    /// Places in the original image of the pixels of one row.
    columns: Vec<f32>,
    rows: Vec<f32>,
    /// The four pixels around each of these places.
    found: Vec<u32>,
}

impl Warp {
    /// Fills `out` with the changed image. Each of its pixels is read from `image` at the place from
    /// which `affine` moves a pixel there, plus the displacement of `fields` (columns, rows) if there
    /// are any. Outside the image, the nearest pixel of its border counts. Height and width must be below
    /// 2²².
    pub fn run(
        &mut self,
        image: &[u8],
        size: [usize; 2],
        affine: &Affine,
        fields: Option<&[Field; 2]>,
        out: &mut [u8],
    ) {
        let [height, width] = size;
        self.fill_quads(image, size);
        let [[xx, xy], [yx, yy]] = affine.inverse();
        let [shift_x, shift_y] = affine.shift;
        let (centre_x, centre_y) = centre(size);
        out.fill(0);
        let [rows, columns] = changed_area(image, size, affine, fields);
        for row in rows {
            let (x, y) = (columns.start as f64 - centre_x - shift_x, row as f64 - centre_y - shift_y);
            let start = [centre_x + xx * x + xy * y, centre_y + yx * x + yy * y].map(|value| value as f32);
            fill_places(&mut self.columns, columns.len(), start[0], xx as f32);
            fill_places(&mut self.rows, columns.len(), start[1], yx as f32);
            if let Some([across, down]) = fields {
                displace(&mut self.columns, &across.row(row)[columns.clone()]);
                displace(&mut self.rows, &down.row(row)[columns.clone()]);
            }
            let line = &mut out[row * width..][columns.clone()];
            self.interpolate([height, width], line);
        }
    }

    /// Fills in the four pixels around each place. Beyond the last row and column, the last one is
    /// repeated.
    fn fill_quads(&mut self, image: &[u8], [height, width]: [usize; 2]) {
        self.quads.clear();
        self.quads.reserve(image.len());
        for row in 0..height {
            let above = &image[row * width..][..width];
            let below = &image[(row + 1).min(height - 1) * width..][..width];
            let quad = |[a, b, c, d]: [u8; 4]| u32::from_le_bytes([a, b, c, d]);
            let pairs = above.windows(2).zip(below.windows(2));
            self.quads.extend(pairs.map(|(a, b)| quad([a[0], a[1], b[0], b[1]])));
            let (a, b) = (above[width - 1], below[width - 1]);
            self.quads.push(quad([a, a, b, b]));
        }
    }

    /// Interpolates the image at the places of one row.
    fn interpolate(&mut self, [height, width]: [usize; 2], line: &mut [u8]) {
        let Self { quads, columns, rows, found } = self;
        clamp(columns, (width - 1) as f32);
        clamp(rows, (height - 1) as f32);
        found.clear();
        found.extend(columns.iter().zip(&*rows).map(|(&column, &row)| {
            let (left, top) = (whole_below(column).to_bits(), whole_below(row).to_bits());
            let at = |bits: u32| (bits - ROUNDING.to_bits()) as usize;
            quads[at(top) * width + at(left)]
        }));
        for ((out, &quad), (&column, &row)) in line.iter_mut().zip(&*found).zip(columns.iter().zip(&*rows)) {
            let byte = |place: u32| (quad >> (8 * place) & 255) as i32 as f32;
            let across = column - (whole_below(column) - ROUNDING);
            let down = row - (whole_below(row) - ROUNDING);
            let above = byte(0) + across * (byte(1) - byte(0));
            let below = byte(2) + across * (byte(3) - byte(2));
            *out = (above + down * (below - above) + ROUNDING).to_bits() as u8;
        }
    }
}

/// The largest whole number that is not above `place`, or one less if it is `place` itself, plus
/// [`ROUNDING`]. Interpolation between it and the next whole number gives the same value in both cases.
fn whole_below(place: f32) -> f32 {
    ((place - 0.5).max(0.0)) + ROUNDING
}

/// Fills in `count` places from `start` in equal steps.
fn fill_places(places: &mut Vec<f32>, count: usize, start: f32, step: f32) {
    places.clear();
    places.extend((0..count as i32).map(|index| start + step * index as f32));
}

/// Adds displacements to places.
fn displace(places: &mut [f32], by: &[f32]) {
    places.iter_mut().zip(by).for_each(|(place, by)| *place += by);
}

/// Moves places outside the image to its border.
fn clamp(places: &mut [f32], last: f32) {
    places.iter_mut().for_each(|place| *place = place.max(0.0).min(last));
}

/// Middle of an image: column and row.
fn centre([height, width]: [usize; 2]) -> (f64, f64) {
    ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0)
}

/// Rows and columns outside of which the changed image is 0. Most pixels of an image of a digit are 0,
/// and need no computation.
fn changed_area(
    image: &[u8],
    size: [usize; 2],
    affine: &Affine,
    fields: Option<&[Field; 2]>,
) -> [Range<usize>; 2] {
    let [height, width] = size;
    let Some([rows, columns]) = ink_area(image, size) else { return [0..0, 0..0] };
    // Beyond the border of the image, its pixels are repeated without end.
    let grown = |range: Range<usize>, side: usize, by: f32| {
        let by = f64::from(by) + 1.0;
        let low = if range.start == 0 { f64::NEG_INFINITY } else { range.start as f64 - by };
        let high = if range.end == side { f64::INFINITY } else { range.end as f64 - 1.0 + by };
        [low, high]
    };
    let [across, down] = fields.map_or([0.0; 2], |fields| [fields[0].largest(), fields[1].largest()]);
    let (ys, xs) = (grown(rows, height, down), grown(columns, width, across));
    if [ys, xs].iter().flatten().any(|end| end.is_infinite()) {
        return [0..height, 0..width];
    }
    let [[xx, xy], [yx, yy]] = affine.forward();
    let (centre_x, centre_y) = centre(size);
    // The corners of the area move to the corners of a parallelogram around the changed ink.
    let ends = |by_x: f64, by_y: f64, middle: f64, side: usize| {
        let corners = xs.map(|x| ys.map(|y| by_x * (x - centre_x) + by_y * (y - centre_y) + middle));
        let low = corners.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let high = corners.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let limit = |value: f64| value.clamp(0.0, side as f64) as usize;
        limit(low.floor())..limit(high.ceil() + 1.0)
    };
    [ends(yx, yy, centre_y + affine.shift[1], height), ends(xx, xy, centre_x + affine.shift[0], width)]
}

/// Smallest area, in rows and columns, with all pixels above 0. None if there are none.
fn ink_area(image: &[u8], [height, width]: [usize; 2]) -> Option<[Range<usize>; 2]> {
    let has_ink = |row: &usize| image[row * width..][..width].iter().any(|&pixel| pixel > 0);
    let (first, last) = ((0..height).find(has_ink)?, (0..height).rfind(has_ink)?);
    let mut ends = [width, 0];
    for row in image[first * width..(last + 1) * width].chunks_exact(width) {
        if let Some(left) = row.iter().position(|&pixel| pixel > 0) {
            let right = row.iter().rposition(|&pixel| pixel > 0).unwrap_or(left);
            ends = [ends[0].min(left), ends[1].max(right + 1)];
        }
    }
    Some([first..last + 1, ends[0]..ends[1]])
}

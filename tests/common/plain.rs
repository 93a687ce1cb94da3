//! The preparation that most examples on the web use, to compare with smallnet's: invert, threshold
//! (Otsu 1979), crop to the ink, resize to 20 pixels, place in the middle of 28×28.
//! Must not know smallnet.
#![allow(dead_code, unreachable_pub)]

use image::GrayImage;
use image::imageops::{FilterType, crop_imm, overlay, resize};

use super::digits::Picture;

/// Prepares the picture: 28×28 bytes, 0 is background. All are 0 if there is no ink.
pub fn crop_and_resize(picture: &Picture) -> Vec<u8> {
    let sum: f64 = picture.pixels.iter().map(|&grey| f64::from(grey)).sum();
    let is_light = sum / picture.pixels.len() as f64 > 127.0;
    let ink: Vec<u8> = picture.pixels.iter().map(|&grey| if is_light { 255 - grey } else { grey }).collect();
    let threshold = otsu(&ink);
    let places = || (0..ink.len()).filter(|&index| ink[index] > threshold);
    let (rows, columns) =
        (|| places().map(|at| at / picture.width), || places().map(|at| at % picture.width));
    let mut image = GrayImage::new(28, 28);
    let (Some(top), Some(bottom), Some(left), Some(right)) =
        (rows().min(), rows().max(), columns().min(), columns().max())
    else {
        return image.into_raw();
    };
    let clear = ink.iter().map(|&ink| if ink > threshold { ink } else { 0 }).collect();
    let clear = GrayImage::from_raw(picture.width as u32, picture.height as u32, clear).unwrap_or_default();
    let (height, width) = (bottom - top + 1, right - left + 1);
    let digit = crop_imm(&clear, left as u32, top as u32, width as u32, height as u32).to_image();
    let scaled = |side: usize| ((20 * side) as f64 / height.max(width) as f64).round().max(1.0) as u32;
    let digit = resize(&digit, scaled(width), scaled(height), FilterType::Triangle);
    let (left, top) = ((28 - digit.width()) / 2, (28 - digit.height()) / 2);
    overlay(&mut image, &digit, left.into(), top.into());
    image.into_raw()
}

/// The threshold with the largest variance between what lies below and what lies above it.
fn otsu(values: &[u8]) -> u8 {
    let mut counts = [0.0f64; 256];
    values.iter().for_each(|&value| counts[usize::from(value)] += 1.0);
    let total = values.len() as f64;
    let sum: f64 = counts.iter().enumerate().map(|(value, count)| value as f64 * count).sum();
    let (mut below, mut sum_below, mut best) = (0.0, 0.0, (0.0, 0));
    for (value, &count) in counts.iter().enumerate() {
        below += count;
        sum_below += value as f64 * count;
        if below > 0.0 && below < total {
            let difference = sum_below / below - (sum - sum_below) / (total - below);
            let variance = below * (total - below) * difference * difference;
            if variance > best.0 {
                best = (variance, value as u8);
            }
        }
    }
    best.1
}

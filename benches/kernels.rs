//! What each product and each pass of a training step costs on one thread, as tables: microseconds, GFLOP/s or
//! GB/s, and the share of the most that this processor does.
//!
//! `cargo bench --bench kernels`, or within `cargo bench -p smallnet-benches --bench parts`. docs/kernels.md has
//! tables of it.
#![allow(missing_docs, clippy::unwrap_used)]

use smallnet::data::{Source, Split, Subset};
use smallnet::engine::{PartTime, StepProfile, profile_step};

/// Networks and numbers of images.
const STEPS: [(&[usize], usize); 4] =
    [(&[784, 10], 64), (&[784, 512, 256, 10], 64), (&[784, 512, 256, 10], 128), (&[784, 2048, 1024, 10], 64)];

/// Prints a table per network.
pub fn tables() {
    let split = Split::whole(Source::mnist().load(Subset::Train).unwrap());
    for (sizes, num_images) in STEPS {
        let images: Vec<_> = (0..num_images).map(|index| split.pixels(index * 97)).collect();
        let StepProfile { peak_gflops, parts } = profile_step(&images, sizes);
        let network: Vec<String> = sizes.iter().map(usize::to_string).collect();
        println!("\n{}, {num_images} images, one thread, peak {peak_gflops:.0} GFLOP/s\n", network.join("-"));
        println!("| part | µs | rate | of the peak |\n|---|---:|---:|---:|");
        for PartTime { name, microseconds, flops, bytes } in parts {
            let (rate, share) = match flops > 0.0 {
                true => {
                    let rate = flops / microseconds / 1e3;
                    (format!("{rate:.0} GFLOP/s"), format!("{:.0} %", 100.0 * rate / peak_gflops))
                }
                false => (format!("{:.0} GB/s", bytes / microseconds / 1e3), String::new()),
            };
            println!("| {name} | {microseconds:.1} | {rate} | {share} |");
        }
    }
}

#[allow(dead_code)]
fn main() {
    tables();
}

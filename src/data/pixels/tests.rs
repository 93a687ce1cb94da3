use super::*;
use crate::data::{Source, Subset};

/// The form in which a split keeps images of `image_len` pixels.
fn kept(bytes: Vec<u8>, image_len: usize) -> Pixels {
    Pixels::Bytes(bytes).without_background(image_len)
}

/// By hand: of 10 pixels, block 0 is background, block 1 has one pixel that is not, and block 2 has two
/// pixels, the last ones of the image.
#[test]
fn an_image_is_its_blocks_without_background() {
    let bytes = [0, 0, 0, 0, 0, 7, 0, 0, 0, 9];
    let stored = kept([bytes, [0; 10]].concat(), 10);
    let ImagePixels::Blocks { numbers, blocks, len } = stored.image(0, 10) else { panic!("bytes") };
    assert_eq!((numbers, blocks, len), (&[1, 2][..], &[[0, 7, 0, 0], [0, 9, 0, 0]][..], 10));
    assert_eq!(*stored.image(0, 10).to_bytes(), bytes);
    assert_eq!(*stored.image(1, 10).to_bytes(), [0; 10]);
    // The new values come after those that were there.
    let mut values = vec![0.5];
    stored.image(0, 10).append_normalized(&mut values);
    assert_eq!(values, [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0 / 255.0, 0.0, 0.0, 0.0, 9.0 / 255.0]);
}

/// All of MNIST's images come back, those at the edges of pieces too, and need less memory.
#[test]
fn the_digits_are_kept_in_blocks() {
    let Pixels::Blocks(digits) = Source::mnist().load(Subset::Train).unwrap().pixels else { panic!("bytes") };
    let bytes = digits.to_bytes().unwrap();
    assert_eq!((digits.num_pixels(), bytes.len()), (47_040_000, 47_040_000));
    let Pixels::Blocks(blocks) = kept(bytes.clone(), 784) else { panic!("bytes") };
    assert_eq!(blocks.pieces.len(), 60_000_usize.div_ceil(PIECE));
    let num_bytes: usize = blocks.pieces.iter().map(|piece| piece.numbers.len() + piece.blocks.len()).sum();
    assert!(num_bytes * 5 < bytes.len() * 2, "{num_bytes}");
    for (index, image) in bytes.chunks_exact(784).enumerate() {
        assert_eq!(*blocks.image(index).to_bytes(), *image, "image {index}");
        assert_eq!(*digits.image(index).to_bytes(), *image, "image {index}");
    }
}

/// Images without background, images whose blocks have no number in a byte, and images of no pixels.
#[test]
fn other_images_are_kept_as_bytes() {
    for (bytes, image_len) in [(vec![1; 784], 784), (vec![0; 1025], 1025), (vec![0, 0, 0, 1], 1), (vec![], 0)]
    {
        let stored = kept(bytes.clone(), image_len);
        let Pixels::Bytes(kept) = &stored else { panic!("blocks of {image_len} pixels") };
        assert_eq!(*kept, bytes);
    }
    let largest = kept(vec![0; 1024], 1024);
    assert_eq!(*largest.image(0, 1024).to_bytes(), [0; 1024]);
    // The last image has no background: all 256 blocks.
    let stored = kept([vec![0; 3 * 1024], vec![5; 1024]].concat(), 1024);
    let ImagePixels::Blocks { numbers, .. } = stored.image(3, 1024) else { panic!("bytes") };
    assert_eq!(numbers, (0..=255).collect::<Vec<u8>>());
    assert_eq!(*stored.image(3, 1024).to_bytes(), [5; 1024]);
}

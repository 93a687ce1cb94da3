//! Owns loads and stores of vectors at the end of a row, and the multiplications of a tile. Depends on
//! pulp. Must not know layers.

use pulp::Simd;

/// Adds an outer product: `sums[r] += values[r] · vectors`.
#[inline(always)]
pub(super) fn fma_tile<S: Simd, const R: usize, const U: usize>(
    simd: S,
    values: [&f32; R],
    vectors: &[S::f32s; U],
    sums: &mut [[S::f32s; U]; R],
) {
    for (value, sums) in values.into_iter().zip(sums) {
        let value = simd.splat_f32s(*value);
        for (sum, &vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(value, vector, *sum);
        }
    }
}

/// Returns `sums + Σᵢ values[i] · vectors[i]`.
#[inline(always)]
pub(super) fn fma_rows<S: Simd, const I: usize, const U: usize>(
    simd: S,
    mut sums: [S::f32s; U],
    values: &[f32; I],
    vectors: &[[S::f32s; U]; I],
) -> [S::f32s; U] {
    for (value, vectors) in values.iter().zip(vectors) {
        let value = simd.splat_f32s(*value);
        for (sum, &vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(value, vector, *sum);
        }
    }
    sums
}

/// Loads `slice` as `U` vectors. It must hold at least so many numbers.
#[inline(always)]
pub(super) fn load<S: Simd, const U: usize>(slice: &[f32]) -> [S::f32s; U] {
    let vectors = &S::as_simd_f32s(slice).0[..U];
    std::array::from_fn(|u| vectors[u])
}

/// Loads the numbers of `slice` as `U` vectors, with zeros at the end if they are fewer.
#[inline(always)]
pub(super) fn load_padded<S: Simd, const U: usize>(simd: S, slice: &[f32]) -> [S::f32s; U] {
    if slice.len() >= U * S::F32_LANES {
        return load::<S, U>(slice);
    }
    std::array::from_fn(|u| {
        let rest = &slice[(u * S::F32_LANES).min(slice.len())..];
        simd.partial_load_f32s(&rest[..rest.len().min(S::F32_LANES)])
    })
}

/// Loads `U` vectors from `start` on, of a row that ends at `end`. If the vectors go beyond the end,
/// the rest is arbitrary: the next row's numbers, or zeros at the end of the matrix. Loading a whole
/// vector is faster than loading a part of one.
#[inline(always)]
pub(super) fn load_beyond<S: Simd, const U: usize>(
    simd: S,
    matrix: &[f32],
    start: usize,
    end: usize,
) -> [S::f32s; U] {
    match matrix.get(start..start + U * S::F32_LANES) {
        Some(whole) => load::<S, U>(whole),
        None => load_padded::<S, U>(simd, &matrix[start..end]),
    }
}

/// Views numbers as rows of `U` vectors.
#[inline(always)]
pub(super) fn tiles<S: Simd, const U: usize>(numbers: &mut [f32]) -> &mut [[S::f32s; U]] {
    S::as_mut_simd_f32s(numbers).0.as_chunks_mut().0
}

/// Stores the first numbers of `U` vectors, as many as `slice` has.
#[inline(always)]
pub(super) fn store<S: Simd, const U: usize>(simd: S, vectors: &[S::f32s; U], slice: &mut [f32]) {
    if slice.len() == U * S::F32_LANES {
        S::as_mut_simd_f32s(slice).0.copy_from_slice(vectors);
        return;
    }
    for (slice, &vector) in slice.chunks_mut(S::F32_LANES).zip(vectors) {
        simd.partial_store_f32s(slice, vector);
    }
}

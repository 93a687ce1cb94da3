"""Augmented images as SciPy computes them, for the unit tests of src/data/augmentation.

    python3 -m venv /tmp/venv-ref
    /tmp/venv-ref/bin/pip install numpy==2.4.6 scipy==1.17.1
    /tmp/venv-ref/bin/python -P tests/reference/augmentation.py > tests/reference/augmentation.json

SciPy does the computation: affine maps and displacements with ndimage.map_coordinates, the smoothing of an
elastic distortion with ndimage.gaussian_filter, the thickness of strokes with ndimage.grey_dilation and
grey_erosion. Images and noise come from a linear congruential generator, which the test repeats.
"""

import json

import numpy as np
from scipy import ndimage

# Numerical Recipes' quick generator.
def numbers(seed, count):
    state, out = seed, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        out.append(state >> 16)
    return np.array(out)


def image(seed, height, width):
    """Bytes of a smooth picture with dark background: some blots."""
    field = (numbers(seed, height * width) / 65535.0).reshape(height, width)
    field = ndimage.gaussian_filter(field, 1.5, mode="reflect")
    field = (field - field.min()) / (field.max() - field.min())
    return np.round(np.clip(field * 2 - 0.8, 0, 1) * 255).astype(np.uint8)


def affine_places(height, width, shift, rotation, scale, shear):
    """Where each pixel of the changed image comes from, as (rows, columns)."""
    angle, slant = np.radians(rotation), np.tan(np.radians(shear))
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = rotate @ np.array([[1, slant], [0, 1]]) @ np.diag(scale)  # acts on (x, y)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    offsets = np.stack([columns.ravel(), rows.ravel()]) - centre[:, None] - np.array(shift)[:, None]
    x, y = np.linalg.inv(forward) @ offsets + centre[:, None]
    return y.reshape(height, width), x.reshape(height, width)


def field(noise, height, width, alpha, sigma):
    """Displacements of Simard 2003. The noise is given row by row."""
    uniform = (noise / 32767.5 - 1.0).reshape(height, width)
    return alpha * ndimage.gaussian_filter(uniform, sigma, mode="constant", truncate=3.0)


def warp(pixels, places):
    out = ndimage.map_coordinates(pixels.astype(float), places, order=1, mode="nearest")
    return np.floor(out + 0.5).astype(np.uint8)


def thickness(pixels, amount):
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    change = ndimage.grey_dilation if amount > 0 else ndimage.grey_erosion
    extreme = change(pixels, footprint=cross, mode="nearest").astype(float)
    return np.floor(pixels + abs(amount) * (extreme - pixels) + 0.5).astype(np.uint8)


cases = []
affines = [
    dict(shift=[0.0, 0.0], rotation=0.0, scale=[1.0, 1.0], shear=0.0),
    dict(shift=[2.0, -3.0], rotation=0.0, scale=[1.0, 1.0], shear=0.0),
    dict(shift=[0.5, 0.25], rotation=0.0, scale=[1.0, 1.0], shear=0.0),
    dict(shift=[0.0, 0.0], rotation=15.0, scale=[1.0, 1.0], shear=0.0),
    dict(shift=[0.0, 0.0], rotation=0.0, scale=[1.2, 0.85], shear=0.0),
    dict(shift=[0.0, 0.0], rotation=0.0, scale=[1.0, 1.0], shear=20.0),
    dict(shift=[-1.3, 2.7], rotation=-33.0, scale=[0.8, 1.1], shear=-12.0),
]
sizes = [(28, 28), (9, 14)]
for height, width in sizes:
    pixels = image(7, height, width)
    for affine in affines:
        cases.append(dict(height=height, width=width, **affine, alpha=0.0, sigma=5.0,
                          out=warp(pixels, affine_places(height, width, **affine)).ravel().tolist()))
    for (alpha, sigma), affine in [((34.0, 4.0), affines[0]), ((8.0, 1.0), affines[0]), ((60.0, 6.0), affines[6])]:
        noise = numbers(11, 2 * height * width).reshape(2, -1)
        columns, rows = (field(part, height, width, alpha, sigma) for part in noise)
        y, x = affine_places(height, width, **affine)
        cases.append(dict(height=height, width=width, **affine, alpha=alpha, sigma=sigma,
                          out=warp(pixels, (y + rows, x + columns)).ravel().tolist()))

print(json.dumps(dict(
    images={f"{height}x{width}": image(7, height, width).ravel().tolist() for height, width in sizes},
    cases=cases,
    thickness=[dict(height=height, width=width, amount=amount,
                    out=thickness(image(7, height, width), amount).ravel().tolist())
               for height, width in sizes for amount in (1.0, 0.4, -1.0, -0.25)],
)))

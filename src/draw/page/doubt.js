// The reason for which no training image is like an image (data/check/shape.rs), and whether a picture needs no
// preparation (data/preparation.rs). Both follow the code there.
'use strict';

// Ink, roughness and filled areas of an image of width columns.
function measureShape(pixels, width, polarity) {
  const ink = polarity === 'dark-on-light' ? pixels.map((value) => 255 - value) : pixels;
  const height = ink.length / width;
  const radius = Math.max(Math.floor(Math.min(height, width) / 12), 1);
  let [sum, steps, strong, inside] = [0, 0, 0, 0];
  // Everything around the pixel is ink, as far as the radius.
  const isInside = (row, column) => {
    if (row < radius || column < radius || row + radius >= height || column + radius >= width) return false;
    for (let y = row - radius; y <= row + radius; y++) {
      for (let x = column - radius; x <= column + radius; x++) if (ink[y * width + x] < 128) return false;
    }
    return true;
  };
  ink.forEach((value, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    sum += value;
    if (column + 1 < width) steps += Math.abs(value - ink[index + 1]);
    if (row + 1 < height) steps += Math.abs(value - ink[index + width]);
    if (value >= 128) strong++;
    if (value >= 128 && isInside(row, column)) inside++;
  });
  return [sum / 255 / ink.length, steps / Math.max(sum, 1), inside / Math.max(strong, 1)];
}

// Code of the doubt about an image, or undefined.
function doubtAbout(pixels, width, polarity, shape) {
  if (!shape) return undefined;
  const measures = measureShape(pixels, width, polarity);
  const [ink, roughness, filled] = [shape.ink, shape.roughness, shape.filled].map(([low, high], index) => {
    const margin = 0.1 * (high - low);
    return measures[index] < low - margin ? -1 : Number(measures[index] > high + margin);
  });
  if (ink < 0) return 'little-ink';
  if (roughness > 0) return 'rough';
  if (filled > 0) return 'filled';
  if (ink > 0) return 'much-ink';
  return roughness < 0 ? 'smooth' : undefined;
}

// True if a grey picture of the network's size looks like the training images. It is taken as it is.
function looksLikeTrainingImages(gray, {height, width, preparation, polarity_shares}) {
  const polarity = polarityOf(gray, height, width);
  const [light, dark] = polarity_shares ?? [1, 0];
  const share = {'light-on-dark': light, 'dark-on-light': dark}[polarity] ?? 1 - light - dark;
  return share >= 0.005 && (preparation === 'whole' || isPlacedAsInMnist(gray, height, width, polarity));
}

// True if the ink of an image has the size and the place of a digit of MNIST.
function isPlacedAsInMnist(gray, height, width, polarity) {
  if (polarity === 'undecided') return false;
  const [low, high] = gray.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [255, 0]);
  const values = gray.map((value) => (polarity === 'dark-on-light' ? high - value : value - low));
  const box = boundsOf({height, width, values}, Math.floor((high - low) / 4));
  let [mass, rows, columns] = [0, 0, 0];
  values.forEach((value, index) => {
    mass += value;
    rows += value * Math.floor(index / width);
    columns += value * (index % width);
  });
  const offset = (moment, side) => Math.abs((moment / mass + 0.5) / side - 0.5);
  const longer = Math.max(heightOf(box) / height, widthOf(box) / width);
  return longer >= 13.5 / 28 && longer <= 21.5 / 28
    && offset(rows, height) <= 1.5 / 28 && offset(columns, width) <= 1.5 / 28;
}

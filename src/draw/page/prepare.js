// Turns a grey picture into an image for the network, exactly as `smallnet predict` prepares a PNG file of it.
// The same steps, names and numbers as in src/data/preparation.rs and src/data/preprocess/, where the reasons are:
// change both together. `single` rounds where Rust computes with 32 bits, so that every decision is the same.
// An image is {height, width, values}, row by row.
'use strict';

const single = Math.fround;
const times = (one, other) => single(single(one) * other);
// Rust rounds halves away from zero.
const rounded = (value) => Math.sign(value) * Math.round(Math.abs(value));
const limited = (value, low, high) => Math.min(Math.max(value, low), high);

// Prepares the picture of a drawing. Returns {pixels, doubts}: height * width bytes and the codes of doubts, or
// null if nothing is drawn.
function prepareDrawing(picture, side, settings) {
  return prepareGray(picture, side, side, settings);
}

// Prepares any picture of height * width grey bytes. `settings` are the network's: its image's `height` and
// `width`, the `preparation` (digits or whole) and the `polarity` of the training images. A digit is found in the
// clearest view of `colours` (red, green, blue and alpha bytes) if there are any.
function prepareGray(gray, height, width, settings, colours) {
  if (settings.preparation === 'whole') {
    const found = polarityOf(gray, height, width);
    const wanted = settings.polarity;
    const isOpposite = [found, wanted].sort().join() === 'dark-on-light,light-on-dark';
    const picture = {height, width, values: gray.map((value) => (isOpposite ? 255 - value : value))};
    return {pixels: resizeWhole(picture, settings.height, settings.width), doubts: []};
  }
  const picture = {height, width, values: colours ? clearestGray(colours) : levelsOf(gray)};
  const found = segmentDigit(shrunk(picture, Math.ceil(Math.max(height, width) / 1024)));
  const pixels = found && normalizeDigit(found.ink, settings.height, settings.width);
  if (!pixels) return null;
  const isLight = settings.polarity === 'dark-on-light';
  return {pixels: isLight ? pixels.map((value) => 255 - value) : pixels, doubts: found.doubts};
}

// ---- colours (data/preprocess/colours.rs)

const LUMINANCE = [0.299, 0.587, 0.114];
const CHANNELS = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
// A channel must have this many times the variance of the luminance.
const MIN_GAIN = 4;

// The luminance of grey bytes, as the sum of their red, green and blue.
function levelsOf(gray) {
  const level = Array.from({length: 256}, (_, byte) => viewOf([byte, byte, byte, 255], LUMINANCE, 1)[0]);
  return Float32Array.from(gray, (byte) => level[byte]);
}

// The grey values, 0 to 255, of red, green, blue and alpha bytes, in front of a background from 0 for black to 1.
function viewOf(colours, [red, green, blue], background) {
  const values = new Float32Array(colours.length / 4);
  for (let index = 0, at = 0; index < values.length; index++, at += 4) {
    const alpha = single(colours[at + 3] / 255);
    const part = (weight, byte) => times(weight, times(single(byte / 255), alpha));
    const sum = single(single(part(red, colours[at]) + part(green, colours[at + 1])) + part(blue, colours[at + 2]));
    values[index] = times(255, single(sum + times(single(1 - alpha), background)));
  }
  return values;
}

// The view of a picture in which the ink can be seen: the luminance on white, or on black if that has more contrast,
// or one colour channel if that has much more.
function clearestGray(colours) {
  const [onWhite, onBlack] = [viewOf(colours, LUMINANCE, 1), viewOf(colours, LUMINANCE, 0)];
  const isBlack = variance(onBlack) > variance(onWhite);
  let best = isBlack ? onBlack : onWhite;
  let most = variance(best) * MIN_GAIN;
  for (const channel of CHANNELS) {
    const view = viewOf(colours, channel, isBlack ? 0 : 1);
    const contrast = variance(view);
    if (contrast > most) [most, best] = [contrast, view];
  }
  return best;
}

function variance(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

// Polarity of one image by its border (data/check/appearance.rs). Corners count twice.
function polarityOf(values, height, width) {
  const border = [];
  for (let column = 0; column < width; column++) border.push(values[column], values[(height - 1) * width + column]);
  for (let row = 0; row < height; row++) border.push(values[row * width], values[(row + 1) * width - 1]);
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const quarter = Math.floor((high - low) / 4);
  const isDark = 2 * border.filter((value) => value <= low + quarter).length >= border.length;
  const isLight = 2 * border.filter((value) => value >= high - quarter).length >= border.length;
  return isDark === isLight ? 'undecided' : isDark ? 'light-on-dark' : 'dark-on-light';
}

// Resizes with a triangle filter (data/sources/picture.rs): first the height, then the width.
function resizeWhole(picture, height, width) {
  if (picture.height === height && picture.width === width) return Uint8Array.from(picture.values);
  const resized = transposed(resizeRows(transposed(resizeRows(picture, height)), width));
  return Uint8Array.from(resized.values, (value) => Math.round(limited(value, 0, 255)));
}

function resizeRows(image, height) {
  const {width} = image;
  const result = grayImage(height, width);
  const ratio = single(image.height / height), reach = Math.max(ratio, 1);
  for (let row = 0; row < height; row++) {
    const middle = single((row + 0.5) * ratio);
    const first = limited(Math.floor(single(middle - reach)), 0, image.height - 1);
    const end = limited(Math.ceil(single(middle + reach)), first + 1, image.height);
    const weights = new Float32Array(end - first).map((_, index) => {
      const away = Math.abs(single(single(first + index - single(middle - 0.5)) / reach));
      return away < 1 ? 1 - away : 0;
    });
    const sum = weights.reduce((a, b) => single(a + b), 0);
    for (let column = 0; column < width; column++) {
      let value = 0;
      for (let at = first; at < end; at++) {
        value = single(value + times(image.values[at * width + column], single(weights[at - first] / sum)));
      }
      result.values[row * width + column] = value;
    }
  }
  return result;
}

// ---- gray.rs

function grayImage(height, width) {
  return {height, width, values: new Float32Array(height * width)};
}

function cutOut(image, top, left, height, width) {
  const result = grayImage(height, width);
  for (let row = 0; row < height; row++) {
    const start = (top + row) * image.width + left;
    result.values.set(image.values.subarray(start, start + width), row * width);
  }
  return result;
}

const cutBox = (image, box) => cutOut(image, box.top, box.left, heightOf(box), widthOf(box));

// The smallest box around all values above `least`, or nothing.
function boundsOf({height, width, values}, least) {
  const box = {top: height, bottom: -1, left: width, right: -1};
  for (let row = 0, index = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (values[index++] > least) include(box, row, column);
    }
  }
  return box.bottom < 0 ? null : box;
}

function include(box, row, column) {
  box.top = Math.min(box.top, row);
  box.bottom = Math.max(box.bottom, row);
  box.left = Math.min(box.left, column);
  box.right = Math.max(box.right, column);
}

function padded(image, margin) {
  const result = grayImage(image.height + 2 * margin, image.width + 2 * margin);
  for (let row = 0; row < image.height; row++) {
    const line = image.values.subarray(row * image.width, (row + 1) * image.width);
    result.values.set(line, (row + margin) * result.width + margin);
  }
  return result;
}

function transposed({height, width, values}) {
  const result = grayImage(width, height);
  for (let row = 0, index = 0; row < height; row++) {
    for (let column = 0; column < width; column++) result.values[column * height + row] = values[index++];
  }
  return result;
}

// Means of blocks.
function shrunk(image, block) {
  if (block === 1) return image;
  const {height, width, values} = image;
  const result = grayImage(Math.ceil(height / block), Math.ceil(width / block));
  const counts = new Float32Array(result.values.length);
  for (let row = 0, index = 0; row < height; row++) {
    const start = Math.floor(row / block) * result.width;
    for (let column = 0; column < width; column++) {
      const at = start + ((column / block) | 0);
      result.values[at] += values[index++];
      counts[at]++;
    }
  }
  for (let at = 0; at < counts.length; at++) result.values[at] /= counts[at];
  return result;
}

function borderOf({height, width, values}) {
  const border = [];
  for (let index = 0; index < values.length; index++) {
    // The first and the last row whole, of others the first and the last column.
    border.push(values[index]);
    if (index % width === 0 && index >= width && index < values.length - width) index += Math.max(width - 2, 0);
  }
  return border;
}

function median(values) {
  const sorted = Float32Array.from(values).sort();
  return sorted.length ? sorted[sorted.length >> 1] : 0;
}

// Chamfer distance of each pixel from the nearest one that is above `half`, or, if not `isAbove`, up to it.
function distances({height, width, values}, half, isAbove) {
  const wide = width + 2, diagonal = single(Math.SQRT2);
  const d = new Float32Array((height + 2) * wide).fill(Infinity);
  for (let row = 0, index = 0; row < height; row++) {
    for (let at = (row + 1) * wide + 1, end = at + width; at < end; at++) {
      if (values[index++] > half === isAbove) d[at] = 0;
    }
  }
  for (let row = 1; row <= height; row++) {
    for (let at = row * wide + 1, end = at + width; at < end; at++) {
      if (d[at]) d[at] = Math.min(d[at], Math.min(d[at - wide - 1], d[at - wide + 1]) + diagonal, Math.min(d[at - wide], d[at - 1]) + 1);
    }
  }
  for (let row = height; row > 0; row--) {
    for (let at = row * wide + width, end = at - width; at > end; at--) {
      if (d[at]) d[at] = Math.min(d[at], Math.min(d[at + wide + 1], d[at + wide - 1]) + diagonal, Math.min(d[at + wide], d[at + 1]) + 1);
    }
  }
  return cutOut({height: height + 2, width: wide, values: d}, 1, 1, height, width);
}

// Distances of the ink above `half` from what is around it.
function depths(image, half) {
  const inside = new Float32Array(image.values.length);
  let count = 0;
  for (const value of distances(padded(image, 1), half, false).values) if (value > 0) inside[count++] = value;
  return inside.subarray(0, count);
}

// Mean width of the strokes.
function strokeWidth(image, half) {
  const inside = depths(image, half);
  let sum = 0;
  for (const value of inside) sum += value - 0.5;
  return (4 * sum) / Math.max(inside.length, 1);
}

// Width that nine tenths of the strokes' pixels fit in.
function strokeWidthAbove(image, half) {
  const inside = depths(image, half).sort();
  return inside.length ? single(inside[Math.floor((inside.length * 9) / 10)] - 0.5) / 0.45 : 0;
}

// ---- lighting.rs

function flattenLighting(gray) {
  const small = shrunk(gray, Math.ceil(Math.max(gray.height, gray.width) / 96));
  const level = [median(borderOf(small)), 0, 0, 0, 0, 0];
  const numLevel = numExplained(small, level);
  let surface = level;
  // A curved surface cannot explain more than all pixels.
  if (small.values.length > 1.25 * numLevel && Math.min(small.height, small.width) >= 16) {
    const curved = fitSurface(small, level);
    if (numExplained(small, curved) > 1.25 * numLevel) surface = curved;
  }
  const flat = grayImage(gray.height, gray.width);
  for (let index = 0; index < flat.values.length; index++) {
    const light = surface === level ? level[0] : single(surfaceAt(surface, termsAt(gray, index)));
    flat.values[index] = gray.values[index] - light;
  }
  return flat;
}

function termsAt({height, width}, index) {
  const x = (2 * ((index % width) + 0.5)) / width - 1, y = (2 * (Math.floor(index / width) + 0.5)) / height - 1;
  return [1, x, y, x * x, x * y, y * y];
}

function surfaceAt(surface, terms) {
  return terms.reduce((sum, term, index) => sum + surface[index] * term, 0);
}

function numExplained(image, surface) {
  let count = 0;
  image.values.forEach((value, index) => (count += Math.abs(value - surfaceAt(surface, termsAt(image, index))) < 4));
  return count;
}

function fitSurface(image, surface) {
  for (let round = 0; round < 12; round++) {
    const system = surface.map(() => new Float64Array(7));
    image.values.forEach((value, index) => {
      const terms = termsAt(image, index);
      const weight = 1 / Math.max(Math.abs(value - surfaceAt(surface, terms)), 1);
      for (let row = 0; row < 6; row++) {
        const factor = weight * terms[row];
        for (let column = 0; column < 6; column++) system[row][column] += factor * terms[column];
        system[row][6] += factor * value;
      }
    });
    for (let pivot = 0; pivot < 6; pivot++) {
      const pivotRow = system[pivot].map((value) => value / system[pivot][pivot]);
      system.forEach((row, index) => {
        const factor = index === pivot ? 0 : row[pivot];
        system[index] = row.map((value, column) => value - factor * pivotRow[column]);
      });
      system[pivot] = pivotRow;
    }
    surface = system.map((row) => row[6]);
  }
  return surface;
}

// ---- background.rs

// Returns the picture without its light, with the larger values for ink.
function flatten(gray) {
  const flat = flattenLighting(gray);
  const background = median(borderOf(flat));
  let skew = 0;
  for (const value of flat.values) {
    const away = value - background;
    skew += away * away * away * away * away;
  }
  if (skew < 0) for (let index = 0; index < flat.values.length; index++) flat.values[index] *= -1;
  return flat;
}

// `blocks` is the picture, shrunk by `block`.
function subtractBackground(flat, blocks, block, wantedRadius) {
  const radius = Math.max(Math.round(wantedRadius / block), 1);
  const opened = slide(slide(blocks, radius, -1), radius, 1);
  const background = slide(opened, 1, 1);
  const values = flat.values.slice();
  for (let row = 0, index = 0; row < flat.height; row++) {
    const start = Math.floor(row / block) * background.width;
    for (let column = 0; column < flat.width; column++, index++) {
      values[index] = Math.max(values[index] - background.values[start + ((column / block) | 0)], 0);
    }
  }
  return {...flat, values};
}

// The largest values within `radius` along rows and columns, or the smallest if `sign` is -1.
function slide(image, radius, sign) {
  const best = sign * image.values.reduce((a, b) => Math.max(a, sign * b), -Infinity);
  if (image.values.every((value) => value === best)) return image;
  const alongRows = ({height, width, values}) => {
    const result = grayImage(height, width);
    for (let index = 0; index < values.length; index++) {
      const column = index % width;
      let found = values[index];
      const end = index + Math.min(radius, width - 1 - column);
      for (let at = index - Math.min(radius, column); at <= end && found !== best; at++) {
        if (sign * values[at] > sign * found) found = values[at];
      }
      result.values[index] = found;
    }
    return result;
  };
  return transposed(alongRows(transposed(alongRows(image))));
}

function noiseStd({width, values}) {
  let numEqual = 0;
  for (let index = 1; index < values.length; index++) numEqual += values[index] === values[index - 1];
  // Two in three, with the steps from row to row: the median is 0, without a sort of all steps.
  if (3 * numEqual > 2 * values.length && width > 8) return 0;
  const steps = values.map((value, index) => Math.abs(value - values[index - 1])).filter((_, index) => index % width);
  return single(times(1.4826, median(steps)) / single(Math.SQRT2));
}

// ---- segment.rs

// Returns {ink, doubts} of the digit, or nothing where no ink stands out.
function segmentDigit(gray) {
  const trimmed = trimBorder(gray);
  const select = (picture) => {
    const ink = picture && findInk(picture);
    return ink && selectDigit(ink);
  };
  return select(trimmed) || select(gray);
}

function findInk(gray) {
  const flat = flatten(gray);
  const noise = times(3, noiseStd(gray));
  const radius = Math.max(gray.height, gray.width) * 0.2;
  const block = Math.ceil(Math.max(flat.height, flat.width) / 96), blocks = shrunk(flat, block);
  let difference = subtractBackground(flat, blocks, block, radius), full = fullStrength(difference, noise);
  if (full < 8) return null;
  if (noise > times(0.15, full) && Math.max(gray.height, gray.width) >= 256) return findInk(shrunk(gray, 2));
  if (noise > full) return null;
  let ink = strength(difference, full, noise);
  const smaller = 1.5 * strokeWidthAbove(cutBox(ink, boundsOf(ink, 0)), 0.5) + 1;
  if (2 * smaller < radius) {
    difference = subtractBackground(flat, blocks, block, smaller);
    full = fullStrength(difference, noise);
    if (full >= Math.max(8, noise)) ink = strength(difference, full, noise);
  }
  const whole = {top: 0, bottom: ink.height - 1, left: 0, right: ink.width - 1};
  removeLines(ink, whole);
  const isLarge = (box) => heightOf(box) >= ink.height / 2 || widthOf(box) >= ink.width / 2;
  const isWhole = (box) => heightOf(box) === ink.height && widthOf(box) === ink.width;
  const area = (box) => heightOf(box) * widthOf(box);
  const regions = findComponents(ink).map(({box}) => box).filter((box) => isLarge(box) && !isWhole(box));
  for (const box of regions.sort((a, b) => area(b) - area(a)).slice(0, 8)) removeLines(ink, box);
  return ink;
}

function fullStrength({values}, noise) {
  const mass = new Float64Array(256);
  for (const value of values) {
    if (value > noise) mass[Math.min(Math.floor(value), 255)] += value * value * (value * value);
  }
  const half = mass.reduce((a, b) => a + b) / 2;
  let above = 0;
  for (let level = 255; level >= 0; level--) {
    above += mass[level];
    if (above > half) return level;
  }
  return 0;
}

function strength(difference, full, noise) {
  const threshold = Math.max(noise, full / 16);
  const ink = grayImage(difference.height, difference.width);
  for (let index = 0; index < ink.values.length; index++) {
    if (difference.values[index] > threshold) ink.values[index] = Math.min(difference.values[index] / full, 1);
  }
  return ink;
}

function selectDigit(ink) {
  const components = findComponents(ink);
  const largest = largestPart(ink, components);
  if (!largest) return null;
  const parts = components.map((component) => [component, relation(component, largest, ink)]);
  const members = parts.filter(([, part]) => part === 'of digit').map(([component]) => component);
  let atEdge = 0;
  for (const [component, part] of parts) if (part === 'at edge') atEdge = single(atEdge + component.mass);
  const doubts = [];
  if (parts.some(([, part]) => part === 'like size')) doubts.push('several-parts');
  else if (atEdge > 0.25 * largest.mass) doubts.push('parts-at-the-edge');
  const some = (touches) => members.some(({box}) => touches(box));
  const hasHeight = some((box) => box.top === 0) && some((box) => box.bottom + 1 === ink.height);
  const hasWidth = some((box) => box.left === 0) && some((box) => box.right + 1 === ink.width);
  if (hasHeight !== hasWidth) doubts.push(hasHeight ? 'through-the-height' : 'through-the-width');
  if (members.length === 1 && isFrame(largest, ink)) doubts.push('only-a-frame');
  return {ink: keep(ink, members, longerSide(largest.box)), doubts};
}

function largestPart(ink, components) {
  const isFree = (component) => !(isFrame(component, ink) && components.some((part) => encloses(component, part)));
  const all = components.filter(isFree);
  const inner = all.filter((component) => !isOnBorder(component, ink));
  const maxMass = (parts) => parts.reduce((most, {mass}) => Math.max(most, mass), 0);
  const candidates = maxMass(inner) > times(0.02, maxMass(all)) ? inner : all;
  return candidates.reduce((best, part) => (best && best.mass > part.mass ? best : part), null);
}

// True if so much of the component lies on the border that it is no digit.
function isOnBorder({pixels, box}, ink) {
  const numBorder = pixels.filter((index) => {
    const row = Math.floor(index / ink.width), column = index % ink.width;
    return row === 0 || column === 0 || row + 1 === ink.height || column + 1 === ink.width;
  }).length;
  return numBorder > times(0.6, heightOf(box) + widthOf(box));
}

function relation(component, largest, ink) {
  if (component === largest) return 'of digit';
  if (component.mass < times(0.02, largest.mass) || isFrame(component, ink)) return 'other';
  const box = component.box, other = largest.box, side = longerSide(other);
  const touches = (it) => it.top === 0 || it.left === 0 || it.bottom + 1 === ink.height || it.right + 1 === ink.width;
  const atEdge = touches(box) && !touches(other);
  if (atEdge && isOnBorder(component, ink)) return 'other';
  const shared = (low, high) => Math.max(Math.min(box[high], other[high]) + 1 - Math.max(box[low], other[low]), 0);
  const columns = shared('left', 'right'), rows = shared('top', 'bottom');
  const isBeside = columns < widthOf(box) / 2;
  const smaller = Math.min(heightOf(box) * widthOf(box), heightOf(other) * widthOf(other));
  if (longerSide(box) >= times(0.6, side) && columns * rows < times(0.3, smaller)) return atEdge ? 'at edge' : 'like size';
  const limit = atEdge ? (isBeside ? 0 : 0.25) : isBeside ? 0.2 : 0.5;
  const away = (low, high) => Math.max(other[low] - box[high], box[low] - other[high], 0);
  if (Math.max(away('top', 'bottom'), away('left', 'right')) <= times(limit, side)) return 'of digit';
  return atEdge ? 'at edge' : 'other';
}

// The ink of these components with the grey edges of their strokes.
function keep(ink, components, side) {
  const strong = grayImage(ink.height, ink.width);
  for (const {pixels} of components) for (const index of pixels) strong.values[index] = 1;
  const limit = Math.max(times(1 / 20, side), 1);
  const box = boundsOf(ink, 0), digit = cutBox(ink, box);
  const away = distances(cutBox(strong, box), 0, true).values;
  for (let index = 0; index < away.length; index++) if (away[index] > limit) digit.values[index] = 0;
  return digit;
}

// ---- components.rs

const heightOf = (box) => box.bottom - box.top + 1;
const widthOf = (box) => box.right - box.left + 1;
const longerSide = (box) => Math.max(heightOf(box), widthOf(box));

function findComponents({height, width, values}) {
  const seen = new Uint8Array(values.length), least = single(0.3);
  const components = [];
  for (let start = 0; start < seen.length; start++) {
    if (values[start] < least || seen[start]) continue;
    seen[start] = 1;
    const pixels = [start], box = {top: height, bottom: 0, left: width, right: 0};
    let mass = 0;
    for (let next = 0; next < pixels.length; next++) {
      const row = Math.floor(pixels[next] / width), column = pixels[next] % width;
      mass = single(mass + values[pixels[next]]);
      include(box, row, column);
      for (let y = Math.max(row - 1, 0); y < Math.min(row + 2, height); y++) {
        for (let x = Math.max(column - 1, 0); x < Math.min(column + 2, width); x++) {
          const at = y * width + x;
          if (values[at] < least || seen[at]) continue;
          seen[at] = 1;
          pixels.push(at);
        }
      }
    }
    components.push({pixels, mass, box});
  }
  return components;
}

// ---- frame.rs

function trimBorder(gray) {
  const counts = new Array(33).fill(0);
  for (const value of gray.values) counts[Math.floor(limited(value, 0, 255) / 8)]++;
  let best = 0;
  for (let at = 1; at < 32; at++) if (counts[at] + counts[at + 1] >= counts[best] + counts[best + 1]) best = at;
  const paper = best * 8 + 8;
  let low = Infinity, high = -Infinity;
  for (const value of gray.values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const near = times(0.25, single(high - low));
  const isPaper = (value) => Math.abs(single(value - paper)) <= near;
  const [top, bottom] = borderRows(gray.values, gray.height, gray.width, gray.width, 1, isPaper);
  const [left, right] = borderRows(gray.values, gray.width, gray.height, 1, gray.width, isPaper);
  const numSides = [top, bottom, left, right].filter((thickness) => thickness).length;
  const height = gray.height - top - bottom, width = gray.width - left - right;
  if (!numSides || height < 3 || width < 3) return null;
  const trimmed = cutOut(gray, top, left, height, width), upright = transposed(trimmed);
  const share = (values) => single(values.filter(isPaper).length / Math.max(values.length, 1));
  const isClear = (thickness, row) => !thickness || share(row) >= single(0.97);
  const isBorder = numSides >= 3 || (isClear(top, trimmed.values.subarray(0, width))
    && isClear(bottom, trimmed.values.subarray(-width)) && isClear(left, upright.values.subarray(0, height))
    && isClear(right, upright.values.subarray(-height)));
  return isBorder && share(borderOf(trimmed)) >= single(0.8) ? trimmed : null;
}

// Number of rows at the top and at the bottom that belong to a border. A row has `length` values; `step` leads to
// the next row, `inRow` to the next value of a row.
function borderRows(values, numRows, length, step, inRow, isPaper) {
  const thickness = (first, next) => {
    let count = 0;
    for (let row = 0; row < numRows; row++) {
      let other = 0;
      for (let index = 0; index < length; index++) other += !isPaper(values[first + row * next + index * inRow]);
      const share = single(other / length);
      if (share < single(0.2)) break;
      if (share >= single(0.85)) count = row + 1;
    }
    return count === 0 || count > Math.floor(numRows / 4) ? 0 : count + 1;
  };
  return [thickness(0, step), thickness((numRows - 1) * step, -step)];
}

// True if the component has four corners, an empty middle, and at least half of the picture's sides.
function isFrame({pixels, box}, ink) {
  const height = heightOf(box), width = widthOf(box);
  if (height < ink.height / 2 || width < ink.width / 2) return false;
  const corners = [false, false, false, false];
  let inside = 0;
  for (const index of pixels) {
    const offset = (at, start, side) => single(single((2 * (at - start + 0.5)) / side) - 1);
    const y = offset(Math.floor(index / ink.width), box.top, height), x = offset(index % ink.width, box.left, width);
    const least = Math.min(Math.abs(x), Math.abs(y)), most = Math.max(Math.abs(x), Math.abs(y));
    if (least >= single(0.78)) corners[(x > 0 ? 1 : 0) + (y > 0 ? 2 : 0)] = true;
    inside += most < single(0.6);
  }
  return corners.every(Boolean) && inside * 100 <= pixels.length;
}

function encloses({box}, content) {
  const middle = (low, high) => Math.floor((content.box[low] + content.box[high]) / 2);
  const row = middle('top', 'bottom'), column = middle('left', 'right');
  return box.top <= row && row <= box.bottom && box.left <= column && column <= box.right
    && longerSide(content.box) >= times(0.2, Math.min(heightOf(box), widthOf(box)))
    && longerSide(content.box) < longerSide(box);
}

// ---- lines.rs

// Removes lines through the whole box from the ink if they belong to the paper.
function removeLines(ink, box) {
  const height = heightOf(box), width = widthOf(box);
  if (Math.min(height, width) < 16) return;
  const part = cutBox(ink, box);
  const level = findLines(part), upright = findLines(transposed(part));
  if (!level.length && !upright.length) return;
  const one = eraseLines(part, level), two = eraseLines(transposed(one.rest), upright);
  const rest = transposed(two.rest);
  const hasBothEnds = (lines, side) => {
    const near = times(0.1, side);
    return lines.some(({row}) => row < near) && lines.some(({row}) => row > single(side - near));
  };
  const isPattern = Math.max(level.length, upright.length) >= 3
    || (hasBothEnds(level, height) && hasBothEnds(upright, width));
  if (!isPaperLines(part, rest, [...one.measures, ...two.measures], isPattern)) return;
  for (let row = 0; row < height; row++) {
    ink.values.set(rest.values.subarray(row * width, (row + 1) * width), (box.top + row) * ink.width + box.left);
  }
}

function isPaperLines(whole, rest, lines, isPattern) {
  const mass = ({values}) => values.reduce((a, b) => single(a + b), 0);
  if (mass(rest) < times(0.03, mass(whole)) || !lines.length) return false;
  const stroke = single(strokeWidth(rest, 0.5));
  const full = median(rest.values.filter((value) => value > single(0.3)));
  return isPattern || lines.every(([thickness]) => thickness <= times(0.55, stroke))
    || lines.every(([, strength]) => strength <= 0.75 * full);
}

// Finds nearly level lines from the left to the right: {row, slope, reach}.
function findLines(image) {
  const block = Math.ceil(Math.max(image.height, image.width) / 256);
  const {height, width, values} = shrunk(image, block);
  const middle = width / 2, needed = times(0.8, width), margin = Math.ceil(times(0.08, middle)) + 1;
  const numSlopes = Math.max(Math.ceil(single(times(0.08, width) / 1.5)), 1);
  // Runs of ink in the columns: a run counts once for each pair of rows of which it has one.
  const runs = [];
  let numInked = 0;
  for (let column = 0; column < width; column++) {
    const numBefore = runs.length;
    for (let row = 0, wasInk = false; row <= height; row++) {
      const isInk = row < height && values[row * width + column] > 0;
      if (isInk !== wasInk) runs.push(column, isInk ? row : row + 1, isInk ? 1 : -1);
      wasInk = isInk;
    }
    numInked += runs.length > numBefore;
  }
  if (numInked < needed) return [];
  let best = 0, slope = 0, pairs = [];
  for (let step = -numSlopes; step <= numSlopes; step++) {
    const tried = single(times(0.08, step) / numSlopes);
    const counts = new Float32Array(height + 2 * margin + 2);
    for (let index = 0; index < runs.length; index += 3) {
      const shift = margin - rounded(single(tried * (runs[index] - middle)));
      counts[runs[index + 1] + shift] += runs[index + 2];
    }
    for (let at = 1; at < counts.length; at++) counts[at] += counts[at - 1];
    const score = counts.reduce((sum, count) => {
      const more = Math.max(single(count - needed / 2), 0);
      return single(sum + single(more * more));
    }, 0);
    if (score > best && counts.some((count) => count >= needed)) [best, slope, pairs] = [score, tried, counts];
  }
  const lines = [];
  let first = -1;
  for (let at = 0; at <= pairs.length; at++) {
    if (pairs[at] >= needed) {
      if (first < 0) first = at;
    } else if (first >= 0) {
      const count = at - first, row = (first + at - 1) / 2 - margin;
      if (count <= Math.max(times(0.1, height), 4)) lines.push({row: row * block, slope, reach: (count / 2 + 1) * block});
      first = -1;
    }
  }
  return lines;
}

// Erases the lines where no stroke crosses them. Returns the rest, and thickness and ink of each line.
function eraseLines(image, lines) {
  const {height, width, values} = image;
  const rest = {height, width, values: values.slice()}, measures = [];
  for (const line of lines) {
    const runs = [];
    for (let column = 0; column < width; column++) {
      const run = runAt(image, line, column);
      if (run) runs.push([column, ...run]);
    }
    const thickness = median(runs.map(([, top, end]) => end - top));
    if (thickness > 2 * line.reach) continue;
    const thin = runs.filter(([, top, end]) => end - top <= 1.5 * thickness + 1.5);
    const strongest = ([column, top, end]) => {
      let most = 0;
      for (let row = top; row < end; row++) most = Math.max(most, values[row * width + column]);
      return most;
    };
    const strength = median(thin.map(strongest));
    measures.push([thickness, strength]);
    for (const [column, top, end] of thin) {
      for (let at = top * width + column; at < end * width; at += width) {
        if (rest.values[at] <= times(1.4, strength)) rest.values[at] = 0;
      }
    }
  }
  return {rest, measures};
}

// First row and row after the last one of the ink of a line in a column.
function runAt({height, width, values}, line, column) {
  const row = single(line.row + single(line.slope * (column - width / 2)));
  const limit = (at) => Math.floor(limited(single(at), 0, height));
  const hasInk = (at) => values[at * width + column] > 0;
  let found = -1;
  const away = (at) => Math.abs(single(at + 0.5 - row));
  for (let at = limit(row - line.reach), end = limit(single(row + line.reach) + 1); at < end; at++) {
    if (hasInk(at) && (found < 0 || away(at) < away(found))) found = at;
  }
  if (found < 0) return null;
  let top = found, end = found + 1;
  while (top > 0 && hasInk(top - 1)) top--;
  while (end < height && hasInk(end)) end++;
  return [top, end];
}

// ---- normalize.rs

function normalizeDigit(ink, height, width) {
  const box = boundsOf(ink, 0.25);
  if (!box) return null;
  const boxSide = (side) => Math.max(Math.round(side * (20 / 28)), 1);
  return centred(fitToBox(thicken(cutBox(ink, box)), boxSide(height), boxSide(width)), height, width);
}

// Thickens strokes that would be thinner than 2 of 28 pixels.
function thicken(digit) {
  const share = 2 / (28 * (20 / 28));
  const half = digit.values.reduce((a, b) => Math.max(a, b), 0) / 2;
  const longer = Math.max(digit.height, digit.width);
  const radius = single((share * longer - strokeWidth(digit, half)) / (2 * (1 - share)));
  if (radius < 0.5) return digit;
  const thick = distances(padded(digit, Math.ceil(radius)), half, true);
  thick.values.forEach((value, index) => (thick.values[index] = limited(single(radius + 0.5) - value, 0, 1)));
  return thick;
}

function fitToBox(digit, height, width) {
  const scale = Math.min(height / digit.height, width / digit.width);
  const side = (from, most) => limited(Math.round(from * scale), 1, most);
  const rows = meanRows(digit, side(digit.height, height));
  const small = transposed(meanRows(transposed(rows), side(digit.width, width)));
  const strongest = small.values.reduce((a, b) => Math.max(a, b), 2 ** -126);
  return {...small, values: small.values.map((value) => value / strongest)};
}

// Resizes to `height` rows, each the mean of what it covers.
function meanRows(image, height) {
  const {width} = image, rows = image.height / height, result = grayImage(height, width);
  for (let row = 0; row < height; row++) {
    const start = row * rows, end = (row + 1) * rows;
    for (let from = Math.floor(start); from < Math.min(Math.ceil(end), image.height); from++) {
      const weight = single(Math.max(Math.min(end, from + 1) - Math.max(start, from), 0) / rows);
      for (let column = 0; column < width; column++) {
        result.values[row * width + column] += single(weight * image.values[from * width + column]);
      }
    }
  }
  return result;
}

// Places the digit with its centre of mass at the middle.
function centred(digit, height, width) {
  let mass = 0, rows = 0, columns = 0;
  digit.values.forEach((value, index) => {
    mass += value;
    rows += value * Math.floor(index / digit.width);
    columns += value * (index % digit.width);
  });
  const offset = (centre, own, side) => limited(rounded(side / 2 - centre), 0, side - own);
  const start = offset(rows / mass, digit.height, height) * width + offset(columns / mass, digit.width, width);
  const pixels = new Uint8Array(height * width);
  digit.values.forEach((value, index) => {
    pixels[start + Math.floor(index / digit.width) * width + (index % digit.width)] = Math.round(single(value * 255));
  });
  return pixels;
}

// Turns strokes into a grey picture, and the picture into a PNG file. The arithmetic is written out, without the
// browser's canvas: every browser makes the same picture, which is shown, saved and prepared.
// A stroke is {width, points: [[x, y], ...]} in pixels of the picture. It is a smooth curve with round ends.
'use strict';

// Rows and columns of the picture of a drawing. More would cost time: a picture is prepared while one draws.
const PICTURE_SIDE = 192;

// Returns the picture of these strokes, side * side grey levels: paper is 255, ink is 0.
function drawStrokes(strokes, side) {
  const values = new Uint8Array(side * side).fill(255);
  for (const stroke of strokes) {
    for (let index = 0; index <= stroke.points.length; index++) addPiece(values, side, stroke, index);
  }
  return values;
}

// Adds the piece of a stroke that is settled when its point `index` is known: the curve that ends in the middle
// between the two points before. With the number of points as index, adds the end of a complete stroke. All
// pieces, in any order, give the picture of drawStrokes.
function addPiece(values, side, {width, points}, index) {
  const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const last = points[index - 1];
  if (index >= points.length) {
    if (last) addSegment(values, side, index > 1 ? middle(points[index - 2], last) : last, last, width);
    return;
  }
  const to = points[index];
  if (!last) return addSegment(values, side, to, to, width);
  const end = middle(last, to);
  if (index < 2) return addSegment(values, side, last, end, width);
  // A quadratic curve from middle to middle, which the point between pulls towards itself.
  const start = middle(points[index - 2], last);
  const bend = [0, 1].map((k) => start[k] - 2 * last[k] + end[k]);
  const count = 1 + Math.floor(Math.sqrt(2 * Math.sqrt(bend[0] * bend[0] + bend[1] * bend[1])));
  let from = start;
  for (let step = 1; step <= count; step++) {
    const t = step / count;
    const at = [0, 1].map((k) => start[k] + t * (2 * (last[k] - start[k]) + t * bend[k]));
    addSegment(values, side, from, at, width);
    from = at;
  }
}

// Adds a straight line with round ends. The grey of a pixel is the share of it that the line covers, by the
// distance of its middle from the line.
function addSegment(values, side, from, to, width) {
  const radius = Math.max(width, 1) / 2;
  const low = (k) => Math.max(Math.floor(Math.min(from[k], to[k]) - radius - 1), 0);
  const high = (k) => Math.min(Math.ceil(Math.max(from[k], to[k]) + radius + 1), side);
  const [left, right, dx, dy] = [low(0), high(0), to[0] - from[0], to[1] - from[1]];
  const length = Math.max(dx * dx + dy * dy, 1e-9);
  for (let row = low(1), end = high(1); row < end; row++) {
    const y = row + 0.5 - from[1];
    for (let column = left; column < right; column++) {
      const x = column + 0.5 - from[0];
      const t = Math.min(Math.max((x * dx + y * dy) / length, 0), 1);
      const [awayX, awayY] = [x - t * dx, y - t * dy];
      const grey = 255 * (0.5 - radius + Math.sqrt(awayX * awayX + awayY * awayY));
      const index = row * side + column;
      if (grey < values[index]) values[index] = Math.max(Math.round(grey), 0);
    }
  }
}

// Returns a PNG file (W3C, Portable Network Graphics) of a square grey picture, without compression.
function encodePng(picture, side) {
  const big = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
  const crc = (bytes) => {
    let rest = -1;
    for (const byte of bytes) {
      rest ^= byte;
      for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    }
    return ~rest;
  };
  const chunk = (name, content) => {
    const body = [...Array.from(name, (letter) => letter.charCodeAt(0)), ...content];
    return [...big(content.length), ...body, ...big(crc(body))];
  };
  const stream = [0x78, 1];
  let [a, b] = [1, 0];
  for (let row = 0; row < side; row++) {
    // Each row is a block of its own: a zero for "no filter", and the pixels.
    const line = [0, ...picture.subarray(row * side, (row + 1) * side)];
    for (const byte of line) b = (b + (a = (a + byte) % 65521)) % 65521;
    const [low, high] = [line.length & 255, line.length >> 8];
    stream.push(row + 1 === side ? 1 : 0, low, high, low ^ 255, high ^ 255, ...line);
  }
  stream.push(...big(b * 65536 + a));
  const header = [...big(side), ...big(side), 8, 0, 0, 0, 0];
  return new Uint8Array([
    137, 80, 78, 71, 13, 10, 26, 10, ...chunk('IHDR', header), ...chunk('IDAT', stream), ...chunk('IEND', []),
  ]);
}

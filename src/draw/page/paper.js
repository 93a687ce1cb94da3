// The paper: strokes of a mouse, finger or pen, and pictures that are loaded onto it.
'use strict';

// Longest side of a loaded picture. A larger one is shrunk.
const LARGEST_SIDE = 1024;

// Makes the canvas a paper, and calls `onChange` with true at the end of a stroke, with false during it. The width of
// the pen is in hundredths of the paper's.
function makePaper(canvas, onChange) {
  const context = canvas.getContext('2d');
  const paper = {pen: 7, strokes: [], picture: drawStrokes([], PICTURE_SIDE), loaded: null};
  let current = null;
  // The pointer that draws the current stroke. A second finger or a palm changes nothing.
  let pointer = null;

  const place = (event) => {
    const {left, top, width, height} = canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * PICTURE_SIDE, ((event.clientY - top) / height) * PICTURE_SIDE];
  };
  const add = (event) => {
    const point = place(event);
    const last = current.points[current.points.length - 1];
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.5) return;
    current.points.push(point);
    addPiece(paper.picture, PICTURE_SIDE, current, current.points.length - 1);
  };
  const end = () => {
    if (!current) return;
    addPiece(paper.picture, PICTURE_SIDE, current, current.points.length);
    current = null;
    onChange(true);
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary || (current && event.pointerId !== pointer)) return;
    end();
    pointer = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    if (paper.loaded) paper.clear();
    current = {width: (paper.pen / 100) * PICTURE_SIDE, points: []};
    paper.strokes.push(current);
    add(event);
    onChange(false);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!current || event.pointerId !== pointer) return;
    // All places since the last event: a fast hand makes many between two frames.
    const events = event.getCoalescedEvents?.() ?? [];
    (events.length > 0 ? events : [event]).forEach(add);
    onChange(false);
  });
  for (const kind of ['pointerup', 'pointercancel', 'lostpointercapture']) {
    canvas.addEventListener(kind, (event) => { if (event.pointerId === pointer) end(); });
  }
  // No gesture begins on the paper: no scrolling, no zooming, no magnifier. A fling would swallow the next tap.
  for (const kind of ['touchstart', 'contextmenu']) canvas.addEventListener(kind, (event) => event.preventDefault());

  paper.isEmpty = () => paper.strokes.length === 0 && !paper.loaded;
  paper.clear = () => {
    current = null;
    Object.assign(paper, {strokes: [], picture: drawStrokes([], PICTURE_SIDE), loaded: null});
  };
  paper.undo = () => {
    current = null;
    if (paper.loaded) return paper.clear();
    paper.strokes.pop();
    paper.picture = drawStrokes(paper.strokes, PICTURE_SIDE);
  };
  // Puts a grey picture onto the paper: {height, width, values}, and `colours` if it comes from a file.
  paper.load = (gray) => {
    paper.clear();
    paper.loaded = gray;
  };
  // Shows the paper in the sharpness of the screen.
  paper.show = () => {
    const side = Math.max(Math.round(canvas.clientWidth * devicePixelRatio), 1);
    if (canvas.width !== side) [canvas.width, canvas.height] = [side, side];
    context.setTransform(side / PICTURE_SIDE, 0, 0, side / PICTURE_SIDE, 0, 0);
    context.fillStyle = '#fff';
    context.fillRect(0, 0, PICTURE_SIDE, PICTURE_SIDE);
    if (paper.loaded) showLoaded(context, paper.loaded);
    Object.assign(context, {strokeStyle: '#000', lineCap: 'round', lineJoin: 'round'});
    for (const {width, points} of paper.strokes) {
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(...points[0]);
      for (let index = 1; index < points.length; index++) {
        const [a, b] = [points[index - 1], points[index]];
        context.quadraticCurveTo(...a, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
      }
      // Browsers do not draw a line without length, which a tap is.
      const [x, y] = points[points.length - 1];
      context.lineTo(points.length > 1 ? x : x + 0.01, y);
      context.stroke();
    }
  };
  return paper;
}

// Draws a loaded picture as large as fits, in the middle.
function showLoaded(context, {height, width, values}) {
  const scale = PICTURE_SIDE / Math.max(height, width);
  context.imageSmoothingEnabled = scale < 2;
  const [left, top] = [(PICTURE_SIDE - width * scale) / 2, (PICTURE_SIDE - height * scale) / 2];
  context.drawImage(grayCanvas(values, height, width), left, top, width * scale, height * scale);
}

// Returns a canvas of grey pixels.
function grayCanvas(values, height, width, canvas = document.createElement('canvas')) {
  return colourCanvas(height, width, (index) => [values[index], values[index], values[index]], canvas);
}

// Gives each pixel of a canvas the colour that `colour` returns for its index: red, green and blue.
function colourCanvas(height, width, colour, canvas) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let index = 0; index < height * width; index++) image.data.set([...colour(index), 255], 4 * index);
  context.putImageData(image, 0, 0);
  return canvas;
}

// Reads a picture file, turned upright: {height, width, values, colours}. The `values` are grey bytes as of a picture
// in a data set (sources/picture.rs), and `colours` the red, green, blue and alpha bytes.
async function readPicture(file) {
  const bitmap = await createImageBitmap(file, {colorSpaceConversion: 'none'});
  const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(Math.round(side * scale), 1));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  const {data} = context.getImageData(0, 0, width, height);
  const values = Uint8Array.from({length: height * width}, (_, index) => {
    const [red, green, blue] = data.subarray(4 * index, 4 * index + 3);
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
  });
  return {height, width, values, colours: data};
}

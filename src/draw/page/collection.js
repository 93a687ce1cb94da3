// The collection: drawings with their true classes, which become a data set. It stays in this browser's storage
// where the browser has one for the page.
'use strict';

// Reads the drawings of the network with this digest: [{label, answer, pixels}, ...].
function openCollection(digest) {
  const key = `smallnet drawings ${digest}`;
  const collection = {key, drawings: [], isStored: true};
  collection.store = () => {
    const packed = collection.drawings.map(({label, answer, pixels}) =>
      ({label, answer, pixels: btoa(Array.from(pixels, (byte) => String.fromCharCode(byte)).join(''))}));
    try {
      localStorage.setItem(key, JSON.stringify(packed));
      collection.isStored = true;
    } catch {
      // No storage, or it is full: the drawings stay until the page is closed.
      collection.isStored = false;
    }
  };
  collection.read = () => {
    try {
      const packed = JSON.parse(localStorage.getItem(key) ?? '[]');
      collection.drawings = packed.map((drawing) => ({...drawing, pixels: bytesOf(drawing.pixels)}));
    } catch {
      collection.isStored = false;
    }
  };
  collection.read();
  return collection;
}

// Returns the collection as the CSV file of a data set (docs/data.md): a column of labels and one per pixel.
function collectionCsv(drawings, {words, label_column, white, height, width, is_transposed}) {
  const cell = (text) => (/[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  // Position in the network's image of each pixel in the file.
  const place = (index) => (is_transposed ? (index % height) * width + Math.floor(index / height) : index);
  const places = Array.from({length: height * width}, (_, index) => place(index));
  const number = (byte) => (white === 255 ? byte : Number(((byte * white) / 255).toPrecision(7)));
  const rows = drawings.map(({label, pixels}) =>
    [cell(words[label]), ...places.map((at) => number(pixels[at]))].join());
  return [[cell(label_column), ...places.map((_, index) => `pixel${index}`)].join(), ...rows, ''].join('\n');
}

// Lets the browser save a file.
function download(name, type, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

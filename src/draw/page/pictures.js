// The test images to click through.
'use strict';

// Reads the images in the page's data: {index, label, pixels} of each.
function readImages({images, height, width}) {
  if (!images) return [];
  const [bytes, size] = [bytesOf(images.pixels), height * width];
  return images.indices.map((index, at) =>
    ({index, label: images.labels[at], pixels: bytes.subarray(at * size, (at + 1) * size)}));
}

// Fills a list with a button per image, and returns the function that marks the chosen one.
function makeThumbnails(list, images, {names, height, width}, answerOf, onChoose) {
  const buttons = images.map((image, at) => {
    const answer = answerOf(image.pixels);
    const isWrong = image.label !== undefined && image.label !== answer;
    const button = document.createElement('button');
    const caption = document.createElement('span');
    caption.textContent = isWrong ? `${names[image.label]}, not ${names[answer]}` : names[answer];
    button.className = isWrong ? 'thumbnail wrong' : 'thumbnail';
    button.append(grayCanvas(image.pixels, height, width), caption);
    const truth = isWrong ? `it is ${names[image.label]}, the answer is ${names[answer]}` : names[answer];
    button.setAttribute('aria-label', `image ${image.index}: ${truth}`);
    button.addEventListener('click', () => onChoose(at));
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
    return button;
  });
  return (chosen) => buttons.forEach((button, at) => button.setAttribute('aria-pressed', at === chosen));
}

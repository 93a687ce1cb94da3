// Measures the page PAGE at each of WIDTHS (pixels) and writes the faults as JSON into the body. The test
// replaces both names and starts Chromium so that a script may read a frame.
'use strict';

// Converts "rgb(1, 2, 3)", "rgba(1, 2, 3, 0.5)" or "color(srgb 0 0 0 / 0.5)" to [red, green, blue, alpha] by the browser.
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(colour) {
  const [red, green, blue] = colour.map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function background(element, view) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const colour = rgba(view.getComputedStyle(at).backgroundColor);
    layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}

function measure(page, view) {
  const root = page.documentElement;
  const texts = [];
  const walker = page.createTreeWalker(page.body, view.NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.getClientRects().length === 0) continue;
    const style = view.getComputedStyle(element);
    const below = background(element, view);
    const ink = element instanceof view.SVGElement ? style.fill : style.color;
    texts.push({ text: node.data.trim().slice(0, 40), contrast: contrast(over(rgba(ink), below), below) });
  }
  // Lines and marks of charts.
  const strokes = [...page.querySelectorAll('.chart polyline, .chart polygon, .chart circle')].map(shape => {
    const style = view.getComputedStyle(shape);
    const ink = style.stroke === 'none' ? style.fill : style.stroke;
    const below = background(shape, view);
    return { text: `${shape.tagName} ${ink}`, contrast: contrast(over(rgba(ink), below), below) };
  });
  const lowest = all => all.reduce((low, one) => one.contrast < low.contrast ? one : low, { text: '', contrast: 21 });
  const size = element => parseFloat(view.getComputedStyle(element).fontSize);
  const headings = [...page.querySelectorAll('h1, h2, h3')].map(size);
  const bold = [...page.querySelectorAll('.chart text')].filter(text => view.getComputedStyle(text).fontWeight >= 600);
  const titles = bold.map(text => size(text) * text.ownerSVGElement.getScreenCTM().a);
  const scrolling = [...page.querySelectorAll('*')].filter(element =>
    ['auto', 'scroll'].includes(view.getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth + 1);
  // Contents of what does not scroll must be inside the page.
  const beyond = [...page.querySelectorAll('main *')].filter(element =>
    !element.closest('.scroll, pre') && element.getBoundingClientRect().right > root.clientWidth + 1);
  return {
    width: root.clientWidth,
    isDark: view.matchMedia('(prefers-color-scheme: dark)').matches,
    paper: background(page.body, view).slice(0, 3),
    scrollWidth: root.scrollWidth,
    numTexts: texts.length,
    lowestText: lowest(texts),
    numStrokes: strokes.length,
    lowestStroke: lowest(strokes),
    smallestHeading: Math.min(...headings),
    largestTitle: Math.max(0, ...titles),
    scrolling: scrolling.length,
    withoutSign: scrolling.filter(element => view.getComputedStyle(element).backgroundImage === 'none').length,
    beyond: beyond.map(element => element.outerHTML.slice(0, 60)),
  };
}

// One frame after the other: each is as wide as a screen.
const results = [];
function next(widths) {
  if (widths.length === 0) {
    document.body.textContent = `measured ${JSON.stringify(results)} end`;
    return;
  }
  const frame = document.createElement('iframe');
  frame.style.cssText = `border: 0; height: 800px; width: ${widths[0]}px`;
  frame.onload = () => {
    results.push(measure(frame.contentDocument, frame.contentWindow));
    frame.remove();
    next(widths.slice(1));
  };
  frame.src = 'PAGE';
  document.body.append(frame);
}
next([WIDTHS]);

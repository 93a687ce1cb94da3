// The page: what is shown, and what each control and key does.
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const network = readNetwork(data);
const images = readImages(data);
const collection = openCollection(data.digest);
const doubtTexts = new Map(data.doubts);
const element = (id) => document.getElementById(id);
const {names} = data;

// What is shown: null, or {pixels, doubts, truth, image, pass, probabilities}, `image` the position of a test image.
let shown = null;
// The class whose contributions are shown. Null follows the answer.
let chosen = null;
// The timer of the next update, and the time in milliseconds that the last one took.
let timer = null;
let duration = 0;
let isPainting = false;
let spoken = 0;

const paper = makePaper(element('paper'), (isComplete) => {
  chosen = null;
  isComplete ? update() : updateSoon();
});

// Shows the ink in the next frame. The answer comes when it can: at most half of the time is spent on it, so that
// the ink follows the hand on a slow phone, too.
function updateSoon() {
  timer ??= setTimeout(update, duration);
  if (isPainting) return;
  isPainting = true;
  requestAnimationFrame(() => {
    isPainting = false;
    paper.show();
  });
}

// Prepares what is on the paper and shows the answer.
function update() {
  const start = performance.now();
  const prepared = preparePaper();
  const unlike = prepared && doubtAbout(prepared.pixels, data.width, data.polarity, data.shape);
  show(prepared && {pixels: prepared.pixels, doubts: unlike ? [...prepared.doubts, unlike] : prepared.doubts});
  duration = performance.now() - start;
}

function preparePaper() {
  if (paper.isEmpty()) return null;
  if (!paper.loaded) return prepareDrawing(paper.picture, PICTURE_SIDE, data);
  const {height, width, values, colours} = paper.loaded;
  const hasSize = height === data.height && width === data.width;
  if (hasSize && looksLikeTrainingImages(values, data)) return {pixels: values, doubts: []};
  return prepareGray(values, height, width, data, colours);
}

function show(image) {
  clearTimeout(timer);
  timer = null;
  shown = image;
  if (shown) {
    shown.pass = forward(network, shown.pixels);
    shown.probabilities = softmax(shown.pass.logits);
  }
  render();
}

function render() {
  paper.show();
  markThumbnail(shown?.image);
  for (const id of ['clear', 'undo']) element(id).disabled = paper.isEmpty();
  element('png').disabled = paper.strokes.length === 0;
  const isDrawing = shown && shown.image === undefined;
  for (const button of element('labels').querySelectorAll('button')) button.disabled = !isDrawing;
  document.body.classList.toggle('blank', !shown);
  const best = shown && ranking(shown.probabilities)[0];
  const about = shown && (chosen ?? best);
  showBars(shown && shown.probabilities, about, shown?.truth);
  renderWords(best);
  if (!shown) {
    element('about').textContent = aboutHint;
    return;
  }
  grayCanvas(shown.pixels, data.height, data.width, element('seen'));
  const values = contributions(network, shown.pass, about);
  showContributions(element('spoke'), values, shown.pixels, data);
  const bias = network.layers.length === 1 ? network.layers[0].biases[about] : undefined;
  element('about').textContent = describeContributions(values, names[about], shown.pass.logits[about], bias);
}

function renderWords(best) {
  const reasons = shown ? shown.doubts.map((code) => doubtTexts.get(code) ?? code) : [];
  const nothing = paper.isEmpty() ? hint : 'nothing stands out from its background';
  const {answer, details} = shown
    ? describeAnswer(shown.probabilities, names, reasons)
    : {answer: '', details: [nothing]};
  const {truth, image} = shown ?? {};
  if (image !== undefined) {
    const judgement = truth === undefined ? '' : truth === best ? ': right' : `: wrong, it is ${names[truth]}`;
    details.push(`${data.images.name} image ${images[image].index}${judgement}`);
  }
  element('answer').textContent = answer;
  element('answer').classList.toggle('long', answer.length > 3);
  element('details').replaceChildren(...details.filter(Boolean).map((text) => {
    const line = document.createElement('span');
    line.textContent = text;
    return line;
  }));
  // A screen reader says the answer when the hand rests.
  clearTimeout(spoken);
  spoken = setTimeout(() => { element('spoken').textContent = [answer, ...details].filter(Boolean).join(', '); }, 700);
}

function clear() {
  chosen = null;
  paper.clear();
  show(null);
  focusPaper();
}

// A button that is disabled or removed by its own click would lose the focus to nothing.
function focusPaper() {
  element('paper').focus({preventScroll: true});
}

function undo() {
  chosen = null;
  paper.undo();
  update();
  if (paper.isEmpty()) focusPaper();
}

function showImage(at) {
  if (images.length === 0) return;
  const image = (at + images.length) % images.length;
  const {pixels, label} = images[image];
  chosen = null;
  paper.load({height: data.height, width: data.width, values: pixels});
  show({pixels, doubts: [], truth: label, image});
}

// Adds the drawing to the collection, and makes room for the next one.
function keepDrawing(label) {
  if (!shown || shown.image !== undefined) return;
  const answer = ranking(shown.probabilities)[0];
  collection.drawings.push({label, answer, pixels: shown.pixels});
  collection.store();
  clear();
  renderCollection();
}

function renderCollection() {
  const {drawings, isStored} = collection;
  const right = drawings.filter(({label, answer}) => label === answer).length;
  const kept = `${drawings.length} kept, ${right} of them answered right (${percent(right / drawings.length)})`;
  element('kept').textContent = drawings.length > 0 ? kept + (isStored ? '' : '; this browser forgets them with the page') : '';
  element('drawings').replaceChildren(...drawings.map(({label, answer, pixels}, at) => {
    const button = document.createElement('button');
    const caption = document.createElement('span');
    caption.textContent = label === answer ? names[label] : `${names[label]}, not ${names[answer]}`;
    button.className = label === answer ? 'thumbnail' : 'thumbnail wrong';
    button.title = 'remove this drawing';
    button.setAttribute('aria-label', `remove the drawing ${at + 1}: ${caption.textContent}`);
    button.append(grayCanvas(pixels, data.height, data.width), caption);
    button.addEventListener('click', () => {
      drawings.splice(at, 1);
      collection.store();
      renderCollection();
      const others = element('drawings').querySelectorAll('button');
      others.length > 0 ? others[Math.min(at, others.length - 1)].focus() : focusPaper();
    });
    const item = document.createElement('li');
    item.append(button);
    return item;
  }));
  for (const id of ['csv', 'forget']) element(id).disabled = drawings.length === 0;
  element('run').hidden = drawings.length === 0;
}

async function loadFile(file) {
  if (!file) return;
  try {
    paper.load(await readPicture(file));
  } catch {
    const message = `${file.name} is no picture that this browser can read`;
    element('answer').textContent = '';
    for (const id of ['details', 'spoken']) element(id).textContent = message;
    return;
  }
  chosen = null;
  update();
}

// ---- controls

const hint = data.preparation === 'whole' ? 'load, drop or paste a picture, or draw' : 'draw here, as large as you like';
const aboutHint = element('about').textContent;
const showBars = makeBars(element('bars'), names, (at) => { chosen = at; render(); });
const answerOf = (pixels) => ranking(forward(network, pixels).logits)[0];
const markThumbnail = makeThumbnails(element('images'), images, data, answerOf, showImage);
element('tests').hidden = images.length === 0;
element('run').textContent = `smallnet evaluate ${data.run} --data drawings.csv
smallnet train --from ${data.run} --keep-classes --set data.source=drawings.csv ${data.settings}`;
element('judged').hidden = images.every(({label}) => label === undefined);

// A button per class, or a list where that would be too many.
function makeLabels() {
  if (names.length <= 62) {
    element('labels').append(...names.map((name, label) => {
      const button = document.createElement('button');
      button.textContent = name;
      button.addEventListener('click', () => keepDrawing(label));
      return button;
    }));
    return;
  }
  const [select, button] = ['select', 'button'].map((kind) => document.createElement(kind));
  select.setAttribute('aria-label', 'true class');
  select.append(...names.map((name, label) => new Option(name, label)));
  button.textContent = 'Keep';
  button.addEventListener('click', () => keepDrawing(Number(select.value)));
  element('labels').append(select, button);
}
makeLabels();

element('clear').addEventListener('click', clear);
element('undo').addEventListener('click', undo);
element('load').addEventListener('click', () => element('file').click());
element('file').addEventListener('change', ({target}) => {
  loadFile(target.files[0]);
  target.value = '';
});
element('png').addEventListener('click', () => {
  download('drawing.png', 'image/png', encodePng(paper.picture, PICTURE_SIDE));
});
element('csv').addEventListener('click', () => {
  download('drawings.csv', 'text/csv', collectionCsv(collection.drawings, data));
});
element('forget').addEventListener('click', () => {
  if (!confirm('Remove all kept drawings?')) return;
  collection.drawings.length = 0;
  collection.store();
  renderCollection();
  focusPaper();
});
// Another tab with this page keeps its drawings in the same place.
addEventListener('storage', ({key}) => {
  if (key !== collection.key) return;
  collection.read();
  renderCollection();
});
for (const button of document.querySelectorAll('[data-pen]')) {
  button.addEventListener('click', () => {
    paper.pen = Number(button.dataset.pen);
    for (const other of document.querySelectorAll('[data-pen]')) other.setAttribute('aria-pressed', other === button);
  });
}
for (const kind of ['dragover', 'drop']) document.addEventListener(kind, (event) => event.preventDefault());
document.addEventListener('drop', (event) => loadFile(event.dataTransfer.files[0]));
document.addEventListener('paste', (event) => loadFile([...event.clipboardData.files][0]));

document.addEventListener('keydown', (event) => {
  const {key, target} = event;
  if (target.matches('input, select') || event.altKey) return;
  const isOnPaper = target === element('paper');
  const step = {ArrowLeft: -1, ArrowRight: 1}[key];
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && key.toLowerCase() === 'z') undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (key === 'Escape' || (isOnPaper && key === 'Delete')) clear();
  else if (isOnPaper && key === 'Backspace') undo();
  else if (step) showImage((shown?.image ?? (step > 0 ? -1 : 0)) + step);
  else if (isOnPaper && labelOfKey(key) >= 0) keepDrawing(labelOfKey(key));
  else return;
  event.preventDefault();
});

// The class whose name is this key, or -1. Keys such as Tab and Enter have longer names, and stay what they are.
function labelOfKey(key) {
  if ([...key].length !== 1) return -1;
  const exact = names.indexOf(key);
  return exact >= 0 ? exact : names.findIndex((name) => name.toLowerCase() === key.toLowerCase());
}

new ResizeObserver(() => paper.show()).observe(element('paper'));

// The present drawing, for tests and for the browser's console.
function drawing() {
  const {pixels, probabilities} = shown ?? {};
  return {picture: paper.picture, side: PICTURE_SIDE, pixels, probabilities};
}

for (const id of ['seen', 'spoke']) colourCanvas(data.height, data.width, () => [247, 247, 247], element(id));
renderCollection();
render();

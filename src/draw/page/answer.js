// The answer in words, bars and pictures.
'use strict';

// The answer is "not sure" if the margin between the two most probable classes is smaller: if the first is less
// than twice as probable as the second where only these two are in question.
const MARGIN = 1 / 3;
// With more classes than this, the most probable ones are shown, best first.
const MOST_IN_ORDER = 20;
const MOST_BARS = 100;

// Formats a share as smallnet does: 98.2 %.
function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  if (value >= 99.95 && value < 100) return '> 99.9 %';
  return `${value.toFixed(1)} %`;
}

const signed = (number) => `${number < 0 ? '\u2212' : '+'}${Math.abs(number).toFixed(1)}`;

// Classes, most probable first. Of equal ones, the first is the answer.
function ranking(probabilities) {
  return [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one] || one - other);
}

// Says the answer: {answer, details} with the reasons to mistrust it. A high probability would hide them.
function describeAnswer(probabilities, names, reasons) {
  const [best, second] = ranking(probabilities);
  const then = second === undefined ? '' : `then ${names[second]} with ${percent(probabilities[second])}`;
  if (probabilities[best] - (probabilities[second] ?? 0) < MARGIN) {
    return {answer: `${names[best]}?`, details: [`not sure: ${names[best]} or ${names[second]}`, ...reasons]};
  }
  if (reasons.length > 0) return {answer: names[best], details: ['doubtful', ...reasons]};
  return {answer: names[best], details: [percent(probabilities[best]), then]};
}

// Fills a list with a button per class, and returns the function that shows probabilities in them.
function makeBars(list, names, onChoose) {
  list.style.setProperty('--name', `${Math.min(Math.max(...names.map((name) => name.length)), 20)}ch`);
  list.classList.toggle('short', names.length <= MOST_IN_ORDER && names.every((name) => name.length <= 2));
  const rows = names.slice(0, names.length > MOST_IN_ORDER ? MOST_BARS : MOST_IN_ORDER).map(() => {
    const button = document.createElement('button');
    const [name, bar, share] = ['name', 'bar', 'share'].map((kind) => {
      const part = document.createElement('span');
      part.className = kind;
      return part;
    });
    bar.append(document.createElement('i'));
    button.append(name, bar, share);
    button.addEventListener('click', () => onChoose(Number(button.dataset.class)));
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
    return {button, name, bar: bar.firstChild, share};
  });
  // Without an answer, the probabilities are null.
  return (probabilities, chosen, truth) => {
    const ranked = probabilities ? ranking(probabilities) : [];
    const order = names.length > MOST_IN_ORDER && probabilities ? ranked : [...names.keys()];
    rows.forEach(({button, name, bar, share}, index) => {
      const shown = order[index];
      button.dataset.class = shown;
      name.textContent = names[shown];
      name.title = names[shown];
      bar.style.width = probabilities ? `${100 * probabilities[shown]}%` : '0';
      share.textContent = probabilities ? percent(probabilities[shown]) : '';
      button.disabled = !probabilities;
      button.classList.toggle('best', shown === ranked[0]);
      button.classList.toggle('wrong', shown === ranked[0] && truth !== undefined && truth !== shown);
      button.classList.toggle('truth', shown === truth);
      button.setAttribute('aria-pressed', shown === chosen);
    });
  };
}

// Colours of ColorBrewer's scale, from -1 (against) to 1 (for), as in smallnet's pictures of weights.
const SCALE = [[5, 48, 97], [67, 147, 195], [247, 247, 247], [214, 96, 77], [103, 0, 31]];
function scaleColour(value) {
  const at = (Math.min(Math.max(value, -1), 1) + 1) * 2;
  const low = Math.min(Math.floor(at), 3);
  return SCALE[low].map((part, index) => part + (at - low) * (SCALE[low + 1][index] - part));
}

// Draws what each pixel says about a class. Ink that says nothing is grey.
function showContributions(canvas, values, pixels, {height, width, polarity}) {
  const limit = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  const ink = (index) => (polarity === 'dark-on-light' ? 255 - pixels[index] : pixels[index]) / 255;
  const colour = (index) => scaleColour(values[index] / limit).map((part) => part * (1 - 0.2 * ink(index)));
  colourCanvas(height, width, colour, canvas);
}

// Says how much spoke for and against a class. Without hidden layers, all together is the logit.
function describeContributions(values, name, logit, bias) {
  const sum = (sign) => values.reduce((all, value) => all + Math.max(sign * value, 0), 0);
  const [pros, cons] = [sum(1), sum(-1)];
  const start = bias === undefined ? '' : `, from a start of ${signed(bias)}`;
  return `${name}: ${signed(pros)} for it, ${signed(-cons)} against it${start}; its logit is ${signed(logit)}`;
}

// The network: its numbers, its answer for an image, and what in the image spoke for a class.
'use strict';

// Returns the bytes of a text in base64.
function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index);
  return bytes;
}

const singles = (text) => new Float32Array(bytesOf(text).buffer);

// Returns the weights of a layer. With steps, each is a whole number of steps of its output.
function weightsOf({outputs, weights, steps}) {
  if (!steps) return singles(weights);
  const step = singles(steps);
  return Float32Array.from(new Int16Array(bytesOf(weights).buffer), (count, at) => count * step[at % outputs]);
}

// The error function by its series (Abramowitz and Stegun 7.1.6), whose terms are all of one sign.
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const normal = (x) => (1 + erf(x / Math.SQRT2)) / 2;

// Each activation and its derivative, by its name in experiment files (model/activation.rs).
const ACTIVATIONS = {
  relu: [(x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  'leaky-relu': [(x, slope) => (x > 0 ? x : slope * x), (x, slope) => (x > 0 ? 1 : slope)],
  gelu: [(x) => x * normal(x), (x) => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)],
  silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
  sigmoid: [sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
  tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
};

// Decodes the network in the page's data.
function readNetwork({layers, activation, slope}) {
  const [apply, derive] = ACTIVATIONS[activation];
  return {
    layers: layers.map((layer) => ({...layer, weights: weightsOf(layer), biases: singles(layer.biases)})),
    apply: (x) => apply(x, slope),
    derive: (x) => derive(x, slope),
  };
}

// Computes the answer for an image of bytes: {inputs, sums} of each layer, and the logits.
function forward({layers, apply}, pixels) {
  let values = Float64Array.from(pixels, (byte) => Math.fround(byte / 255));
  const [inputs, sums] = [[], []];
  layers.forEach(({outputs, weights, biases}, index) => {
    inputs.push(values);
    const sum = Float64Array.from(biases);
    // Most pixels and many neurons are zero.
    values.forEach((value, input) => {
      if (value === 0) return;
      for (let output = 0, at = input * outputs; output < outputs; output++) sum[output] += value * weights[at++];
    });
    sums.push(sum);
    values = index + 1 < layers.length ? sum.map(apply) : sum;
  });
  return {inputs, sums, logits: values};
}

function softmax(logits) {
  const largest = logits.reduce((one, other) => Math.max(one, other));
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}

// What each pixel adds to the logit of a class: the derivative of the logit with respect to the pixel, times the
// pixel. Without hidden layers, that is weight times pixel.
function contributions({layers, derive}, {inputs, sums}, wanted) {
  let gradient = Float64Array.from({length: layers[layers.length - 1].outputs}, (_, index) => Number(index === wanted));
  for (let index = layers.length - 1; index >= 0; index--) {
    const {outputs, weights} = layers[index];
    const active = [...gradient.keys()].filter((output) => gradient[output] !== 0);
    const below = index > 0 ? sums[index - 1].map(derive) : inputs[0];
    gradient = below.map((factor, input) => {
      if (factor === 0) return 0;
      let sum = 0;
      for (const output of active) sum += weights[input * outputs + output] * gradient[output];
      return factor * sum;
    });
  }
  return gradient;
}

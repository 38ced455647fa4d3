/** Lines over time, as SVG. A value that is not known is null, and leaves a hole. */

const NAMESPACE = 'http://www.w3.org/2000/svg';
const SIZE = { width: 300, height: 90 };
/** How many values a chart has: one a second. */
export const SAMPLES = 60;

/** @param {number[]} values @param {number} least @returns {number} 1, 2 or 5 times a power of ten, above all of them */
export function ceiling(values, least) {
  const most = Math.max(least, ...values);
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most) ?? most;
}

/**
 * @param {(number | null)[]} values the last one at the right
 * @param {number} count how many there is room for
 * @param {number} top
 * @param {{ width: number, height: number }} size
 * @returns {string} an SVG path
 */
export function linePath(values, count, top, { width, height }) {
  let pen = 'M';
  const parts = values.map((value, i) => {
    if (value === null) {
      pen = 'M';
      return '';
    }
    const x = width - ((values.length - 1 - i) * width) / (count - 1);
    const y = height - 2 - (value / top) * (height - 4);
    // A single value is a dot: a line of no length, with round ends.
    const part = `${pen}${x.toFixed(1)},${y.toFixed(1)}${pen === 'M' ? 'h0' : ''}`;
    pen = 'L';
    return part;
  });
  return parts.join('');
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A chart with a title, a legend with the last values, and its range in words. */
export class Chart {
  #series;
  #unit;
  #least;
  #range = element('p', { className: 'small range' });
  #svg = document.createElementNS(NAMESPACE, 'svg');

  /**
   * @param {HTMLElement} figure
   * @param {{ title: string, unit: string, least: number, names: Record<string, string> }} options `least`: the range
   *   is never smaller; `names`: what the legend calls each series
   */
  constructor(figure, { title, unit, least, names }) {
    this.#unit = unit;
    this.#least = least;
    this.#svg.setAttribute('viewBox', `0 0 ${SIZE.width} ${SIZE.height}`);
    this.#svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg.setAttribute('role', 'img');
    const legend = element('dl', { className: 'legend' });
    this.#series = Object.entries(names).map(([key, name]) => {
      const path = document.createElementNS(NAMESPACE, 'path');
      path.dataset.series = key;
      this.#svg.append(path);
      const last = element('dd', { textContent: '–' });
      last.dataset.series = key;
      const term = element('dt', { textContent: name });
      term.dataset.series = key;
      legend.append(element('div', {}, term, last));
      return { key, name, path, last, values: /** @type {(number | null)[]} */ ([]), latest: null };
    });
    this.title = title;
    figure.append(element('figcaption', { textContent: `${title}, ${unit}` }), legend, this.#svg, this.#range);
    this.#draw();
  }

  /** @param {Record<string, number | null>} values one of each series */
  add(values) {
    for (const series of this.#series) {
      const value = values[series.key] ?? null;
      series.values = [...series.values, value].slice(-SAMPLES);
      // The last one that was known stays, to be compared with the other line.
      if (value !== null) series.latest = value;
    }
    this.#draw();
  }

  #draw() {
    const known = this.#series.flatMap(({ values }) => values.filter((value) => value !== null));
    const top = ceiling(known, this.#least);
    for (const { path, last, values, latest } of this.#series) {
      path.setAttribute('d', linePath(values, SAMPLES, top, SIZE));
      last.textContent = latest === null ? '–' : `${latest.toFixed(1)} ${this.#unit}`;
    }
    this.#range.textContent = `0 to ${top} ${this.#unit} · last ${SAMPLES} s`;
    const words = this.#series.map(({ name, last }) => `${name}: ${last.textContent}`);
    this.#svg.setAttribute('aria-label', `${this.title}; ${words.join('; ')}`);
  }
}

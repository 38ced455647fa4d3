'use strict';

const { BIN } = require('./conductor');

const FATES = ['delivered', 'told', 'silent'];
const TITLES = { delivered: 'delivered', told: 'told as lost', silent: 'lost silently' };
const COLORS = ['#8fb996', '#e9a23b', '#b7410e'];
/** Faults of a long schedule have no more points than this, each the mean of several bins. */
const POINTS = 300;

/**
 * The timeline of each fault, one row each, both sides beside each other: what became of what was sent at a time.
 * @param {import('./conductor').Result[]} results
 * @returns {Promise<string>} SVG
 */
async function drawTimelines(results) {
  // Both are ES modules.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec } = vegaLite.compile(/** @type {any} */ (specification(results)));
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

function specification(results) {
  const charts = results.flatMap((result) => result.sides.map((side) => timeline(result, side)));
  return {
    title: {
      text: 'What became of messages, by the second in which they were sent; black: the fault',
      anchor: 'start',
      offset: 12,
    },
    columns: 2,
    concat: charts,
    background: 'white',
    padding: 10,
    config: { view: { stroke: null }, title: { fontSize: 11 } },
  };
}

/** One chart: a fault, and one side. */
function timeline({ title, outages }, { side, bins }) {
  const x = {
    field: 'time',
    type: 'quantitative',
    title: null,
    axis: { grid: false, labelExpr: "datum.label + ' s'" },
  };
  const fate = { field: 'fate', type: 'nominal', scale: { domain: FATES.map((each) => TITLES[each]), range: COLORS } };
  return {
    title: { text: [title.replaceAll('`', ''), side], anchor: 'start', limit: 460 },
    width: 440,
    height: 60,
    layer: [
      {
        data: { values: outages.map(({ begin, over }) => ({ time: begin / 1000, over: over / 1000 })) },
        mark: { type: 'rect', color: '#333' },
        encoding: { x, x2: { field: 'over' }, y: { value: -5 }, y2: { value: -1 } },
      },
      {
        data: { values: points(bins) },
        mark: { type: 'bar', binSpacing: 0, opacity: 0.85 },
        encoding: {
          x: { ...x, bin: 'binned' },
          x2: { field: 'end' },
          y: { field: 'share', type: 'quantitative', title: null, axis: { format: '%', values: [0, 0.5, 1] } },
          color: { ...fate, legend: { title: null, orient: 'bottom' } },
        },
      },
    ],
  };
}

/** @param {import('./conductor').Result['sides'][0]['bins']} bins */
function points(bins) {
  const width = Math.ceil(bins.length / POINTS);
  const starts = Array.from({ length: Math.ceil(bins.length / width) }, (_, index) => index * width);
  return starts.flatMap((start) => {
    const together = bins.slice(start, start + width);
    const sums = FATES.map((fate) => together.reduce((sum, bin) => sum + bin[fate], 0));
    const all = sums.reduce((sum, each) => sum + each, 0);
    const [time, end] = [start, start + width].map((bin) => (bin * BIN) / 1000);
    // What is nothing needs no mark.
    return FATES.flatMap((fate, index) =>
      sums[index] > 0 ? [{ time, end, fate: TITLES[fate], share: sums[index] / all }] : [],
    );
  });
}

module.exports = { drawTimelines };

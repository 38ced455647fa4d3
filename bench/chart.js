'use strict';

/**
 * The chart of the cases that have a ratio.
 * @param {import('./stores').Family} family
 * @param {import('./runner').Result[]} results
 * @returns {Promise<string>} SVG
 */
async function drawChart({ title, comparisons }, results) {
  // Both are ES modules.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const values = results.flatMap(({ title, ratios }) =>
    comparisons.flatMap(({ head, against }) => {
      const ratio = ratios[head];
      return ratio === null ? [] : { title, against, ratio, end: Math.max(ratio, 1), label: `${ratio.toFixed(1)}×` };
    }),
  );
  const against = comparisons.map((each) => each.against);
  const { spec } = vegaLite.compile(specification(values, `${title} ${against.join(' and ')}`, against));
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

const COLORS = ['#b7410e', '#4a6fa5'];

/** @returns {any} a Vega-Lite specification */
function specification(values, text, against) {
  const y = { field: 'title', type: 'nominal', sort: null, axis: { title: null, labelLimit: 600 } };
  // On a logarithmic scale a bar starts where both are even.
  const scale = { type: 'log', domainMin: 0.5 };
  const axis = { title: null, values: [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], labelExpr: "datum.label + '×'" };
  const x = { field: 'ratio', type: 'quantitative', scale, axis };
  const side = { field: 'against', type: 'nominal', sort: null };
  const yOffset = { ...side, scale: { domain: against } };
  const legend = against.length > 1 ? { title: 'better than', orient: 'bottom' } : null;
  const color = { ...side, scale: { domain: against, range: COLORS }, legend };
  return {
    data: { values },
    title: { text, anchor: 'start', offset: 12 },
    width: 420,
    height: { step: 8 + 16 * against.length, for: 'position' },
    background: 'white',
    padding: 10,
    layer: [
      { mark: { type: 'bar', cornerRadiusEnd: 3 }, encoding: { y, yOffset, color, x, x2: { datum: 1 } } },
      {
        mark: { type: 'text', align: 'left', dx: 4 },
        encoding: { y, yOffset, x: { ...x, field: 'end' }, text: { field: 'label' } },
      },
      { mark: { type: 'rule', color: '#555', strokeDash: [3, 3] }, encoding: { x: { datum: 1 } } },
    ],
    config: { font: 'sans-serif', view: { stroke: null } },
  };
}

module.exports = { drawChart };

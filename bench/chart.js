'use strict';

/**
 * The chart of the cases that have a ratio.
 * @param {import('./stores').Family} family
 * @param {import('./runner').Result[]} results
 * @returns {Promise<string>} SVG
 */
async function drawChart({ ours, against }, results) {
  // Both are ES modules.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const values = results
    .filter(({ ratio }) => ratio !== null)
    .map(({ title, ratio }) => ({ title, ratio, label: `${ratio.toFixed(1)}×` }));
  const { spec } = vegaLite.compile(specification(values, `How many times better ${ours} is than ${against}`));
  return new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG();
}

/** @returns {any} a Vega-Lite specification */
function specification(values, text) {
  const y = { field: 'title', type: 'nominal', sort: null, axis: { title: null, labelLimit: 600 } };
  // On a logarithmic scale a bar starts where both are even.
  const scale = { type: 'log', domainMin: 0.5 };
  const axis = { title: null, values: [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500], labelExpr: "datum.label + '×'" };
  const x = { field: 'ratio', type: 'quantitative', scale, axis };
  return {
    data: { values },
    title: { text, anchor: 'start', offset: 12 },
    width: 420,
    height: { step: 24 },
    background: 'white',
    padding: 10,
    layer: [
      { mark: { type: 'bar', color: '#b7410e', cornerRadiusEnd: 3, height: 14 }, encoding: { y, x, x2: { datum: 1 } } },
      { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { y, x, text: { field: 'label' } } },
      { mark: { type: 'rule', color: '#555', strokeDash: [3, 3] }, encoding: { x: { datum: 1 } } },
    ],
    config: { font: 'sans-serif', view: { stroke: null } },
  };
}

module.exports = { drawChart };

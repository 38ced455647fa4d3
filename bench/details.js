'use strict';

/** Figures that stand beside the one that counts. */
const CPU = { head: 'process µs', figure: 'cpu' };
const AGES = ['p50', 'p99'].map((figure) => ({ head: `${figure} ms`, figure }));

module.exports = { AGES, CPU };

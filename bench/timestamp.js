'use strict';

/** Stands in a payload where its publisher puts the time, in nanoseconds. */
const TIME = '0'.repeat(20);

module.exports = { TIME };

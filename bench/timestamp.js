'use strict';

/** Stands in a payload where its publisher puts the time, in nanoseconds. */
const TIME = '0'.repeat(20);

/** The time in a payload. */
const STAMP = new RegExp(`\\d{${TIME.length}}`);

/** Stands, before the time, where its publisher puts how many of its kind it has published with this one. */
const SEQUENCE = '0'.repeat(10);

/** The time now, as long as `TIME`. */
function timeNow() {
  return String(process.hrtime.bigint()).padStart(TIME.length, '0');
}

/** @param {number} number */
function sequenceOf(number) {
  return String(number).padStart(SEQUENCE.length, '0');
}

module.exports = { SEQUENCE, sequenceOf, STAMP, TIME, timeNow };

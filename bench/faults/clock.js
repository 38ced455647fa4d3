'use strict';

/** @returns {number} ms on a clock that all processes of this machine share, and that nothing sets */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

module.exports = { now };

'use strict';

/**
 * How long tests and their waits may last, in ms. Tests wait for events: these limits are only against hanging, far
 * beyond what a machine needs on which twenty others compute. `eslint.config.js` allows no others.
 */

const MINUTE = 60_000;

/** For a test, or for a suite with all its tests, which then have it too. */
const LIMIT = { timeout: 30 * MINUTE };

/** For one wait: shorter than the test's, so that what fails says what it waited for. */
const PATIENCE = 5 * MINUTE;

module.exports = { LIMIT, PATIENCE };

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

/** For acknowledgements that all come, as the official adapter keeps the process for so long. */
const ANSWER = 20_000;

/** Where an answer does not come, and others have to come before that is noticed. */
const SHORT = 3000;

module.exports = { ANSWER, LIMIT, PATIENCE, SHORT };

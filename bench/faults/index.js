'use strict';

// `npm run faults`: faults against real servers under load, this package and the official adapter side by side.

const { parseArgs } = require('node:util');

const { mistakes, runFault } = require('./conductor');
const { report, save } = require('./report');
const { openSetup, whatIsMissing } = require('./setups');

/** Those of one setup stand together, and share its servers and nodes. @type {import('./conductor').Fault[]} */
const FAULTS = [
  ...require('./schedule/control').FAULTS,
  ...require('./schedule/server').FAULTS,
  ...require('./schedule/network').FAULTS,
  ...require('./schedule/application').FAULTS,
  ...require('./schedule/application').MAILBOX_FAULTS,
  ...require('./schedule/topology').FAULTS,
  ...require('./schedule/streams').FAULTS,
  ...require('./schedule/secrets').FAULTS,
  ...require('./schedule/clock').FAULTS,
];

const HELP = `npm run faults -- [options]
  --quick        each fault once or twice: is nothing lost silently, and all well again?
  --seed <n>     another schedule (default 1)
  --only <texts> only the faults whose id holds one of these texts, with commas between, such as failover
  --save         keep the report: docs/faults.md and docs/faults.svg
  --list         the faults' ids`;

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      save: { type: 'boolean', default: false },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const texts = values.only.split(',');
  const faults = FAULTS.filter(
    ({ id, fullOnly }) => texts.some((text) => id.includes(text)) && !(values.quick && fullOnly),
  );
  if (values.list) return console.log(faults.map(({ id }) => id).join('\n'));
  const options = { seed: Number(values.seed), quick: values.quick };
  const { results, broken } = await run(faults, options);
  console.log(report(results, options));
  if (values.save && broken.length === 0) await save(results, options);
  const wrong = [...results.flatMap(mistakes), ...broken];
  if (wrong.length > 0) {
    console.error(wrong.join('\n'));
    process.exitCode = 1;
  }
}

/**
 * Runs faults of one setup one after the other.
 * @param {import('./conductor').Fault[]} faults
 * @param {{ seed: number, quick: boolean }} options
 */
async function run(faults, options) {
  /** @type {import('./conductor').Result[]} */
  const results = [];
  /** What could not be run to its end. @type {string[]} */
  const broken = [];
  for (const setup of new Set(faults.map(({ setup }) => setup))) {
    const ofSetup = faults.filter((fault) => fault.setup === setup);
    const missing = whatIsMissing(setup);
    if (missing) console.error(`${ofSetup.map(({ id }) => id)}: left out, since ${missing}`);
    else await runOn(setup, ofSetup, options, results).catch((error) => broken.push(`${setup}: ${error.stack}`));
  }
  return { results, broken };
}

async function runOn(name, faults, options, results) {
  const setup = await openSetup(name);
  try {
    for (const fault of faults) {
      const begin = performance.now();
      results.push(await runFault(fault, setup, options));
      console.error(`${fault.id}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    }
  } finally {
    await setup.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

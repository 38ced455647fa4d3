'use strict';

// `npm run bench`: the incumbents and this package side by side. See NOTES.md for the method.

const { parseArgs } = require('node:util');

const { SingleBar, Presets } = require('cli-progress');

const { ADAPTER_FAMILY, SHARDED_FAMILY, STREAMS_FAMILY } = require('./adapters');
const { EMITTER_FAMILY, STREAMS_EMITTER_FAMILY } = require('./emitters');
const { report } = require('./report');
const { runCase, steps } = require('./runner');
const { STORE_FAMILY } = require('./stores');
const { tellOmissions, WEBSOCKET_FAMILY } = require('./websockets/engines');

const CASES = [
  ...require('./cases/store/receive'),
  ...require('./cases/store/publish'),
  ...require('./cases/store/session'),
  ...require('./cases/store/cluster'),
  ...require('./cases/store/memory'),
  ...require('./cases/adapter/receive'),
  ...require('./cases/adapter/emit'),
  ...require('./cases/adapter/distance'),
  ...require('./cases/adapter/cluster'),
  ...require('./cases/adapter/sharded'),
  ...require('./cases/adapter/streams'),
  ...require('./cases/emitter/publish'),
  ...require('./cases/websocket/broadcast'),
  ...require('./cases/websocket/highest-rate'),
  ...require('./cases/websocket/one-to-one'),
  ...require('./cases/websocket/memory'),
  ...require('./cases/websocket/beside'),
  ...require('./cases/websocket/store'),
];

const FAMILIES = [
  STORE_FAMILY,
  ADAPTER_FAMILY,
  SHARDED_FAMILY,
  STREAMS_FAMILY,
  EMITTER_FAMILY,
  STREAMS_EMITTER_FAMILY,
  WEBSOCKET_FAMILY,
];

const HELP = `npm run bench -- [options]
  --quick        small counts and one round: does it all work, and arrive?
  --rounds <n>   rounds of each case (default 5)
  --only <texts> only the cases whose id holds one of these texts, with commas between, such as adapter
  --save         keep what came out, although it is not all cases
  --list         the cases' ids`;

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', default: '' },
      save: { type: 'boolean', default: false },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const texts = values.only.split(',');
  const cases = CASES.filter(
    ({ id, fullOnly }) => texts.some((text) => id.includes(text)) && !(values.quick && fullOnly),
  );
  if (values.list) return console.log(cases.map(({ id }) => id).join('\n'));
  if (cases.some(({ family }) => family === WEBSOCKET_FAMILY)) tellOmissions();
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  const results = await run(cases, { rounds, quick: values.quick });
  for (const family of FAMILIES) {
    await reportFamily(family, results, { rounds, quick: values.quick, save: values.save });
  }
  const wrong = [...results.values()].flatMap(([{ id, wrong }]) => wrong.map((text) => `${id}: ${text}`));
  if (wrong.length > 0) {
    console.error(`Wrong counts:\n${wrong.join('\n')}`);
    process.exitCode = 1;
  }
}

/** @returns {Promise<Map<any, import('./runner').Result[]>>} by case */
async function run(cases, options) {
  const bar = new SingleBar(
    {
      format: '{bar} {value}/{total}  {step}',
      stopOnComplete: true,
      noTTYOutput: !process.stdout.isTTY,
      notTTYSchedule: 10_000,
    },
    Presets.shades_classic,
  );
  bar.start(
    cases.reduce((sum, each) => sum + steps(each, options.rounds), 0),
    0,
    { step: '' },
  );
  const results = new Map();
  for (const each of cases) {
    results.set(each, await runCase(each, options, (step) => bar.increment(1, { step })));
  }
  bar.stop();
  return results;
}

async function reportFamily(family, results, { save, ...options }) {
  const cases = CASES.filter((each) => each.family === family);
  const ran = cases.flatMap((each) => results.get(each) ?? []);
  const partial = !save && cases.some((each) => !results.has(each));
  if (ran.length > 0) await report(family, ran, { ...options, partial });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

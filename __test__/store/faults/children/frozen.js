'use strict';

/**
 * A store whose process its parent stops for a while. It publishes and asks when it is told to, and
 * reports what it has got once the last message for it has arrived.
 */

const { openStore } = require('../../../support/stores');

const [kind, port] = process.argv.slice(2);
const store = openStore(kind, { port: Number(port), url: `redis://127.0.0.1:${port}` });

const numbers = [];
const answers = [];
const harm = [];
for (const event of ['disconnect', 'reconnecting', 'gap', 'error']) {
  store.on(event, (details) => harm.push(`${event} ${details.code ?? details.connection}`));
}

store.subscribe(
  'to-child',
  (number) => {
    numbers.push(number);
    if (number === 100) finish();
  },
  () => ready(),
);

/** Both connections have to be up: one that is being opened has only 5 s for it. */
async function ready() {
  while (store.stats && store.stats().connections.pub.state !== 'connected') await new Promise(setImmediate);
  process.send('ready');
}

async function finish() {
  while (answers.length < 100) await new Promise(setImmediate);
  process.send({ numbers, answers, harm });
}

process.once('message', ({ publish }) => {
  const client = store.client('1');
  for (let number = 1; number <= publish; number++) {
    store.publish('from-child', number);
    client.get('key', (error) => answers.push(error ? error.code : null));
  }
  process.send('published');
});
process.on('disconnect', () => process.exit());

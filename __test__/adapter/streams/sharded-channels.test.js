'use strict';

/** Suites that know nothing of streams, with `useShardedPubSub`: what is asked and answered crosses on sharded channels. */

process.env.ADAPTER_WIRE = 'streams-sharded';

for (const name of ['acks', 'fetch', 'server-side-emit']) require(`../parity/${name}.test.js`);

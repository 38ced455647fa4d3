'use strict';

/** Broadcasts on sharded channels, official ones too, to native sockets: those of this package's `WebSocketServer`. */

process.env.ADAPTER_WIRE = 'sharded';
process.env.WS_ENGINE = 'native';

for (const name of ['broadcast', 'flags', 'order', 'payloads']) require(`../parity/${name}.test.js`);

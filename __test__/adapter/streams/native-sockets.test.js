'use strict';

/** Entries of streams, official ones too, for native sockets: those of this package's `WebSocketServer`. */

process.env.ADAPTER_WIRE = 'streams';
process.env.WS_ENGINE = 'native';

for (const name of ['broadcast', 'flags', 'order', 'payloads']) require(`../parity/${name}.test.js`);
require('./recovery.test.js');

'use strict';

/** The same answers where the servers use sharded channels. */

process.env.ADAPTER_WIRE = 'sharded';
require('./answers.test.js');

'use strict';

/** The same answers, and the same emitters, where the servers are on streams. */

process.env.ADAPTER_WIRE = 'streams';
require('./answers.test.js');
require('../adapter/parity/emitters.test.js');

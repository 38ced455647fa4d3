'use strict';

const js = require('@eslint/js');
const globals = require('globals');

/** What each layer of lib/ may require of the others: lower ones only. The store and the adapter know nothing of each other. */
const LAYERS = {
  'lib/*.js': [],
  'lib/endpoint/*.js': ['errors', 'values', 'timers'],
  'lib/backplane/*.js': ['errors', 'values', 'timers', 'endpoint'],
  'lib/websocket/*.js': ['errors', 'values', 'timers', 'on-disk', 'backplane'],
  'lib/store/*.js': ['errors', 'values', 'timers', 'on-disk', 'endpoint', 'backplane', 'websocket'],
  'lib/adapter/*.js': ['errors', 'values', 'timers', 'on-disk', 'endpoint', 'backplane', 'websocket'],
  'lib/emitter/*.js': ['errors', 'values', 'timers', 'endpoint', 'backplane', 'adapter'],
  'lib/adapter/wire/*.js': ['channels', 'types', 'room-names', 'values'],
};

/** What fake timers replace, in its globals and in its modules; lib/timers.js has what they cannot reach. */
const FAKED = {
  globals: [
    ...['set', 'clear'].flatMap((verb) => ['Timeout', 'Interval', 'Immediate'].map((noun) => verb + noun)),
    'queueMicrotask',
    'performance',
  ],
  properties: [
    ['Date', 'now'],
    ['process', 'nextTick'],
    ['process', 'hrtime'],
  ],
  modules: ['timers', 'timers/promises', 'perf_hooks'].flatMap((name) => [name, `node:${name}`]),
};
const UNFAKED = 'Fake timers would stop the connections: take it from lib/timers.js.';

/** @param {string} files @param {string[]} allowed */
function layer(files, allowed) {
  // A selector's expression has no slash in it.
  const outside = allowed.length === 0 ? '^[.]' : `[.][.]\\W(?![.][.]\\W|(${allowed.join('|')})(\\W|$))`;
  const message =
    allowed.length === 0 ? 'It stands below all other modules.' : `This layer may require only ${allowed.join(', ')}.`;
  const calls = ['CallExpression[callee.name="require"]', 'ImportExpression'];
  return {
    files: [files],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...calls.map((call) => ({ selector: `${call} Literal[value=/${outside}/]`, message })),
      ],
    },
  };
}

/** Tests wait for events, with the limits of `support/limits.js`: whatever else is short fails on a slow machine. */
const TEST_LIMITS = [
  {
    selector:
      'CallExpression[callee.name=/^(it|test|describe|before|after|beforeEach|afterEach|adapterTest)$/] > ObjectExpression > Property[key.name="timeout"] > Literal',
    message: 'Take LIMIT of __test__/support/limits.js.',
  },
  {
    selector: 'Program > ExpressionStatement > CallExpression[callee.name=/^(it|test|describe)$/][arguments.length=2]',
    message: 'Give it LIMIT of __test__/support/limits.js.',
  },
  {
    selector: 'VariableDeclarator[id.name=/LIMIT|PATIENCE/] Literal',
    message: 'Take LIMIT or PATIENCE of __test__/support/limits.js.',
  },
];

module.exports = [
  { ignores: ['lib/native/', 'target/', '__test__/fuzz/target/', 'artifacts/'] },
  js.configs.recommended,
  {
    languageOptions: { sourceType: 'commonjs', globals: globals.node },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', { max: 80, IIFEs: true }],
    },
  },
  ...Object.entries(LAYERS).map(([files, allowed]) => layer(files, allowed)),
  {
    files: ['lib/**/*.js', 'index.js'],
    ignores: ['lib/timers.js'],
    rules: {
      'no-restricted-globals': ['error', ...FAKED.globals.map((name) => ({ name, message: UNFAKED }))],
      'no-restricted-properties': [
        'error',
        ...FAKED.properties.map(([object, property]) => ({ object, property, message: UNFAKED })),
      ],
      'no-restricted-modules': ['error', { paths: FAKED.modules.map((name) => ({ name, message: UNFAKED })) }],
    },
  },
  // A test file is one long description; its tests are the functions that should be short.
  {
    files: ['__test__/**/*.js'],
    ignores: ['__test__/support/limits.js'],
    rules: { 'max-lines-per-function': 'off', 'no-restricted-syntax': ['error', ...TEST_LIMITS] },
  },
  {
    files: ['examples/{adapter,emitter}-*/**/*.js', 'examples/metrics/*.js', '**/*.mjs'],
    languageOptions: { sourceType: 'module' },
  },
  { files: ['demo/public/**/*.js'], languageOptions: { sourceType: 'module', globals: globals.browser } },
  // Its functions run in the page.
  {
    files: ['__test__/demo/**/*.js', 'demo/screenshots.js'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];

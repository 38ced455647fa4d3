'use strict';

const js = require('@eslint/js');
const globals = require('globals');

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
  // A test file is one long description; its tests are the functions that should be short.
  { files: ['__test__/**/*.js'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['demo/public/**/*.js'], languageOptions: { sourceType: 'module', globals: globals.browser } },
  // Its functions run in the page.
  { files: ['__test__/demo/**/*.js'], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];

// The types for `import`, where the default is what `require` gives: `createAdapter`.

export * from './index.js';
export { createAdapter as default } from './index.js';

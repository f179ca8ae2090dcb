// The programs that have to start fast, in as few files as each command needs: dist/bin/wctr.cjs and container.cjs.
// CommonJS, because Node compiles and links it in half the time of the same ES modules.
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: { wctr: 'dist/cli/launch.js', 'wctr-main': 'dist/cli/main.js', container: 'dist/host/process/child.js' },
  platform: 'node',
  external: ['@wasmer/wasi', 'memfs'],
  output: {
    dir: 'dist/bin',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    cleanDir: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  },
});

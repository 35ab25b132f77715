/**
 * Bundles a program of a project with one of the bundlers that users have: `node bundle.mjs BUNDLER FORMAT INPUT OUTPUT`, where
 * BUNDLER is `esbuild`, `rollup`, `vite` or `webpack`, and FORMAT is `esm` or `cjs`. Everything but Node's own modules goes into
 * the one file OUTPUT.
 */
import { createRequire } from 'node:module';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const [bundler = '', format = '', input = '', output = ''] = process.argv.slice(2);
const isEsm = format === 'esm';
const builtin = [...builtinModules, ...builtinModules.map((name) => `node:${name}`)];

/** @param {string} file */
const load = async (file) => import(pathToFileURL(file).href);

/** What is a problem in the package, and not in its dependencies. @param {string} text */
const isOwn = (text) => text.includes('manifest-tool');

/** @type {Record<string, () => Promise<void>>} */
const bundlers = {
  async esbuild() {
    const { build } = await load(require.resolve('esbuild'));
    const banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
    await build({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      platform: 'node',
      format,
      target: 'node20',
      minify: true,
      // undici is CommonJS, and requires Node's modules.
      ...(isEsm && { banner }),
    });
  },
  async rollup() {
    const [{ rollup }, { nodeResolve }, { default: commonjs }] = await Promise.all([
      load(require.resolve('rollup')),
      load(require.resolve('@rollup/plugin-node-resolve')),
      load(require.resolve('@rollup/plugin-commonjs')),
    ]);
    const bundle = await rollup({
      input,
      external: builtin,
      plugins: [
        nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), // undici requires it where it is needed, and Node 20 does not have it; the plugin would import it at the start.
        commonjs({ ignore: ['node:sqlite'] }),
      ],
      onwarn(/** @type {{ message: string }} */ { message }) {
        if (isOwn(message)) throw new Error(message);
      },
    });
    await bundle.write({ file: output, format, inlineDynamicImports: true });
  },
  async vite() {
    const { build } = await load(require.resolve('vite'));
    await build({
      root: path.dirname(input),
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: input,
        outDir: path.dirname(output),
        emptyOutDir: false,
        target: 'node20',
        minify: true,
        rolldownOptions: {
          output: { format, entryFileNames: path.basename(output), codeSplitting: false },
        },
      },
    });
  },
  async webpack() {
    const { default: webpack } = await load(require.resolve('webpack'));
    await new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          target: 'node20',
          entry: input,
          context: path.dirname(input),
          experiments: { outputModule: isEsm },
          output: {
            path: path.dirname(output),
            filename: path.basename(output),
            ...(isEsm ? { module: true, chunkFormat: 'module' } : {}),
          },
          optimization: { splitChunks: false },
          plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
        },
        (/** @type {Error | null} */ error, /** @type {any} */ stats) => {
          if (error) reject(error);
          else if (stats.hasErrors()) reject(new Error(stats.toString('errors-only')));
          else resolve(undefined);
        },
      );
    });
  },
};
await bundlers[bundler]?.();

import { resolve } from 'node:path';
import t from 'tap';
import { ConfigError, readSettings, type Sources } from '../src/config.ts';

const sources = (
  t: { testdir: (files: Record<string, string>) => string },
  over: Partial<Sources>,
  file?: string,
): Sources => ({
  flags: {},
  environment: {},
  folder: t.testdir(file === undefined ? {} : { 'signalbox.yaml': file }),
  ...over,
});

t.test('without anything the defaults of the contract hold, relative to the folder of the caller', async (t) => {
  const given = sources(t, {});
  t.match(readSettings(given), {
    watch: [resolve(given.folder, 'runs')],
    db: resolve(given.folder, 'data/signalbox.db'),
    host: '127.0.0.1',
    port: 4747,
    gpu: 'auto',
    gpuInterval: 1000,
    hostInterval: 1000,
    token: null,
  });
});

t.test('a flag beats the environment, the environment the file, the file the default', async (t) => {
  const file = 'port: 1001\ngpuInterval: 2s\nwatch: [a, b]\n';
  const environment = { SIGNALBOX_PORT: '1002' };
  const folder = t.testdir({ 'signalbox.yaml': file });
  t.match(readSettings({ flags: { port: '1003' }, environment, folder }), { port: 1003, gpuInterval: 2000 });
  t.equal(readSettings({ flags: {}, environment, folder }).port, 1002);
  const { port, watch } = readSettings({ flags: {}, environment: {}, folder });
  t.equal(port, 1001);
  t.same(watch, [resolve(folder, 'a'), resolve(folder, 'b')]);
});

t.test('what cannot be used is named with its value and what is allowed', async (t) => {
  const refuses = (over: Partial<Sources>, file: string | undefined, message: RegExp) =>
    t.throws(() => readSettings(sources(t, over, file)), { name: 'ConfigError', message });
  refuses({ flags: { port: '70000' } }, undefined, /--port: "70000" is not a port; use 0 to 65535/);
  refuses(
    { environment: { SIGNALBOX_GPU: 'amd' } },
    undefined,
    /SIGNALBOX_GPU: "amd" .* auto, nvml, nvidia-smi or off/,
  );
  refuses(
    {},
    'gpuInterval: fast\n',
    /signalbox.yaml: gpuInterval: "fast" is not a duration; use for example 500ms or 1s/,
  );
  refuses({}, 'gpuInterval: 1ms\n', /out of range; use 100ms to 60s/);
  refuses({}, 'prot: 4747\n', /"prot" is not a key; known are watch, db/);
  refuses({}, 'watch: [\n', /is not YAML/);
  refuses({}, 'port: -5\n', /signalbox.yaml: port: -5 is not a port; use 0 to 65535/);
  refuses({}, 'db: ""\n', /signalbox.yaml: db: "" is not a text; give one value/);
  refuses({ flags: { config: 'missing.yaml' } }, undefined, /missing.yaml cannot be read/);
  refuses({ flags: { host: '0.0.0.0' } }, undefined, /not loopback.*SIGNALBOX_TOKEN or --token-file/);
});

t.test('an empty flag is refused, an empty variable is as good as none', async (t) => {
  for (const flag of ['port', 'db', 'host', 'gpu-interval', 'token-file', 'watch']) {
    const message = new RegExp(`^--${flag}: "" is `);
    t.throws(() => readSettings(sources(t, { flags: { [flag]: '' } })), { name: 'ConfigError', message });
  }
  t.throws(() => readSettings(sources(t, { flags: { config: '' } })), { message: /^--config: "" is not a text/ });
  const environment = { SIGNALBOX_PORT: '', SIGNALBOX_CONFIG: '', SIGNALBOX_TOKEN: '' };
  t.match(readSettings(sources(t, { environment }, 'port: 1001\n')), { port: 1001, token: null });
});

t.test('what YAML itself only warns of is refused in one line', async (t) => {
  for (const [file, why] of [
    ['port: !!foo 1\n', 'Unresolved tag'],
    ['? [a]\n: 1\n', '"[ a ]" is not a key'],
  ] as const) {
    const given = sources(t, {}, file);
    let [said, warned] = ['', false];
    const onWarning = () => {
      warned = true;
    };
    process.once('warning', onWarning);
    try {
      readSettings(given);
    } catch (error) {
      said = String(error);
    }
    await new Promise(setImmediate);
    process.off('warning', onWarning);
    t.match(said, `ConfigError: ${resolve(given.folder, 'signalbox.yaml')}: `);
    t.match(said, why);
    t.notMatch(said, '\n');
    t.notOk(warned, 'and nothing else is said');
  }
});

t.test(
  'a token comes from the environment, a file or the key, never from a flag, and is not repeated when it is bad',
  async (t) => {
    const folder = t.testdir({ token: 'abcdefgh12345\n', 'signalbox.yaml': 'token: from_the_file_1\n' });
    const environment = { SIGNALBOX_TOKEN: 'from-the-environment' };
    t.equal(readSettings({ flags: { 'token-file': 'token' }, environment, folder }).token, 'from-the-environment');
    t.equal(readSettings({ flags: { 'token-file': 'token' }, environment: {}, folder }).token, 'abcdefgh12345');
    t.equal(readSettings({ flags: {}, environment: {}, folder }).token, 'from_the_file_1');
    try {
      readSettings({ flags: {}, environment: { SIGNALBOX_TOKEN: 'se cret!' }, folder });
      t.fail('a token with a space was taken');
    } catch (error) {
      t.ok(error instanceof ConfigError);
      t.notMatch(error, { message: /se cret/ });
    }
  },
);

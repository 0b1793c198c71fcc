// `npm run bench -- NAME`: runs one benchmark alone and prints one JSON line per figure.
// A benchmark starts the product as a user does (bin/signalbox.js, shipped defaults, real sockets) and makes its own data.

const BENCHES = ['tail', 'overhead', 'backfill', 'sample', 'store', 'query', 'rules', 'faults'] as const;

const name = process.argv[2];
if (name === undefined || !BENCHES.some((bench) => bench === name)) {
  console.error(
    `bench: ${name === undefined ? 'name one' : `"${name}" is not a benchmark`}; there are ${BENCHES.join(', ')}`,
  );
  process.exit(2);
}

const { measure } = await import(`./${name}.ts`);
await measure((figure: string, value: number, unit: string) => {
  console.log(JSON.stringify({ bench: name, figure, value: Number(value.toPrecision(4)), unit }));
});
process.exit(0);

/** mulberry32: the same numbers on every machine. */
export const createRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};
export type Random = ReturnType<typeof createRandom>;

/** How one trainer writes its result file. */
export type Format = {
  readonly end: string;
  /** Empty for results.txt. */
  readonly header: string;
  readonly row: (random: Random, epoch: number, seconds: number) => string;
};

const VALUES = ['0.5', 'nan', 'inf', '-inf', '1e-05', '0.0009536', '0'];
const oneOf = <T>(random: Random, first: T, ...others: readonly T[]): T => others[random(others.length + 1)] ?? first;
const value = (random: Random) => oneOf(random, '0.25', ...VALUES);

/** A csv with or without `time`, padded or not, or a results.txt of 15, 16 or 17 fields. */
export const chooseFormat = (random: Random, kind: 'csv' | 'txt'): Format => {
  const end = random(4) === 0 ? '\r\n' : '\n';
  if (kind === 'txt') {
    const fields = 15 + random(3);
    const row: Format['row'] = (random, epoch) => {
      const cells = [`${epoch}/${random(3) === 0 ? 99 : 299}`, oneOf(random, '2.06G', '12.8G', '0G')];
      while (cells.length < fields) cells.push(random(4) === 0 ? value(random) : String(random(1000) / 1000));
      return cells.map((cell) => cell.padStart(10)).join('');
    };
    return { end, header: '', row };
  }
  const timed = random(2) === 0;
  const width = oneOf(random, 0, 20, 23);
  const join = (cells: readonly string[]) => cells.map((cell) => cell.padStart(width)).join(',');
  return {
    end,
    header: join(['epoch', ...(timed ? ['time'] : []), 'train/loss', 'val/loss']),
    row: (random, epoch, seconds) => {
      const loss = random(6) === 0 ? '' : value(random);
      return join([String(epoch), ...(timed ? [String(seconds)] : []), loss, String(random(1000) / 1000)]);
    },
  };
};

/** Lines of one training and of what happens to it: resumes, re-runs, NUL bytes, ragged and broken rows, other headers. */
export const writeLines = (random: Random, format: Format): string[] => {
  const lines: string[] = [];
  let epoch = random(2);
  let seconds = 0;
  for (let count = random(8); count > 0; count--) {
    const happening = random(12);
    if (happening === 0) epoch = random(2);
    if (happening <= 1) seconds = 0;
    seconds += 1 + random(90);
    const row = format.row(random, epoch, seconds);
    const odd = random(16);
    if (odd === 0) lines.push(row.slice(random(row.length)));
    else if (odd === 1) lines.push(`${row}${format.header === '' ? ' 9' : ',9'}`);
    else if (odd === 2) lines.push(`\0\0\0${row}`);
    else if (odd === 3) lines.push(`${row}x`);
    else if (odd === 4) lines.push('');
    else if (odd === 5 && format.header !== '') lines.push(oneOf(random, format.header, 'epoch,train/other'), row);
    else lines.push(row);
    if (happening !== 2) epoch++;
  }
  return lines;
};

/** A whole file, its end perhaps not written or half written. */
export const writeText = (random: Random, { end, header }: Format, lines: readonly string[]): string =>
  [...(header === '' ? [] : [header]), ...lines].join(end) + oneOf(random, end, '', `${end}7,0.`, `${end}     7/2`);

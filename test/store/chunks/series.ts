/** Series as sources give them, and as nobody would: the value at each row, NaN where it is not known. */
export const createSeries = (chance: () => number): Readonly<Record<string, (i: number) => number>> => {
  const bits = new DataView(new ArrayBuffer(8));
  const anyDouble = (): number => {
    bits.setUint32(0, chance() * 2 ** 32);
    bits.setUint32(4, chance() * 2 ** 32);
    const value = bits.getFloat64(0);
    return Number.isFinite(value) ? value : -0;
  };
  let energy = 0;
  let memory = 20 * 2 ** 30;
  return {
    utilization: () => Math.floor(chance() * 101),
    power: () => Math.round(2e4 + 5e3 * chance()) / 100,
    memory: () => {
      if (chance() < 0.02) memory += Math.floor(chance() * 2 ** 28);
      return memory;
    },
    'a counter that begins again': () => {
      energy = chance() < 0.01 ? 0 : energy + 231.7;
      return Math.round(energy * 1000) / 1000;
    },
    constant: () => 42_949_672_960,
    'minus zero': (i) => (i % 3 === 0 ? -0 : 0),
    'only minus zero': () => -0,
    'never known': () => Number.NaN,
    'known every other time': (i) => (i % 2 === 0 ? 7 : Number.NaN),
    'known at the end': (i) => (i < 3 ? Number.NaN : i),
    denormal: (i) => Number.MIN_VALUE * (i % 5),
    'very large': (i) => (i % 2 === 0 ? 1e308 : -1e308),
    'whole and beyond 2^53': (i) => 2 ** 60 + i * 2 ** 9,
    'whole, either side of the largest': (i) => (i % 2 === 0 ? 1 : -1) * (2 ** 50 - 2 + (i % 5)),
    'a third': (i) => i / 3,
    'a step from far below to far above': (i) => (i === 1 ? -(2 ** 50) : 2 ** 50),
    anything: anyDouble,
  };
};

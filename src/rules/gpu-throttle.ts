import type { Cause, Evidence } from '../core/alert.ts';
import { THROTTLE_BITS, throttleReasons } from '../core/metrics.ts';
import { median, sum } from '../core/statistics.ts';
import { defineRule, type GpuTickInput, type Verdict } from './rule.ts';
import { THROTTLE_PARAMETERS, type ThrottleLimits } from './throttle-parameters.ts';
import { percent, significant } from './wording.ts';

type State = {
  lastAt: number | null;
  run: string | null;
  /** Ticks of late with their reasons, oldest first; each stands for `s` seconds. */
  ticks: { at: number; s: number; bits: number }[];
  /** SM clock (MHz) at work without anything that slows it down, oldest first. */
  clocks: number[];
  /** Their median, reckoned now and then; null until there are enough. */
  usualClock: number | null;
  untilReckoned: number;
};

const HARDWARE = THROTTLE_BITS.hw_slowdown | THROTTLE_BITS.hw_thermal_slowdown | THROTTLE_BITS.hw_power_brake_slowdown;
const THERMAL = THROTTLE_BITS.sw_thermal_slowdown;
const LONGEST_TICK_S = 5;
const KEPT_CLOCKS = 300;
const ENOUGH_CLOCKS = 60;
const RECKONED_EVERY = 30;

const newState = (): State => ({
  lastAt: null,
  run: null,
  ticks: [],
  clocks: [],
  usualClock: null,
  untilReckoned: 0,
});

/** A GPU that is slowed down by heat or power, against its own clock at work. */
export const gpuThrottle = defineRule({
  id: 'gpu_throttle',
  title: 'GPU is slowed down',
  description:
    'The hardware or the driver slows the GPU down because of heat or power; a power cap is only noted, and only when it costs much.',
  severity: ['info', 'warning', 'critical'],
  subject: 'gpu',
  needs: ['gpu'],
  parameters: THROTTLE_PARAMETERS,
  tracks: {
    throttle: { hold: { ms: 15_000 }, keepFiring: { ms: 60_000 }, cooldown: { ms: 60_000 } },
    power: { hold: { ms: 120_000 }, keepFiring: { ms: 60_000 } },
  },
  init: newState,
  step: (state, input: GpuTickInput, limits) => {
    const bits = input.values?.throttle ?? null;
    if (bits === null) {
      const missing: Verdict = { kind: 'no-data', missing: ['throttle reasons of the GPU'] };
      return [state, { throttle: missing, power: missing }];
    }
    const next = input.run !== null && state.run !== null && input.run.id !== state.run ? newState() : state;
    take(next, input, bits, limits);
    return [next, { throttle: judge(next, input, limits), power: judgePower(next, input, bits, limits) }];
  },
});

const take = (state: State, input: GpuTickInput, bits: number, limits: ThrottleLimits): void => {
  const { at, run } = input;
  const s = state.lastAt === null ? 0 : Math.min((at - state.lastAt) / 1000, LONGEST_TICK_S);
  state.lastAt = at;
  state.run = run?.id ?? state.run;
  state.ticks.push({ at, s, bits });
  const oldest = at - 1000 * Math.max(limits.hardwareWindowS, limits.thermalWindowS);
  while ((state.ticks[0]?.at ?? at) <= oldest) state.ticks.shift();

  const clock = input.values?.clockSm ?? null;
  const isCapped = (bits & THROTTLE_BITS.sw_power_cap) !== 0 && isSlow(state, clock, limits.powerClock);
  if (clock === null || !isBusy(input, limits) || (bits & (HARDWARE | THERMAL)) !== 0 || isCapped) return;
  state.clocks.push(clock);
  if (state.clocks.length > KEPT_CLOCKS) state.clocks.shift();
  if (state.untilReckoned-- > 0 || state.clocks.length < ENOUGH_CLOCKS) return;
  state.usualClock = median(state.clocks);
  state.untilReckoned = RECKONED_EVERY;
};

const judge = (state: State, input: GpuTickInput, limits: ThrottleLimits): Verdict => {
  const hardware = shareOf(state, input.at, HARDWARE, limits.hardwareWindowS);
  const thermal = shareOf(state, input.at, THERMAL, limits.thermalWindowS);
  const byHardware = hardware >= limits.hardwareShare;
  const byHeat = thermal >= limits.thermalShare && isSlow(state, input.values?.clockSm ?? null, limits.thermalClock);
  if (byHardware || byHeat) {
    const isHot =
      thermal > 0.2 || shareOf(state, input.at, THROTTLE_BITS.hw_thermal_slowdown, limits.thermalWindowS) > 0;
    const found = byHardware
      ? `The hardware has slowed ${input.gpu} down for ${percent(hardware)} of the last ${limits.hardwareWindowS} s`
      : `The driver has slowed ${input.gpu} down because of heat for ${percent(thermal)} of the last ${limits.thermalWindowS} s`;
    return {
      kind: 'breach',
      severity: byHardware ? 'critical' : 'warning',
      title: isHot ? 'The GPU is too hot and slowed down' : 'The hardware slows the GPU down',
      problem: `${found}${costOf(state, input)}.`,
      evidence: evidenceOf(state, input),
      cause: isHot ? heat(input) : brake(state),
      fix: isHot ? HEAT_FIX : BRAKE_FIX,
    };
  }
  if (hardware >= limits.clearShare || thermal >= limits.clearShare) return { kind: 'between' };
  // A GPU that idles is not slowed down, whatever made it so: it is over when it works freely, or nobody needs it.
  return isBusy(input, limits) || input.run === null
    ? { kind: 'clear', result: `${input.gpu} is slowed down no more` }
    : { kind: 'between' };
};

const judgePower = (state: State, input: GpuTickInput, bits: number, limits: ThrottleLimits): Verdict => {
  const clock = input.values?.clockSm ?? null;
  if (input.run === null && !isBusy(input, limits)) return { kind: 'clear' };
  if (clock === null || state.usualClock === null || !isBusy(input, limits)) return { kind: 'between' };
  const isCapped = (bits & THROTTLE_BITS.sw_power_cap) !== 0;
  if (!isCapped || !isSlow(state, clock, limits.powerClock)) {
    return { kind: 'clear', result: `${input.gpu} is back at its usual clock` };
  }
  return {
    kind: 'breach',
    severity: 'info',
    title: 'The power cap costs much of the clock',
    problem: `${input.gpu} is held at its power limit${costOf(state, input)}.`,
    evidence: evidenceOf(state, input),
    cause: {
      code: 'power',
      text: 'The GPU reaches its power limit: the limit was lowered, or what is trained now draws more.',
      confidence: 0.8,
      signals: ['sw_power_cap'],
      missing: [],
    },
    fix: POWER_FIX,
  };
};

/** Seconds with any of these bits, as a share of the window. What was not sampled counts as free of them. */
const shareOf = ({ ticks }: State, at: number, bits: number, windowS: number): number =>
  sum(ticks.map((tick) => ((tick.bits & bits) !== 0 && tick.at > at - 1000 * windowS ? tick.s : 0))) / windowS;

const isBusy = ({ values }: GpuTickInput, limits: ThrottleLimits): boolean =>
  (values?.utilization ?? 0) >= limits.busyUtilization;

const isSlow = ({ usualClock }: State, clock: number | null, share: number): boolean =>
  usualClock !== null && clock !== null && clock < share * usualClock;

/** What it costs, by the clock: `: 900 MHz instead of 1410, 36 % less`. */
const costOf = ({ usualClock }: State, { values }: GpuTickInput): string => {
  const clock = values?.clockSm ?? null;
  if (clock === null || usualClock === null || clock >= usualClock) return '';
  return `: ${clock} MHz instead of ${significant(usualClock, 4)}, ${percent(significant(1 - clock / usualClock, 2))} less`;
};

const evidenceOf = ({ usualClock }: State, { values }: GpuTickInput): readonly Evidence[] => {
  const { clockSm = null, temperature = null, power = null, powerLimit = null, throttle = null } = values ?? {};
  return [
    {
      name: 'SM clock',
      value: clockSm,
      unit: 'MHz',
      ...(usualClock !== null && { expected: significant(usualClock, 4) }),
    },
    { name: 'temperature', value: temperature, unit: '°C' },
    {
      name: 'power',
      value: power && significant(power),
      unit: 'W',
      ...(powerLimit !== null && { expected: `at most ${significant(powerLimit)}` }),
    },
    { name: 'reasons now', value: throttleReasons(throttle)?.join(', ') || 'none', unit: '' },
  ];
};

const heat = ({ values }: GpuTickInput): Cause => ({
  code: 'thermal',
  text: 'The GPU is at the temperature at which it has to slow down.',
  confidence: 0.9,
  signals: values?.temperature == null ? ['thermal slowdown'] : ['thermal slowdown', `${values.temperature} °C`],
  missing: ['speed of the fans of the case', 'temperature of the room'],
});

const brake = ({ ticks }: State): Cause => {
  const isBrake = ticks.some(({ bits }) => (bits & THROTTLE_BITS.hw_power_brake_slowdown) !== 0);
  return {
    code: 'hw',
    text: isBrake
      ? 'The power supply or the machine pulls the brake (power brake): it cannot give what the GPU draws.'
      : 'The hardware slows the GPU down: its power supply, or a fault of the board.',
    confidence: isBrake ? 0.9 : 0.6,
    signals: [isBrake ? 'hw_power_brake_slowdown' : 'hw_slowdown'],
    missing: ['state of the power supplies (ipmitool sdr)'],
  };
};

const HEAT_FIX = [
  'Look at the fans and the air in front of the GPU: dust, a blocked slot, a warm neighbour, a room that is too warm.',
  'Until then, lower the power limit a little (nvidia-smi -pl): a steady clock is faster than one that jumps.',
  'Set persistence mode and the fan curve of the machine; on a server see its BMC.',
] as const;
const BRAKE_FIX = [
  'See which: nvidia-smi -q -d PERFORMANCE.',
  'Look at the power supplies and cables: one of two that failed pulls the brake (ipmitool sdr type "Power Supply").',
  'Lower the power limit of all GPUs (nvidia-smi -pl) until it is mended.',
] as const;
const POWER_FIX = [
  'See the limit and its default: nvidia-smi -q -d POWER.',
  'Set it back if somebody lowered it: nvidia-smi -pl WATT.',
  'Otherwise nothing: it is what the board can give.',
] as const;

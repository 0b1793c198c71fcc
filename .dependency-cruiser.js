// The dependency rule of docs/architecture.md. `npm run lint` runs it through scripts/check-boundaries.ts,
// which also fails when nothing was cruised.
const ROOMS = ['collectors', 'store', 'rules', 'report', 'notify', 'server', 'launch', 'import'];

/** Each outside library has one door. */
const DOORS = [
  ['better-sqlite3', '^src/store/'],
  ['fastify', '^src/server/'],
  ['@fastify/.*', '^src/server/'],
  ['ws', '^src/server/'],
  ['apache-arrow', '^src/server/arrow\\.ts$'],
  ['chokidar', '^src/collectors/runner/watch\\.ts$'],
  ['systeminformation', '^src/collectors/host/facts\\.ts$'],
  ['node-nvidia-smi', '^src/collectors/gpu/xml\\.ts$'],
  ['koffi', '^src/collectors/gpu/nvml/'],
  ['pino', '^src/(main|app)\\.ts$'],
];

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one thing, or that one of them holds two.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-the-floor',
      comment: 'core imports nothing of ours: everything else stands on it.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^src/(?!core/)' },
    },
    ...ROOMS.map((room) => ({
      name: `${room}-stays-in-its-room`,
      comment: `${room} imports core and itself; rooms meet in app.ts and pipeline.ts only.`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(?!core/|${room}/)` },
    })),
    {
      name: 'doctor-stays-in-its-room',
      comment:
        'doctor looks with the eyes of the collectors themselves, so that what it says of a machine is what the service ' +
        'would see there; otherwise it imports core and itself.',
      severity: 'error',
      from: { path: '^src/doctor/' },
      to: { path: '^src/(?!core/|collectors/|doctor/)' },
    },
    {
      name: 'rules-and-report-are-pure',
      comment: 'Rules and reports are functions of their input, so that replay, demo and tests are the same thing.',
      severity: 'error',
      from: { path: '^src/(rules|report)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-optional', 'npm-dev'] },
    },
    {
      name: 'pipeline-knows-core-only',
      comment: 'The pipeline gets its parts as arguments (types from core and rules); app.ts wires them.',
      severity: 'error',
      from: { path: '^src/pipeline\\.ts$' },
      to: { path: '^src/(collectors|store|server|report|notify)/' },
    },
    {
      name: 'nothing-imports-main',
      comment: 'main.ts is the only user of process.*; nothing may depend on it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'product-does-not-import-tests',
      comment: 'Simulators stand in for what cannot be had; the product never holds them.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'web-takes-types-from-core',
      comment: 'The dashboard shares the model with the service and nothing else.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/(?!core/)' },
    },
    ...DOORS.map(([library, door]) => ({
      name: `one-door-for-${library.replace(/[^a-z0-9]+/g, '-')}`,
      comment: `${library} is used in one place only, so that it can be replaced in one place.`,
      severity: 'error',
      from: { path: '^src/', pathNot: door },
      to: { path: `node_modules/${library}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};

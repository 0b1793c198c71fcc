import { join } from 'node:path';
import type { Surroundings } from './app.ts';
import type { Settings } from './options.ts';

/** What `test/simulators/demo.js` exports. */
type Simulators = { readonly startDemo: (settings: Settings) => Promise<Surroundings> };

/**
 * Starts the simulators of the demo and returns what the service then runs in. They are not part of the product:
 * plain JavaScript beside it, loaded only when they are asked for. `root` is the folder of our package.json.
 */
export const startDemo = async (settings: Settings, root: string): Promise<Surroundings> => {
  // The simulators are type-checked against Surroundings where they are written.
  const simulators: Simulators = await import(join(root, 'test/simulators/demo.js'));
  return await simulators.startDemo(settings);
};

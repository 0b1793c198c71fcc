import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium as playwright } from 'playwright-core';

/** A browser for tests, with what its pages complained about. */
export type TestBrowser = {
  readonly context: BrowserContext;
  /** Console errors and exceptions of every page, as one line each. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** Quiet on the network, and small enough for a container: no `/dev/shm`, no GPU, no sandbox as root. */
const ARGUMENTS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-sync',
  '--no-first-run',
  '--no-sandbox',
];

/**
 * Starts the Chromium that lies in the npm package @sparticuz/chromium. It is unpacked once per version, into a folder
 * of its own: the package would take any that lies about, of whatever version or half unpacked.
 */
export const openBrowser = async (options: BrowserContextOptions = {}): Promise<TestBrowser> => {
  const executablePath = await unpackedChromium();
  const browser = await playwright.launch({ args: ARGUMENTS, executablePath });
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1440, height: 900 }, ...options });
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  return { context, complaints, close: () => browser.close() };
};

const unpackedChromium = async (): Promise<string> => {
  const manifest = new URL(import.meta.resolve('@sparticuz/chromium').replace(/build\/.*$/, 'package.json'));
  const { version }: { version: string } = JSON.parse(readFileSync(manifest, 'utf8'));
  const folder = join(tmpdir(), `signalbox-chromium-${version}`);
  if (!existsSync(folder)) await unpackInto(folder);
  return join(folder, 'chromium');
};

/** Test files run side by side: each unpacks for itself, and the first to be done gives its folder the common name. */
const unpackInto = async (folder: string): Promise<void> => {
  const own = mkdtempSync(`${folder}-`);
  const before = process.env.TMPDIR;
  // The package asks for the temporary folder whenever it unpacks something.
  process.env.TMPDIR = own;
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    chromium.setGraphicsMode = false;
    await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  if (existsSync(folder)) rmSync(own, { recursive: true });
  else renameSync(own, folder);
};

import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';

/** Connections stay open, as those of a browser do. */
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** What all these addresses answer, asked at once, and how long it took until the last byte of the last answer, ms. */
export const timedAnswers = async (urls: readonly string[]): Promise<{ ms: number; bodies: readonly string[] }> => {
  const askedAt = performance.now();
  const bodies = await Promise.all(urls.map(bodyOf));
  return { ms: performance.now() - askedAt, bodies: bodies.map((body) => body.toString()) };
};

const bodyOf = (url: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(parts);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.toString().slice(0, 500)}`));
      });
    }).on('error', reject);
  });

import type { OpenFile } from './access.ts';

/** Up to `length` bytes from `position`; fewer only where the file ends. */
export const readAt = async (file: OpenFile, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const bytesRead = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
};

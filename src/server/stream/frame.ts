import type { StreamEvent } from '../../core/ports.ts';

/** One whole unmasked, uncompressed text message as a server sends it (RFC 6455, 5.2), to be written to any socket. */
export const frameText = (text: string): Buffer => {
  const length = Buffer.byteLength(text);
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + length);
  frame[0] = 0x81;
  if (headerBytes === 2) {
    frame[1] = length;
  } else if (headerBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerBytes);
  return frame;
};

/** The frame of an event. `cursor` is where a client that has it stands. */
export const frameEvent = ({ topic, at, data }: StreamEvent, cursor: string): Buffer =>
  frameText(JSON.stringify({ op: 'event', topic, cursor, at, data }));

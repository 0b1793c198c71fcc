/** What one client of the stream may cost. */
export type StreamLimits = {
  /** Largest message that a client may send; a larger one closes with 1009. */
  readonly maxMessageBytes: number;
  /**
   * Bytes waiting in the process for one socket beyond which nothing more is written to it until it has drained:
   * durable events then wait in the store, sampled ones are coalesced. Larger than a socket's own 64 KiB mark.
   */
  readonly highWaterBytes: number;
  /** Bytes of durable events that a client may be behind before it is closed with 1013. */
  readonly maxBehindBytes: number;
  readonly maxSubscriptions: number;
  /** Characters of requests that may wait while a client catches up; more close with 1008. */
  readonly maxWaitingBytes: number;
  readonly pingEveryMs: number;
  /** How long a peer has to read up to its close frame before the socket is destroyed. */
  readonly closeGraceMs: number;
  /** The same when the service stops. */
  readonly stopGraceMs: number;
};

/** The limits in force. */
export const STREAM_LIMITS: StreamLimits = {
  maxMessageBytes: 64 * 1024,
  highWaterBytes: 256 * 1024,
  maxBehindBytes: 4 * 1024 * 1024,
  maxSubscriptions: 256,
  maxWaitingBytes: 256 * 1024,
  pingEveryMs: 15_000,
  closeGraceMs: 10_000,
  stopGraceMs: 2000,
};

/** Says what comes next, before it is done: it is the last word of a probe that hangs. */
export type Tell = (doing: string) => void;

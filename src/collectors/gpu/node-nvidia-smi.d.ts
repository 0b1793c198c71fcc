/** node-nvidia-smi 1.0.0 brings no types. `data` is what xml2js makes of `nvidia-smi -q -x`; `error` may be a text. */
declare module 'node-nvidia-smi' {
  export default function nvidiaSmi(callback: (error: unknown, data: unknown) => void): void;
}

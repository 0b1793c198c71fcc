/**
 * A GPU's place on the PCI bus in the form of the kernel log, such as `0000:61:00`: domain, bus and device in small
 * letters, the domain with four digits where they suffice. Read from what nvidia-smi and NVML print (`00000000:61:00.0`)
 * and from what the kernel log names (`PCI:0000:61:00`). null when the text is no such place.
 */
export const parsePciBusId = (text: string): string | null => {
  const [, domain, bus, device] = /^(?:PCI:)?([\da-f]{4,8}):([\da-f]{2}):([\da-f]{2})(?:\.[\da-f])?$/i.exec(text) ?? [];
  if (domain === undefined || bus === undefined || device === undefined) return null;
  return [Number.parseInt(domain, 16).toString(16).padStart(4, '0'), bus, device].join(':').toLowerCase();
};

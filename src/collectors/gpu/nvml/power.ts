import { codeOf, type Device, fail, isAsked, know } from './device.ts';
import type { Nvml } from './library.ts';
import { CODE } from './return-codes.ts';
import { TEMPERATURE_V1 } from './structs.ts';

/** nvmlTemperatureSensors_t: the GPU's own. */
const GPU_SENSOR = 0;

/**
 * Reads power in W, which is what `nvidia-smi --query-gpu=power.draw` is (of the moment on GA100, else a mean of one
 * second on Ampere and later), and the temperature.
 */
export const createPowerReader = (nvml: Nvml): ((device: Device) => void) => {
  const number = Buffer.alloc(4);
  const temperature = Buffer.alloc(TEMPERATURE_V1.size);

  const readTemperature = (handle: bigint): number => {
    // Deprecated since 13.0 but there in every driver so far; the new call has another struct.
    if (nvml.nvmlDeviceGetTemperature !== undefined) return nvml.nvmlDeviceGetTemperature(handle, GPU_SENSOR, number);
    temperature.writeUInt32LE(TEMPERATURE_V1.version, 0);
    temperature.writeUInt32LE(GPU_SENSOR, TEMPERATURE_V1.sensor);
    const code = codeOf(nvml.nvmlDeviceGetTemperatureV?.(handle, temperature));
    temperature.copy(number, 0, TEMPERATURE_V1.temperature);
    return code;
  };

  return (device) => {
    const { handle } = device;
    if (handle === null) return;
    if (isAsked(device, 'power')) {
      const code = codeOf(nvml.nvmlDeviceGetPowerUsage?.(handle, number));
      if (code === CODE.success) know(device, 'power', number.readUInt32LE(0) / 1000);
      else fail(device, ['power'], code);
    }
    if (isAsked(device, 'temperature')) {
      const code = readTemperature(handle);
      if (code === CODE.success) know(device, 'temperature', number.readInt32LE(0));
      else fail(device, ['temperature'], code);
    }
  };
};

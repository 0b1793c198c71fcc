/* What a GPU does now: one call, one or two values. */
#include <math.h>
#include "stub.h"

/* The windows over which the driver's own numbers are made. */
#define UTILIZATION_PER_S 6
#define POWER_PER_S 10
#define PCIE_WINDOW_US 20000

enum clock { CLOCK_GRAPHICS, CLOCK_OF_SM, CLOCK_OF_MEMORY, CLOCK_VIDEO };

struct utilization {
  uint32_t gpu, memory;
};

struct memory {
  uint64_t total, free, used;
};
_Static_assert(sizeof(struct memory) == 24, "nvmlMemory_t");

struct memory_v2 {
  uint32_t version;
  uint64_t total, reserved, free, used;
};
_Static_assert(sizeof(struct memory_v2) == 40, "nvmlMemory_v2_t");

struct temperature_v1 {
  uint32_t version, sensor;
  int32_t temperature;
};

static double window_start(int per_s) { return floor(now_ms() * per_s / 1000) * 1000 / per_s; }

/* A value of a curve as the unsigned number that a call gives; NOT_SUPPORTED where the board has no such thing. */
static int give(const struct device *device, enum curve_id id, double at_ms, uint32_t *out) {
  double value = value_at(device, id, at_ms);
  if (out == NULL) return INVALID_ARGUMENT;
  if (isnan(value)) return NOT_SUPPORTED;
  *out = (uint32_t)llround(value);
  return SUCCESS;
}

/* In MIG mode nobody counts for the whole GPU, and for an instance only newer boards do. */
EXPORT int nvmlDeviceGetUtilizationRates(const struct device *device, struct utilization *out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (device->gpu->mig_count > 0) return NOT_SUPPORTED;
  double at = window_start(UTILIZATION_PER_S);
  int code = give(device, CURVE_UTILIZATION, at, &out->gpu);
  return code == SUCCESS ? give(device, CURVE_MEMORY_UTILIZATION, at, &out->memory) : code;
}

static struct memory_v2 memory_of(const struct device *device) {
  bool whole = device->mig == NULL;
  double used = whole ? value_at(device, CURVE_MEMORY_USED, now_ms()) : held_at(&device->mig->memory_used, now_ms());
  struct memory_v2 memory = {
      .total = whole ? device->gpu->memory_total : device->mig->memory,
      .reserved = whole ? device->gpu->memory_reserved : 0,
      .used = (uint64_t)llround(used),
  };
  memory.free = memory.total > memory.used + memory.reserved ? memory.total - memory.used - memory.reserved : 0;
  return memory;
}

/* From driver 510 on the old call counts the reserved memory as used. */
EXPORT int nvmlDeviceGetMemoryInfo(const struct device *device, struct memory *out) {
  ON(device);
  NEEDS(out);
  struct memory_v2 memory = memory_of(device);
  uint64_t reserved = timeline->generation >= 510 ? memory.reserved : 0;
  *out = (struct memory){memory.total, memory.total - memory.used - reserved, memory.used + reserved};
  return SUCCESS;
}

EXPORT int nvmlDeviceGetMemoryInfo_v2(const struct device *device, struct memory_v2 *out) {
  ON(device);
  NEEDS(out);
  if (out->version != VERSION_WORD(struct memory_v2, 2u)) return ARGUMENT_VERSION_MISMATCH;
  struct memory_v2 memory = memory_of(device);
  memory.version = out->version;
  *out = memory;
  return SUCCESS;
}

/* Boards that average over a second give that here; only the field of instant power does not. */
EXPORT int nvmlDeviceGetPowerUsage(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  double at = window_start(POWER_PER_S);
  int code = give(device, CURVE_POWER_AVERAGE, at, out);
  return code == NOT_SUPPORTED ? give(device, CURVE_POWER, at, out) : code;
}

EXPORT int nvmlDeviceGetTotalEnergyConsumption(const struct device *device, uint64_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  double value = value_at(device, CURVE_ENERGY, now_ms());
  if (isnan(value)) return NOT_SUPPORTED;
  *out = (uint64_t)value;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetTemperature(const struct device *device, uint32_t sensor, uint32_t *out) {
  ON_WHOLE(device);
  return sensor == 0 ? give(device, CURVE_TEMPERATURE, now_ms(), out) : INVALID_ARGUMENT;
}

EXPORT int nvmlDeviceGetTemperatureV(const struct device *device, struct temperature_v1 *out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (out->version != VERSION_WORD(struct temperature_v1, 1u)) return ARGUMENT_VERSION_MISMATCH;
  return out->sensor == 0 ? give(device, CURVE_TEMPERATURE, now_ms(), (uint32_t *)&out->temperature) : INVALID_ARGUMENT;
}

/* In % of what the fan can do; a board that the server's own fans cool has none. */
EXPORT int nvmlDeviceGetFanSpeed(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  return give(device, CURVE_FAN, now_ms(), out);
}

EXPORT int nvmlDeviceGetClockInfo(const struct device *device, uint32_t clock, uint32_t *out) {
  ON_WHOLE(device);
  if (clock > CLOCK_VIDEO) return INVALID_ARGUMENT;
  return give(device, clock == CLOCK_OF_MEMORY ? CURVE_CLOCK_MEMORY : CURVE_CLOCK_SM, now_ms(), out);
}

EXPORT int nvmlDeviceGetMaxClockInfo(const struct device *device, uint32_t clock, uint32_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (clock > CLOCK_VIDEO) return INVALID_ARGUMENT;
  *out = clock == CLOCK_OF_MEMORY ? device->gpu->max_clock_memory : device->gpu->max_clock_sm;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetPerformanceState(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  return give(device, CURVE_PERFORMANCE_STATE, now_ms(), out);
}

static int reasons(const char *function, const struct device *device, uint64_t *out) {
  int refused = enter_device(function, device);
  if (refused != SUCCESS) return refused;
  if (device->mig != NULL) return NOT_SUPPORTED;
  NEEDS(out);
  *out = (uint64_t)value_at(device, CURVE_REASONS, now_ms());
  return SUCCESS;
}

EXPORT int nvmlDeviceGetCurrentClocksEventReasons(const struct device *device, uint64_t *out) {
  return reasons(__func__, device, out);
}

EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(const struct device *device, uint64_t *out) {
  return reasons(__func__, device, out);
}

/* Counts bytes while the caller waits: 0 what the GPU sends, 1 what it gets, in KB/s. */
EXPORT int nvmlDeviceGetPcieThroughput(const struct device *device, uint32_t direction, uint32_t *out) {
  ON_WHOLE(device);
  if (direction > 1) return INVALID_ARGUMENT;
  pause_us(PCIE_WINDOW_US);
  return give(device, direction == 0 ? CURVE_PCIE_TX : CURVE_PCIE_RX, now_ms(), out);
}

EXPORT int nvmlDeviceGetPcieReplayCounter(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  return give(device, CURVE_REPLAYS, now_ms(), out);
}

/* Saves power when idle, as a real link. */
EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = value_at(device, CURVE_UTILIZATION, now_ms()) > 0 ? device->gpu->max_link_generation : 1;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxPcieLinkGeneration(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = device->gpu->max_link_generation;
  return SUCCESS;
}

static int lanes(const char *function, const struct device *device, uint32_t *out) {
  int refused = enter_device(function, device);
  if (refused != SUCCESS) return refused;
  if (device->mig != NULL) return NOT_SUPPORTED;
  NEEDS(out);
  *out = 16;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetCurrPcieLinkWidth(const struct device *device, uint32_t *out) {
  return lanes(__func__, device, out);
}

EXPORT int nvmlDeviceGetMaxPcieLinkWidth(const struct device *device, uint32_t *out) {
  return lanes(__func__, device, out);
}

/* Corrected or uncorrected, since the driver's load or ever: what the simulation knows began with it, so both agree. */
EXPORT int nvmlDeviceGetTotalEccErrors(const struct device *device, uint32_t kind, uint32_t counter, uint64_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (kind > 1 || counter > 1) return INVALID_ARGUMENT;
  uint32_t value;
  int code = give(device, kind == 0 ? CURVE_ECC_CORRECTED : CURVE_ECC_UNCORRECTED, now_ms(), &value);
  if (code == SUCCESS) *out = value;
  return code;
}

EXPORT int nvmlDeviceGetRemappedRows(const struct device *device, uint32_t *corrected, uint32_t *uncorrected,
                                     uint32_t *pending, uint32_t *failed) {
  ON_WHOLE(device);
  const enum curve_id ids[] = {CURVE_ROWS_CORRECTED, CURVE_ROWS_UNCORRECTED, CURVE_ROWS_PENDING, CURVE_ROWS_FAILED};
  uint32_t *outs[] = {corrected, uncorrected, pending, failed};
  int code = SUCCESS;
  for (int i = 0; i < 4 && code == SUCCESS; i++) code = give(device, ids[i], now_ms(), outs[i]);
  return code;
}

/* Many values in one call: the driver's ring of samples, and fields. */
#include <math.h>
#include "stub.h"

#define RING 100
#define SAMPLES_PER_S 6

enum value_type { U32 = 1, U64 = 3 };

union value {
  uint32_t u32;
  uint64_t u64;
};

struct sample {
  uint64_t timestamp;
  union value value;
};
_Static_assert(sizeof(struct sample) == 16, "nvmlSample_t");

struct field_value {
  uint32_t id, scope;
  int64_t timestamp, latency_us;
  uint32_t type;
  int32_t code;
  union value value;
};
_Static_assert(sizeof(struct field_value) == 40, "nvmlFieldValue_t");

static bool curve_of_samples(uint32_t type, enum curve_id *out) {
  switch (type) {
    case 0: return *out = CURVE_POWER, true;
    case 1: return *out = CURVE_UTILIZATION, true;
    case 2: return *out = CURVE_MEMORY_UTILIZATION, true;
    case 5: return *out = CURVE_CLOCK_SM, true;
    case 6: return *out = CURVE_CLOCK_MEMORY, true;
    default: return false;
  }
}

/*
 * The last 100 windows of 1/6 s in which somebody held the GPU: on an idle one the ring runs dry. They come as they lie
 * in the ring, so the oldest need not be the first.
 */
EXPORT int nvmlDeviceGetSamples(const struct device *device, uint32_t type, uint64_t last_seen, uint32_t *value_type,
                                uint32_t *count, struct sample *out) {
  ON_WHOLE(device);
  NEEDS(value_type);
  NEEDS(count);
  enum curve_id id;
  if (device->gpu->mig_count > 0 || !curve_of_samples(type, &id)) return NOT_SUPPORTED;
  *value_type = U32;
  if (out == NULL) {
    *count = RING;
    return SUCCESS;
  }
  uint32_t room = *count, found = 0;
  int64_t newest = (int64_t)floor(now_ms() * SAMPLES_PER_S / 1000);
  for (int64_t place = 0; place < RING && found < room; place++) {
    int64_t tick = newest - ((newest - place) % RING + RING) % RING;
    double at = (double)tick * 1000 / SAMPLES_PER_S;
    if (epoch_us(at) <= last_seen || value_at(device, CURVE_PROCESSES, at) == 0) continue;
    out[found++] = (struct sample){epoch_us(at), {.u32 = (uint32_t)llround(value_at(device, id, at))}};
  }
  *count = found;
  return found > 0 ? SUCCESS : NOT_FOUND;
}

/* Each field with what this library says that it costs, in µs, and the first driver that knows it. */
static const struct field {
  uint32_t id, since;
  enum curve_id curve;
  enum value_type type;
  uint32_t latency_us;
} fields[] = {
    {3, 0, CURVE_ECC_CORRECTED, U64, 40},     {4, 0, CURVE_ECC_UNCORRECTED, U64, 40},
    {5, 0, CURVE_ECC_CORRECTED, U64, 40},     {6, 0, CURVE_ECC_UNCORRECTED, U64, 40},
    {74, 0, CURVE_POWER_CAP_TIME, U64, 15},   {82, 0, CURVE_TEMPERATURE_MEMORY, U32, 12},
    {83, 0, CURVE_ENERGY, U64, 25},           {94, 0, CURVE_REPLAYS, U32, 8},
    {142, 0, CURVE_ROWS_CORRECTED, U32, 30},  {143, 0, CURVE_ROWS_UNCORRECTED, U32, 30},
    {144, 0, CURVE_ROWS_PENDING, U32, 30},    {145, 0, CURVE_ROWS_FAILED, U32, 30},
    {185, 525, CURVE_POWER_AVERAGE, U32, 20}, {186, 525, CURVE_POWER, U32, 20},
    {197, 550, CURVE_PCIE_TX_BYTES, U32, 10}, {198, 550, CURVE_PCIE_RX_BYTES, U32, 10},
    {269, 570, CURVE_THERMAL_TIME, U64, 15},
};

static void answer(const struct device *device, struct field_value *field) {
  field->timestamp = (int64_t)epoch_us(now_ms());
  field->latency_us = 2;
  field->code = NOT_SUPPORTED;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const struct field *known = &fields[i];
    if (known->id != field->id || known->since > timeline->generation) continue;
    double value = value_at(device, known->curve, now_ms());
    if (isnan(value) || (field->scope != 0 && (field->id == 185 || field->id == 186))) return;
    field->latency_us = known->latency_us;
    field->type = known->type;
    /* A counter of bytes has 32 bits and wraps. */
    if (known->type == U32) field->value.u32 = (uint32_t)(uint64_t)value;
    else field->value.u64 = (uint64_t)value;
    field->code = fault_on_field(device->index, field->id);
  }
}

EXPORT int nvmlDeviceGetFieldValues(const struct device *device, int32_t count, struct field_value *values) {
  ON_WHOLE(device);
  NEEDS(values);
  if (count < 1) return INVALID_ARGUMENT;
  for (int32_t i = 0; i < count; i++) answer(device, &values[i]);
  return SUCCESS;
}

/* A GPU that is cut into instances: some of its places are empty, and a handle to an instance knows less than a whole. */
#include "stub.h"

struct attributes {
  uint32_t multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, gpu_slices, compute_slices;
  uint64_t memory_mib;
};
_Static_assert(sizeof(struct attributes) == 40, "nvmlDeviceAttributes_t");

static struct device instances[MAX_GPUS][MAX_MIG];

static bool is_instance(const struct device *device) {
  const char *at = (const char *)device;
  return at >= (const char *)instances && at < (const char *)instances + sizeof instances && device->mig != NULL;
}

bool is_device(const struct device *device) {
  return is_instance(device) || (device >= gpus && device < gpus + MAX_GPUS && device->gpu != NULL);
}

EXPORT int nvmlDeviceGetMigMode(const struct device *device, uint32_t *current, uint32_t *pending) {
  ON(device);
  NEEDS(current);
  NEEDS(pending);
  if (device->mig != NULL || !device->gpu->mig_supported) return NOT_SUPPORTED;
  *current = *pending = device->gpu->mig_count > 0;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  *out = device->mig == NULL && device->gpu->mig_supported ? MAX_MIG : 0;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(const struct device *device, uint32_t slot, const struct device **out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (slot >= MAX_MIG) return INVALID_ARGUMENT;
  for (uint32_t i = 0; i < device->gpu->mig_count; i++) {
    if (device->gpu->mig[i].slot != slot) continue;
    struct device *instance = &instances[device->index][i];
    *instance = (struct device){device->gpu, &device->gpu->mig[i], device->index};
    *out = instance;
    return SUCCESS;
  }
  return NOT_FOUND;
}

EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(const struct device *device, const struct device **out) {
  ON(device);
  NEEDS(out);
  if (device->mig == NULL) return INVALID_ARGUMENT;
  *out = &gpus[device->index];
  return SUCCESS;
}

EXPORT int nvmlDeviceIsMigDeviceHandle(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  *out = device->mig != NULL;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetGpuInstanceId(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  if (device->mig == NULL) return INVALID_ARGUMENT;
  *out = device->mig->gpu_instance;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetComputeInstanceId(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  if (device->mig == NULL) return INVALID_ARGUMENT;
  *out = device->mig->compute_instance;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetAttributes_v2(const struct device *device, struct attributes *out) {
  ON(device);
  NEEDS(out);
  if (device->mig == NULL) return NOT_SUPPORTED;
  const struct mig *mig = device->mig;
  *out = (struct attributes){
      .multiprocessors = mig->multiprocessors,
      .copy_engines = mig->slices,
      .gpu_slices = mig->slices,
      .compute_slices = mig->slices,
      .memory_mib = mig->memory >> 20,
  };
  return SUCCESS;
}

/* What a GPU is: names and numbers that do not change. */
#include <stdio.h>
#include "stub.h"

struct pci {
  char bus_id_legacy[16];
  uint32_t domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
_Static_assert(sizeof(struct pci) == 68, "nvmlPciInfo_t");

EXPORT int nvmlDeviceGetName(const struct device *device, char *out, uint32_t length) {
  ON(device);
  return copy_text(device->mig != NULL ? device->mig->name : device->gpu->name, out, length);
}

EXPORT int nvmlDeviceGetUUID(const struct device *device, char *out, uint32_t length) {
  ON(device);
  return copy_text(device->mig != NULL ? device->mig->uuid : device->gpu->uuid, out, length);
}

EXPORT int nvmlDeviceGetSerial(const struct device *device, char *out, uint32_t length) {
  ON_WHOLE(device);
  return device->gpu->serial[0] == '\0' ? NOT_SUPPORTED : copy_text(device->gpu->serial, out, length);
}

EXPORT int nvmlDeviceGetMinorNumber(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = (uint32_t)device->index;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetPersistenceMode(const struct device *device, uint32_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = device->gpu->persistence;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetArchitecture(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  *out = device->gpu->architecture;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetCudaComputeCapability(const struct device *device, int *major, int *minor) {
  ON(device);
  NEEDS(major);
  NEEDS(minor);
  *major = (int)device->gpu->capability_major;
  *minor = (int)device->gpu->capability_minor;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetPciInfo_v3(const struct device *device, struct pci *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = (struct pci){.bus = device->gpu->bus};
  memcpy(out->bus_id, device->gpu->bus_id, sizeof out->bus_id);
  snprintf(out->bus_id_legacy, sizeof out->bus_id_legacy, "%04X:%02X:00.0", 0, device->gpu->bus & 0xff);
  return SUCCESS;
}

/* W of the plan as mW. */
static int power_limit(const char *function, const struct device *device, uint32_t *out) {
  int refused = enter_device(function, device);
  if (refused != SUCCESS) return refused;
  if (device->mig != NULL) return NOT_SUPPORTED;
  NEEDS(out);
  *out = device->gpu->power_limit;
  return SUCCESS;
}

EXPORT int nvmlDeviceGetEnforcedPowerLimit(const struct device *device, uint32_t *out) {
  return power_limit(__func__, device, out);
}

EXPORT int nvmlDeviceGetPowerManagementLimit(const struct device *device, uint32_t *out) {
  return power_limit(__func__, device, out);
}

EXPORT int nvmlDeviceGetPowerManagementDefaultLimit(const struct device *device, uint32_t *out) {
  return power_limit(__func__, device, out);
}

EXPORT int nvmlDeviceGetPowerManagementLimitConstraints(const struct device *device, uint32_t *least, uint32_t *most) {
  ON_WHOLE(device);
  NEEDS(least);
  NEEDS(most);
  *least = device->gpu->power_limit * 2 / 5;
  *most = device->gpu->power_limit;
  return SUCCESS;
}

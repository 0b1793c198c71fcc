/* The library itself: init and shutdown, versions, and the handles of the GPUs that were there at init. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "stub.h"

struct device gpus[MAX_GPUS];

static atomic_int initialised; /* nvmlInit is counted */
static uint32_t order[MAX_GPUS]; /* place in this library's list to place in the timeline */
static uint32_t count;
static atomic_uint lost;        /* a bit for each GPU */
static atomic_int driver_trouble;

bool is_initialised(void) { return initialised > 0; }

int remember(int code, int gpu) {
  if (code == GPU_IS_LOST && gpu >= 0) lost |= 1u << gpu;
  if (code == DRIVER_NOT_LOADED || code == LIB_RM_VERSION_MISMATCH) driver_trouble = code;
  if (driver_trouble != SUCCESS) return driver_trouble;
  return gpu >= 0 && (lost & 1u << gpu) ? GPU_IS_LOST : code;
}

static bool is_removed(int gpu) {
  const struct orders *orders = current_orders();
  for (uint32_t i = 0; i < orders->fault_count; i++)
    if (orders->faults[i].removed && orders->faults[i].gpu == gpu) return true;
  return false;
}

/* A GPU that is taken out is not counted by the next init, and its old handle is that of a lost one. */
static void find_gpus(void) {
  count = 0;
  for (uint32_t i = 0; i < timeline->gpu_count && i < MAX_GPUS; i++) {
    gpus[i] = (struct device){.gpu = described_gpus() + i, .index = (int)i};
    if (!is_removed((int)i)) order[count++] = i;
  }
  lost = 0;
  driver_trouble = SUCCESS;
}

bool is_present(const struct device *device) { return !is_removed(device->index); }

static int init(const char *function) {
  int code = enter_init(function);
  if (code != SUCCESS) return code;
  if (atomic_fetch_add(&initialised, 1) == 0) find_gpus();
  return SUCCESS;
}

EXPORT int nvmlInit_v2(void) { return init(__func__); }
EXPORT int nvmlInitWithFlags(uint32_t flags) {
  (void)flags;
  return init(__func__);
}

EXPORT int nvmlShutdown(void) {
  log_call(__func__, -1);
  if (!is_initialised()) return UNINITIALIZED;
  initialised--;
  return SUCCESS;
}

EXPORT const char *nvmlErrorString(int code) {
  switch (code) {
    case SUCCESS: return "Success";
    case UNINITIALIZED: return "Uninitialized";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case NO_PERMISSION: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case TIMEOUT: return "Timeout";
    case GPU_IS_LOST: return "GPU is lost";
    case LIB_RM_VERSION_MISMATCH: return "Driver/library version mismatch";
    case ARGUMENT_VERSION_MISMATCH: return "Argument version mismatch";
    default: return "Unknown Error";
  }
}

int copy_text(const char *text, char *out, uint32_t length) {
  if (out == NULL) return INVALID_ARGUMENT;
  if (strlen(text) >= length) return INSUFFICIENT_SIZE;
  strcpy(out, text);
  return SUCCESS;
}

#define IN_LIBRARY()                   \
  do {                                 \
    int refused = enter(__func__);     \
    if (refused != SUCCESS) return refused; \
  } while (0)

EXPORT int nvmlSystemGetDriverVersion(char *out, uint32_t length) {
  IN_LIBRARY();
  return copy_text(timeline->driver, out, length);
}

/* The CUDA major, then the driver's own numbers. */
EXPORT int nvmlSystemGetNVMLVersion(char *out, uint32_t length) {
  IN_LIBRARY();
  char text[96];
  snprintf(text, sizeof text, "%u.%s", timeline->cuda / 1000, timeline->driver);
  return copy_text(text, out, length);
}

EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *out) {
  IN_LIBRARY();
  NEEDS(out);
  *out = (int)timeline->cuda;
  return SUCCESS;
}

EXPORT int nvmlSystemGetProcessName(uint32_t pid, char *out, uint32_t length) {
  IN_LIBRARY();
  for (uint32_t i = 0; i < timeline->process_count; i++)
    if (processes()[i].pid == pid) return copy_text(processes()[i].name, out, length);
  return NOT_FOUND;
}

EXPORT int nvmlDeviceGetCount_v2(uint32_t *out) {
  IN_LIBRARY();
  NEEDS(out);
  *out = count;
  return SUCCESS;
}

/* Here a GPU is touched for the first time, so here a lost one or a forbidden one says so. */
static int open_gpu(const char *function, uint32_t gpu, struct device **out) {
  NEEDS(out);
  int code = remember(faults_on(function, (int)gpu), (int)gpu);
  if (code == SUCCESS) *out = &gpus[gpu];
  return code;
}

EXPORT int nvmlDeviceGetHandleByIndex_v2(uint32_t index, struct device **out) {
  log_call(__func__, index < count ? (int)order[index] : -1);
  if (!is_initialised()) return UNINITIALIZED;
  return index < count ? open_gpu(__func__, order[index], out) : INVALID_ARGUMENT;
}

static int open_named(const char *function, const char *wanted, size_t name_offset, struct device **out) {
  log_call(function, -1);
  if (!is_initialised()) return UNINITIALIZED;
  NEEDS(wanted);
  for (uint32_t i = 0; i < count; i++)
    if (strcmp((const char *)gpus[order[i]].gpu + name_offset, wanted) == 0) return open_gpu(function, order[i], out);
  return NOT_FOUND;
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, struct device **out) {
  return open_named(__func__, uuid, offsetof(struct gpu, uuid), out);
}

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, struct device **out) {
  return open_named(__func__, bus_id, offsetof(struct gpu, bus_id), out);
}

EXPORT int nvmlDeviceGetIndex(const struct device *device, uint32_t *out) {
  ON(device);
  NEEDS(out);
  if (device->mig != NULL) {
    *out = device->mig->slot;
    return SUCCESS;
  }
  for (uint32_t i = 0; i < count; i++)
    if (order[i] == (uint32_t)device->index) *out = i;
  return SUCCESS;
}

/* Calls whose presence tells a caller the driver's generation, and which no board of the simulation answers. */
#include "stub.h"

#define REFUSES(name)                                                  \
  EXPORT int name(const struct device *device, void *out) {            \
    ON(device);                                                        \
    (void)out;                                                         \
    return NOT_SUPPORTED;                                              \
  }

REFUSES(nvmlDeviceGetConfComputeMemSizeInfo)
REFUSES(nvmlDeviceGetRunningProcessDetailList)
REFUSES(nvmlDeviceGetPciInfoExt)
REFUSES(nvmlDeviceGetRemappedRows_v2)

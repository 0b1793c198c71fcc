/* XIDs as events: each set is told of each one once, from its registration on. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include "stub.h"

#define XID_CRITICAL_ERROR 0x8u
#define SUPPORTED (0x1u | 0x2u | XID_CRITICAL_ERROR)
#define CHECK_US 10000

struct event_set {
  uint32_t registered; /* a bit for each GPU */
  double since_ms[MAX_GPUS];
  uint32_t told; /* how many of the timeline's XIDs this set has passed */
};

struct event {
  const struct device *device;
  uint64_t type, data;
  uint32_t gpu_instance, compute_instance;
};
_Static_assert(sizeof(struct event) == 32, "nvmlEventData_t");

EXPORT int nvmlEventSetCreate(struct event_set **out) {
  int refused = enter(__func__);
  if (refused != SUCCESS) return refused;
  NEEDS(out);
  *out = calloc(1, sizeof **out);
  return SUCCESS;
}

EXPORT int nvmlEventSetFree(struct event_set *set) {
  int refused = enter(__func__);
  if (refused != SUCCESS) return refused;
  NEEDS(set);
  free(set);
  return SUCCESS;
}

EXPORT int nvmlDeviceGetSupportedEventTypes(const struct device *device, uint64_t *out) {
  ON_WHOLE(device);
  NEEDS(out);
  *out = SUPPORTED;
  return SUCCESS;
}

EXPORT int nvmlDeviceRegisterEvents(const struct device *device, uint64_t types, struct event_set *set) {
  ON_WHOLE(device);
  NEEDS(set);
  if (types & ~(uint64_t)SUPPORTED) return NOT_SUPPORTED;
  if ((types & XID_CRITICAL_ERROR) == 0) return SUCCESS;
  set->registered |= 1u << device->index;
  set->since_ms[device->index] = now_ms();
  return SUCCESS;
}

/* The timeline has its XIDs in the order of time. */
static const struct xid *next_of(struct event_set *set) {
  for (; set->told < timeline->xid_count; set->told++) {
    const struct xid *xid = &xids()[set->told];
    if (xid->at > now_ms()) return NULL;
    if ((set->registered & 1u << xid->gpu) == 0 || xid->at <= set->since_ms[xid->gpu]) continue;
    set->told++;
    return xid;
  }
  return NULL;
}

static double monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

EXPORT int nvmlEventSetWait_v2(struct event_set *set, struct event *out, uint32_t timeout_ms) {
  int refused = enter(__func__);
  if (refused != SUCCESS) return refused;
  NEEDS(set);
  NEEDS(out);
  double until = monotonic_ms() + timeout_ms;
  for (;;) {
    const struct xid *xid = next_of(set);
    if (xid != NULL) {
      *out = (struct event){&gpus[xid->gpu], XID_CRITICAL_ERROR, xid->code, NO_INSTANCE, NO_INSTANCE};
      return SUCCESS;
    }
    if (monotonic_ms() >= until) return TIMEOUT;
    pause_us(CHECK_US);
  }
}

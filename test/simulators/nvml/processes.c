/* Who holds the GPU. The size of an entry is that of the driver's generation: the timeline says it. */
#include <math.h>
#include "stub.h"

#define SAMPLE_MS 1000.0

struct process_v1 {
  uint32_t pid;
  uint64_t memory;
};
_Static_assert(sizeof(struct process_v1) == 16, "nvmlProcessInfo_v1_t");

/* 24 bytes; drivers 535.43 to 535.86 put 8 bytes more after it, under the name of _v3. */
struct process_v2 {
  uint32_t pid;
  uint64_t memory;
  uint32_t gpu_instance, compute_instance;
};
_Static_assert(sizeof(struct process_v2) == 24, "nvmlProcessInfo_v2_t");

struct process_sample {
  uint32_t pid;
  uint64_t timestamp;
  uint32_t sm, memory, encoder, decoder;
};
_Static_assert(sizeof(struct process_sample) == 32, "nvmlProcessUtilizationSample_t");

struct process_utilization {
  uint64_t timestamp;
  uint32_t pid, sm, memory, encoder, decoder, jpeg, ofa;
};
_Static_assert(sizeof(struct process_utilization) == 40, "nvmlProcessUtilizationInfo_v1_t");

struct processes_utilization {
  uint32_t version, count;
  uint64_t last_seen;
  struct process_utilization *list;
};
_Static_assert(sizeof(struct processes_utilization) == 24, "nvmlProcessesUtilizationInfo_v1_t");

/* On the whole GPU all of its processes, on an instance its own. One that holds nothing is not there. */
static bool is_on(const struct process *process, const struct device *device, double at) {
  if (process->gpu != (uint32_t)device->index) return false;
  if (device->mig != NULL && process->mig != (int32_t)(device->mig - device->gpu->mig)) return false;
  return held_at(&process->memory_used, at) > 0;
}

static void fill(void *entry, size_t stride, const struct process *process, const struct gpu *gpu, double at) {
  const struct mig *mig = process->mig < 0 ? NULL : &gpu->mig[process->mig];
  struct process_v2 full = {
      .pid = process->pid,
      .memory = (uint64_t)held_at(&process->memory_used, at),
      .gpu_instance = mig == NULL ? NO_INSTANCE : mig->gpu_instance,
      .compute_instance = mig == NULL ? NO_INSTANCE : mig->compute_instance,
  };
  memset(entry, 0, stride);
  memcpy(entry, &full, stride < sizeof full ? stride : sizeof full);
}

static int list(const char *function, const struct device *device, uint32_t *count, char *out, size_t stride) {
  int refused = enter_device(function, device);
  if (refused != SUCCESS) return refused;
  NEEDS(count);
  double at = now_ms();
  uint32_t room = out == NULL ? 0 : *count, found = 0;
  for (uint32_t i = 0; i < timeline->process_count; i++) {
    const struct process *process = &processes()[i];
    if (!is_on(process, device, at)) continue;
    if (found < room) fill(out + found * stride, stride, process, device->gpu, at);
    found++;
  }
  *count = found;
  return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

EXPORT int nvmlDeviceGetComputeRunningProcesses(const struct device *device, uint32_t *count, void *out) {
  return list(__func__, device, count, out, sizeof(struct process_v1));
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(const struct device *device, uint32_t *count, void *out) {
  return list(__func__, device, count, out, sizeof(struct process_v2));
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(const struct device *device, uint32_t *count, void *out) {
  return list(__func__, device, count, out, timeline->process_stride);
}

/* Who worked in the last whole second, and how much of it in %. Never counted in MIG mode. */
#define MAX_WORKERS 64
struct worker {
  uint32_t pid, share;
};

static int workers(const struct device *device, uint64_t last_seen, struct worker *out, uint32_t *count,
                   uint64_t *stamp) {
  if (device->gpu->mig_count > 0) return NOT_SUPPORTED;
  double at = floor(now_ms() / SAMPLE_MS) * SAMPLE_MS;
  *stamp = epoch_us(at);
  *count = 0;
  for (uint32_t i = 0; i < timeline->process_count && *count < MAX_WORKERS && *stamp > last_seen; i++) {
    const struct process *process = &processes()[i];
    uint32_t share = is_on(process, device, at) ? (uint32_t)llround(held_at(&process->utilization, at)) : 0;
    if (share > 0) out[(*count)++] = (struct worker){process->pid, share};
  }
  return *count > 0 ? SUCCESS : NOT_FOUND;
}

EXPORT int nvmlDeviceGetProcessUtilization(const struct device *device, struct process_sample *out, uint32_t *count,
                                           uint64_t last_seen) {
  ON_WHOLE(device);
  NEEDS(count);
  struct worker found[MAX_WORKERS];
  uint64_t stamp;
  uint32_t room = out == NULL ? 0 : *count;
  int code = workers(device, last_seen, found, count, &stamp);
  if (code != SUCCESS) return code;
  if (*count > room) return INSUFFICIENT_SIZE;
  for (uint32_t i = 0; i < *count; i++)
    out[i] = (struct process_sample){found[i].pid, stamp, .sm = found[i].share, .memory = found[i].share / 2};
  return SUCCESS;
}

EXPORT int nvmlDeviceGetProcessesUtilizationInfo(const struct device *device, struct processes_utilization *out) {
  ON_WHOLE(device);
  NEEDS(out);
  if (out->version != VERSION_WORD(struct processes_utilization, 1u)) return ARGUMENT_VERSION_MISMATCH;
  struct worker found[MAX_WORKERS];
  uint64_t stamp;
  uint32_t room = out->list == NULL ? 0 : out->count;
  int code = workers(device, out->last_seen, found, &out->count, &stamp);
  if (code != SUCCESS) return code;
  if (out->count > room) return INSUFFICIENT_SIZE;
  for (uint32_t i = 0; i < out->count; i++)
    out->list[i] =
        (struct process_utilization){stamp, found[i].pid, .sm = found[i].share, .memory = found[i].share / 2};
  return SUCCESS;
}

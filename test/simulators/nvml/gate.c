/* What every call passes on its way in: the log, the state of the library, the faults. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "stub.h"

#define RELEASE_CHECK_US 2000
#define ANY (-1)

/* How often each fault has been met in this process, by its id; a slot belongs to the last id that used it. */
static struct {
  atomic_uint id, count;
} met[MAX_FAULTS * 4];

void pause_us(uint64_t us) {
  struct timespec left = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
  while (nanosleep(&left, &left) != 0) continue;
}

static atomic_int log_file = -1;

static void open_log(void) {
  const char *path = getenv("SIGNALBOX_STUB_CALLS");
  int before = log_file;
  log_file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (before >= 0) close(before);
}

/* One line for a call, when it begins: µs since 1970, process, thread, function, GPU (-1: none). */
void log_call(const char *function, int gpu) {
  if (log_file < 0) return;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  char line[160];
  int length = snprintf(line, sizeof line, "%lld %d %ld %s %d\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                        (int)getpid(), syscall(SYS_gettid), function, gpu);
  if (write(log_file, line, (size_t)length) != length) return;
}

/* A fault that names a function is for that one; one that does not is for all, of its GPU if it names one. */
static bool is_for(const struct fault *fault, const char *function, int gpu) {
  if (fault->field != ANY || fault->removed) return false;
  if (fault->gpu != ANY && fault->gpu != gpu) return false;
  return fault->function[0] == '\0' || strcmp(fault->function, function) == 0;
}

static bool is_due(const struct fault *fault) {
  unsigned slot = fault->id % (sizeof met / sizeof *met);
  if (atomic_exchange(&met[slot].id, fault->id) != fault->id) met[slot].count = 0;
  return atomic_fetch_add(&met[slot].count, 1) >= fault->after;
}

static bool is_still_set(uint32_t id) {
  const struct orders *orders = current_orders();
  for (uint32_t i = 0; i < orders->fault_count; i++)
    if (orders->faults[i].id == id) return true;
  return false;
}

/* Waits as long as the faults on this call say; the first code that one of them gives, or SUCCESS. */
int faults_on(const char *function, int gpu) {
  if (current_orders()->fault_count == 0) return SUCCESS;
  struct orders orders = *current_orders(); /* as they were when the call began, also after it was let go */
  int code = SUCCESS;
  for (uint32_t i = 0; i < orders.fault_count; i++) {
    const struct fault *fault = &orders.faults[i];
    if (!is_for(fault, function, gpu) || !is_due(fault)) continue;
    pause_us(fault->latency_us);
    while (fault->hangs && is_still_set(fault->id)) pause_us(RELEASE_CHECK_US);
    if (code == SUCCESS) code = fault->code;
  }
  return code;
}

int fault_on_field(int gpu, uint32_t field) {
  const struct orders *orders = current_orders();
  for (uint32_t i = 0; i < orders->fault_count; i++) {
    const struct fault *fault = &orders->faults[i];
    bool here = fault->field == (int)field && (fault->gpu == ANY || fault->gpu == gpu);
    if (here && is_due(fault)) return fault->code;
  }
  return SUCCESS;
}

int enter_init(const char *function) {
  if (!is_initialised()) {
    if (!open_machine()) return DRIVER_NOT_LOADED;
    open_log();
  }
  log_call(function, ANY);
  return faults_on(function, ANY);
}

int enter(const char *function) {
  log_call(function, ANY);
  if (!is_initialised()) return UNINITIALIZED;
  return remember(faults_on(function, ANY), ANY);
}

int enter_device(const char *function, const struct device *device) {
  int gpu = is_initialised() && is_device(device) ? device->index : ANY;
  log_call(function, gpu);
  if (!is_initialised()) return UNINITIALIZED;
  if (gpu == ANY) return INVALID_ARGUMENT;
  int code = remember(faults_on(function, gpu), gpu);
  return code == SUCCESS && !is_present(device) ? GPU_IS_LOST : code;
}

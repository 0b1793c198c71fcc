/* The simulated machine: two mapped files say what it is, what time it is and what is wrong with it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "stub.h"

const struct timeline *timeline;
static const volatile struct control *control;

/* The file stays what it was when it was mapped: a new timeline is a new file under the old name. */
static const void *map(const char *variable) {
  const char *path = getenv(variable);
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  const void *memory = MAP_FAILED;
  if (file >= 0 && fstat(file, &facts) == 0)
    memory = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, file, 0);
  if (file >= 0) close(file);
  if (memory != MAP_FAILED) return memory;
  fprintf(stderr, "stub libnvidia-ml: cannot map %s=%s\n", variable, path == NULL ? "" : path);
  return NULL;
}

/* Called by every first nvmlInit, as a driver is found anew: the old mappings stay, others may still be reading them. */
bool open_machine(void) {
  const struct timeline *found = map("SIGNALBOX_STUB_TIMELINE");
  const struct control *commands = map("SIGNALBOX_STUB_CONTROL");
  if (found == NULL || commands == NULL) return false;
  if (found->magic != MAGIC || found->version != VERSION || commands->magic != MAGIC || commands->version != VERSION) {
    fprintf(stderr, "stub libnvidia-ml: the timeline or the control file is of another version\n");
    return false;
  }
  timeline = found;
  control = commands;
  return true;
}

/*
 * A whole copy, made anew when there are others: the writer never touches the half that holds, and a second look shows
 * whether it went on meanwhile.
 */
const struct orders *current_orders(void) {
  static _Thread_local struct orders orders;
  static _Thread_local const volatile struct control *copied_from;
  static _Thread_local uint32_t copied;
  uint32_t seen = __atomic_load_n(&control->current, __ATOMIC_ACQUIRE);
  while (control != copied_from || seen != copied) {
    copied_from = control;
    copied = seen;
    memcpy(&orders, (const void *)&control->orders[seen & 1], sizeof orders);
    seen = __atomic_load_n(&control->current, __ATOMIC_ACQUIRE);
  }
  return &orders;
}

double now_ms(void) {
  const struct orders *orders = current_orders();
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  double wall_ms = (double)wall.tv_sec * 1e3 + (double)wall.tv_nsec / 1e6;
  return orders->stepped_ms + (wall_ms - orders->wall_start_at) * orders->speed;
}

uint64_t epoch_us(double at_ms) { return (uint64_t)llround((current_orders()->start_at + at_ms) * 1e3); }

/* Where a field of the header says that an array begins. */
#define AT(offset) ((const char *)timeline + (offset))

const struct gpu *described_gpus(void) { return (const struct gpu *)AT(timeline->gpus); }
const struct process *processes(void) { return (const struct process *)AT(timeline->processes); }
const struct xid *xids(void) { return (const struct xid *)AT(timeline->xids); }

/* The last point at or before a moment; before the first one, the first. */
static const struct point *point_at(const struct curve *curve, double at_ms) {
  const struct point *points = (const struct point *)AT(timeline->points) + curve->first;
  uint32_t low = 0;
  for (uint32_t high = curve->count; high - low > 1;) {
    uint32_t middle = low + (high - low) / 2;
    if (points[middle].at <= at_ms) low = middle;
    else high = middle;
  }
  return points + low;
}

double held_at(const struct curve *curve, double at_ms) {
  return curve->count == 0 ? NAN : point_at(curve, at_ms)->value;
}

double value_at(const struct device *device, enum curve_id id, double at_ms) {
  const struct curve *curve = &device->gpu->curves[id];
  if (id < (enum curve_id)HELD || curve->count < 2) return held_at(curve, at_ms);
  const struct point *from = point_at(curve, at_ms);
  const struct point *last = (const struct point *)AT(timeline->points) + curve->first + curve->count - 1;
  if (from == last) from--;
  return from->value + (from[1].value - from->value) * (at_ms - from->at) / (from[1].at - from->at);
}

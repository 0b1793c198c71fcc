/* What the files of the stub share. The layout of the files it reads is generated from layout.js; what the library
 * takes and gives is declared here and where it is used, by size and offset, without NVIDIA's header. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "layout.h"

#define EXPORT __attribute__((visibility("default")))

enum code {
  SUCCESS = 0,
  UNINITIALIZED = 1,
  INVALID_ARGUMENT = 2,
  NOT_SUPPORTED = 3,
  NO_PERMISSION = 4,
  NOT_FOUND = 6,
  INSUFFICIENT_SIZE = 7,
  DRIVER_NOT_LOADED = 9,
  TIMEOUT = 10,
  GPU_IS_LOST = 15,
  LIB_RM_VERSION_MISMATCH = 18,
  ARGUMENT_VERSION_MISMATCH = 25,
};

#define MAX_GPUS 16
#define NO_INSTANCE UINT32_MAX
#define VERSION_WORD(type, version) ((uint32_t)sizeof(type) | (version) << 24)

/* What a handle points to: a whole GPU, or one of its MIG instances. */
struct device {
  const struct gpu *gpu;
  const struct mig *mig;
  int index;
};

/* machine.c: the files, the clock, the faults. */
extern const struct timeline *timeline;
bool open_machine(void);
double now_ms(void);    /* since the start of the simulation */
uint64_t epoch_us(double at_ms);
double held_at(const struct curve *curve, double at_ms); /* NaN where the curve has no point */
double value_at(const struct device *device, enum curve_id id, double at_ms);
const struct gpu *described_gpus(void);
const struct process *processes(void);
const struct xid *xids(void);
const struct orders *current_orders(void); /* of this thread; they hold until it asks again */

/* gate.c: what every call passes. */
int enter(const char *function);                                     /* needs nvmlInit */
int enter_init(const char *function);
int enter_device(const char *function, const struct device *device); /* needs a handle too */
int fault_on_field(int gpu, uint32_t field);
int faults_on(const char *function, int gpu);
void log_call(const char *function, int gpu);
void pause_us(uint64_t us);

/* system.c */
extern struct device gpus[MAX_GPUS];
bool is_initialised(void);
bool is_present(const struct device *device);
int copy_text(const char *text, char *out, uint32_t length);
int remember(int code, int gpu); /* a GPU or a driver that is lost stays lost until the next first nvmlInit */

/* mig.c */
bool is_device(const struct device *device);

#define ON(device)                                     \
  do {                                                 \
    int refused = enter_device(__func__, device);      \
    if (refused != SUCCESS) return refused;            \
  } while (0)

/* For calls that answer only for a whole GPU. */
#define ON_WHOLE(device)                               \
  do {                                                 \
    ON(device);                                        \
    if ((device)->mig != NULL) return NOT_SUPPORTED;   \
  } while (0)

#define NEEDS(pointer)                                 \
  do {                                                 \
    if ((pointer) == NULL) return INVALID_ARGUMENT;    \
  } while (0)

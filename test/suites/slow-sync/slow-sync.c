/* Preloaded into the agent: every fsync and fdatasync takes SLOW_SYNC_MS longer, as on a worn card. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void delay(void) {
  const char *text = getenv("SLOW_SYNC_MS");
  long ms = text == NULL ? 0 : atol(text);
  struct timespec rest = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&rest, NULL);
}

int fsync(int descriptor) {
  static int (*original)(int);
  if (original == NULL) original = dlsym(RTLD_NEXT, "fsync");
  delay();
  return original(descriptor);
}

int fdatasync(int descriptor) {
  static int (*original)(int);
  if (original == NULL) original = dlsym(RTLD_NEXT, "fdatasync");
  delay();
  return original(descriptor);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* The process id keeps two runs apart that write to the same place. */
static char *temporary_name(const char *path) {
  size_t size = strlen(path) + 32;
  char *name = malloc(size);
  if (name) snprintf(name, size, "%s.%ld.part", path, (long)getpid());
  return name;
}

int output_open(struct output *output, const char *path) {
  *output = (struct output){.path = path};
  bool special = is_special(path);
  if (!special && !(output->temporary = temporary_name(path))) return ENOMEM;
  output->stream = fopen(special ? path : output->temporary, "wb");
  if (output->stream) return 0;
  int error = errno;
  free(output->temporary);
  output->temporary = NULL;
  return error;
}

int output_close(struct output *output, bool keep) {
  int error = fclose(output->stream) == 0 ? 0 : errno;
  output->stream = NULL;
  if (!output->temporary) return error;
  if (!keep)
    unlink(output->temporary);
  else if (rename(output->temporary, output->path) != 0) {
    if (error == 0) error = errno;
    unlink(output->temporary);
  }
  free(output->temporary);
  output->temporary = NULL;
  return error;
}

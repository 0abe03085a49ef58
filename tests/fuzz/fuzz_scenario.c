/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenario loader: any text gives a scenario or errors with places. */
#include "fuzz.h"
#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scn_errors errors;
  if (size > 16384) return 0;
  scn_errors_init(&errors);
  struct scn_file *file = scn_file_parse("fuzz.yaml", (const char *)data, size, &errors);
  for (size_t i = 0; file && i < file->variant_count && i < 4; i++) {
    const struct scn_variant *v = &file->variants[i];
    scn_free(scn_load(file, v->name, v->settings, v->setting_count, &errors));
  }
  scn_file_free(file);
  scn_errors_free(&errors);
  return 0;
}

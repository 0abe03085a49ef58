/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutants by configuration behind the judge's back, by statement, and by the stack below. */
#include "mutants/change.h"

static void leisure_50ms(struct ref_server_config *config) {
  config->leisure = 50 * CHORUS_MILLISECOND;
}
MUTATION(leisure_50ms, server)

static void leisure_doubled(struct ref_server_config *config) {
  config->leisure = 2 * (config->leisure ? config->leisure : REF_DEFAULT_LEISURE);
}
MUTATION(leisure_doubled, server)

static void leisure_1s_stated(struct jdg_ics *ics) {
  ics->leisure = CHORUS_SECOND;
}
MUTATION(leisure_1s_stated, statement)

static void msrd_guessed(struct ref_client_config *config) {
  if (!config->max_server_response_delay) config->max_server_response_delay = 6 * CHORUS_SECOND;
}
MUTATION(msrd_guessed, client)

static void msrd_2s_stated(struct jdg_ics *ics) {
  ics->msrd_declared = true;
  ics->msrd = 2 * CHORUS_SECOND;
}
MUTATION(msrd_2s_stated, statement)

static void nstart_4_stated(struct jdg_ics *ics) {
  ics->nstart = 4;
}
MUTATION(nstart_4_stated, statement)

static void all_classes_suppressed(struct ref_resource *resource) {
  if (resource->suppress) resource->suppress |= REF_SUPPRESS_4XX | REF_SUPPRESS_5XX;
}
MUTATION(all_classes_suppressed, resource)

static void icmp_to_group(struct emu_node_config *config) {
  config->icmp_to_group = true;
  config->no_icmp = false;
}
MUTATION(icmp_to_group, stack)

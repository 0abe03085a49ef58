/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_stacks.h"

#include <stdio.h>
#include <string.h>

static bool plays(const struct cli_stack *stack, int role) {
  return stack->manifest && sut_part_for(stack->manifest, (enum scn_role)role);
}

static bool load(struct cli_stack *stack, const char *what) {
  if (!what) return true;
  if (!cli_stack_load(stack, "run", what)) return false;
  if (cli_stack_available(stack)) return true;
  fprintf(stderr, "chorus run: %s\n", stack->why);
  return false;
}

static bool has_role(const struct cli_stack *stack, int role, bool asked) {
  static const char *const names[] = {"client", "server"};
  if (!asked || !stack->manifest || plays(stack, role)) return true;
  fprintf(stderr, "chorus run: %s: there is no role %s in this manifest\n", stack->manifest->path,
          names[role]);
  return false;
}

bool cli_run_stacks_load(struct cli_run_stacks *s, const struct cli_run_options *o) {
  *s = (struct cli_run_stacks){.role = o->sut_role};
  if (!load(&s->any, o->sut) || !load(&s->by_role[SCN_CLIENT], o->client) ||
      !load(&s->by_role[SCN_SERVER], o->server))
    return false;
  bool as_client = o->sut_role && strcmp(o->sut_role, "client") == 0;
  return has_role(&s->any, as_client ? SCN_CLIENT : SCN_SERVER, o->sut_role != NULL) &&
         has_role(&s->by_role[SCN_CLIENT], SCN_CLIENT, o->client != NULL) &&
         has_role(&s->by_role[SCN_SERVER], SCN_SERVER, o->server != NULL);
}

void cli_run_stacks_free(struct cli_run_stacks *s) {
  cli_stack_free(&s->any);
  cli_stack_free(&s->by_role[SCN_CLIENT]);
  cli_stack_free(&s->by_role[SCN_SERVER]);
}

static bool need(const struct cli_stack *stack, bool *given, enum net_backend *backend) {
  if (!stack->manifest) return true;
  enum net_backend wanted = stack->manifest->rung == SUT_PROGRAM ? NET_KERNEL : NET_SIM;
  if (*given && *backend != wanted) {
    fprintf(stderr, "chorus run: %s is of rung %c and needs --backend %s\n", stack->manifest->name,
            (char)stack->manifest->rung, net_backend_name(wanted));
    return false;
  }
  *given = true;
  *backend = wanted;
  return true;
}

bool cli_run_stacks_backend(const struct cli_run_stacks *s, bool given, enum net_backend *backend) {
  return need(&s->any, &given, backend) && need(&s->by_role[SCN_CLIENT], &given, backend) &&
         need(&s->by_role[SCN_SERVER], &given, backend);
}

static bool can_dilate(const struct cli_stack *stack) {
  const struct sut_manifest *m = stack->manifest;
  if (!m || m->rung != SUT_PROGRAM || m->faketime) return true;
  fprintf(stderr,
          "chorus run: --dilate: %s does not say faketime: true, its clock would not follow\n",
          m->path);
  return false;
}

bool cli_run_stacks_dilate(const struct cli_run_stacks *s, uint64_t dilation) {
  return dilation <= 1 || (can_dilate(&s->any) && can_dilate(&s->by_role[SCN_CLIENT]) &&
                           can_dilate(&s->by_role[SCN_SERVER]));
}

/* Scenarios about clients want the stack as a client, all others as a server, if it can be one. */
static int role_of(const struct cli_run_stacks *s, const struct cli_planned *run) {
  const char *topic = run->scenario->topic;
  bool client = s->role ? strcmp(s->role, "client") == 0 : topic && strcmp(topic, "client") == 0;
  int role = client ? SCN_CLIENT : SCN_SERVER;
  if (plays(&s->any, role)) return role;
  return role == SCN_CLIENT ? SCN_SERVER : SCN_CLIENT;
}

/* On whichever rung it stands, a stack may do otherwise than the reference where the texts let it.
 */
static enum run_deciding deciding(const struct cli_planned *run) {
  bool client = run->stacks[SCN_CLIENT] != NULL, server = run->stacks[SCN_SERVER] != NULL;
  if (!client && !server) return RUN_ALL_DECIDES;
  return client && server ? RUN_INTEROP_DECIDES : RUN_RULES_DECIDE;
}

void cli_run_stacks_assign(const struct cli_run_stacks *s, struct cli_plan *plan) {
  for (size_t i = 0; i < plan->count; i++) {
    struct cli_planned *run = &plan->runs[i];
    for (int role = SCN_CLIENT; role <= SCN_SERVER; role++)
      if (s->by_role[role].manifest) run->stacks[role] = &s->by_role[role];
    if (s->any.manifest) run->stacks[role_of(s, run)] = &s->any;
    run->deciding = deciding(run);
  }
}

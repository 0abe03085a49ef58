/* SPDX-License-Identifier: BSD-2-Clause */
/* Rung a: functions in a shared object (chorus/plugin.h in short: SYMBOL_new, SYMBOL_free). */
#include <dlfcn.h>
#include <stdlib.h>

#include "sut/node.h"

typedef struct chorus_node (*maker)(const char *start_json, const char **why);
typedef void (*freer)(struct chorus_node node);

/* dlsym() gives an object pointer; C has no cast from there to a function pointer. */
static bool find(void *library, const char *prefix, const char *suffix, void *function) {
  char name[160];
  snprintf(name, sizeof name, "%s_%s", prefix, suffix);
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
  return symbol != NULL;
}

static bool open_library(struct sut_node *n, maker *make, char *why, size_t size) {
  struct sut_places places = sut_places_of(n);
  const char *path = sut_fill_in(n->arena, n->part->library, &places);
  if (path && path[0] != '/') path = scn_print(n->arena, "%s/%s", places.manifest, path);
  n->library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!n->library) {
    snprintf(why, size, "%s", path ? dlerror() : "no memory");
    return false;
  }
  if (find(n->library, n->part->symbol, "new", make) &&
      find(n->library, n->part->symbol, "free", &n->plugin_free))
    return true;
  snprintf(why, size, "%s has no functions %s_new and %s_free", path, n->part->symbol,
           n->part->symbol);
  return false;
}

/* The functions are there already, or in the library. */
static bool find_functions(struct sut_node *n, maker *make, char *why, size_t size) {
  const struct sut_linked *linked = n->config.linked;
  if (!linked) return open_library(n, make, why, size);
  *make = linked->make;
  n->plugin_free = linked->release;
  return true;
}

static bool make_plugin(struct sut_node *n, char *why, size_t size) {
  maker make;
  const char *reason = "it does not say why";
  if (!find_functions(n, &make, why, size)) return false;
  n->plugin = make(n->start, &reason);
  if (n->plugin.ops) return true;
  snprintf(why, size, "%s refuses to start: %s", n->config.node->name, reason);
  return false;
}

static int linked_start(struct sut_node *n, chorus_time now) {
  char why[400];
  if (!make_plugin(n, why, sizeof why)) {
    sut_trouble_add(n, SUT_NO_START, now, "%s", why);
    n->broken = true;
    return CHORUS_REFUSED;
  }
  int status =
      n->plugin.ops->start ? n->plugin.ops->start(n->plugin.state, now, n->host) : CHORUS_OK;
  if (status != CHORUS_OK)
    sut_trouble_add(n, SUT_NO_START, now, "%s does not start: status %d", n->config.node->name,
                    status);
  return status;
}

static void linked_datagram(struct sut_node *n, chorus_time now,
                            const struct chorus_datagram *datagram) {
  if (n->plugin.ops->datagram) n->plugin.ops->datagram(n->plugin.state, now, datagram);
}

static void linked_wake(struct sut_node *n, chorus_time now) {
  if (n->plugin.ops->wake) n->plugin.ops->wake(n->plugin.state, now);
}

static void linked_unreachable(struct sut_node *n, chorus_time now,
                               const struct chorus_endpoint *destination) {
  if (n->plugin.ops->unreachable) n->plugin.ops->unreachable(n->plugin.state, now, destination);
}

static int linked_command(struct sut_node *n, chorus_time now, const struct chorus_command *command,
                          const char **why) {
  int status = CHORUS_UNSUPPORTED;
  const char *reason = "";
  if (n->plugin.ops->command)
    status = n->plugin.ops->command(n->plugin.state, now, command, &reason);
  snprintf(n->why, sizeof n->why, "%s", reason ? reason : "");
  *why = n->why;
  sut_check_honesty(n, now, command, status);
  return status;
}

static void linked_stop(struct sut_node *n, chorus_time now) {
  if (n->plugin.ops && n->plugin.ops->stop) n->plugin.ops->stop(n->plugin.state, now);
}

static void linked_free(struct sut_node *n) {
  if (n->plugin.ops && n->plugin_free) n->plugin_free(n->plugin);
  if (n->library) dlclose(n->library);
}

const struct sut_rung_ops sut_linked_ops = {.start = linked_start,
                                            .datagram = linked_datagram,
                                            .wake = linked_wake,
                                            .command = linked_command,
                                            .unreachable = linked_unreachable,
                                            .stop = linked_stop,
                                            .free = linked_free};

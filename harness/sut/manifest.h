/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest of a stack under test (SUT): how it starts, what it can do, what it says of itself.
 * docs/manifest.md describes it for people, scenarios/schema/manifest.schema.json for editors.
 *
 * A manifest does not change after sut_load(); several threads may use it at once.
 */
#ifndef CHORUS_SUT_MANIFEST_H
#define CHORUS_SUT_MANIFEST_H

#include <jansson.h>

#include "judge/ics.h"
#include "scenario/errors.h"
#include "scenario/scenario.h"

/* How it is plugged in (docs/plugins.md). */
enum sut_rung {
  SUT_LINKED = 'a',  /* a shared object, virtual time */
  SUT_PIPED = 'b',   /* a program that speaks the whole protocol, virtual time */
  SUT_PROGRAM = 'd', /* a program in a network namespace, real time */
};

enum sut_role { SUT_CLIENT = 0, SUT_SERVER, SUT_PROXY, SUT_ROLES };
extern const char *const sut_role_names[]; /* "client", "server", "proxy", NULL */
extern const char *const sut_verb_names[]; /* of docs/commands.md, NULL at the end */

/* What of a node's configuration in a scenario a stack can follow. */
enum sut_feature {
  SUT_SUPPRESS = 1u << 0,         /* default suppression per resource */
  SUT_NO_RESPONSE = 1u << 1,      /* the No-Response option (RFC 7967) */
  SUT_SEPARATE = 1u << 2,         /* processing time of a resource: separate responses */
  SUT_OBSERVE = 1u << 3,          /* RFC 7641 */
  SUT_DISCOVERY = 1u << 4,        /* /.well-known/core and the All CoAP Nodes groups */
  SUT_FILTER = 1u << 5,           /* RFC 6690 queries */
  SUT_LEISURE = 1u << 6,          /* a Leisure that is given */
  SUT_PORTS = 1u << 7,            /* ports other than 5683, its groups at any */
  SUT_DEDUP = 1u << 8,            /* de-duplication of NON messages that can be switched off */
  SUT_MULTICAST = 1u << 9,        /* resources that are not enabled for groups */
  SUT_AWARE = 1u << 10,           /* can be made unaware of how a message came */
  SUT_RELAXATION = 1u << 11,      /* No-Response that may only widen suppression */
  SUT_RATE = 1u << 12,            /* a limit of responses per second that is given */
  SUT_TOKEN_LENGTH = 1u << 13,    /* client: a length of Tokens that is given */
  SUT_MSRD = 1u << 14,            /* client: a MAX_SERVER_RESPONSE_DELAY that is given */
  SUT_HOP_LIMIT = 1u << 15,       /* client: a hop limit for group requests that is given */
  SUT_NO_RESPONSE_OFF = 1u << 17, /* resources that ignore the No-Response option */
  SUT_ONE_PORT = 1u << 16,        /* a port other than 5683, for itself and all its groups */
};
/* The name of one feature, or NULL past the last one. */
const char *sut_feature_name(unsigned index);

struct sut_verb {
  const char *name;
  const char *const *arguments; /* NULL at the end */
  struct scn_place place;
};

struct sut_variable {
  const char *name, *value; /* the value may hold placeholders */
};

enum sut_readiness {
  SUT_READY_ADAPTER = 0, /* it says `ready` */
  SUT_READY_OUTPUT,      /* a line of its output fits |pattern| */
  SUT_READY_COAP,        /* a GET of |path| was answered */
  SUT_READY_RUNNING,     /* nothing is waited for: protocol none without `ready` */
};

/* One role of a stack. */
struct sut_part {
  enum sut_role role;
  struct scn_place place;
  const char *const *start; /* argv with placeholders, NULL at the end; NULL on rung a */
  const char *library;      /* rung a: shared object, with placeholders */
  const char *symbol;       /* rung a: prefix of its functions, "chorus_plugin" */
  bool adapter;             /* speaks the protocol; false: an unmodified program */
  const struct sut_variable *environment;
  size_t environment_count;
  enum sut_readiness ready;
  const char *pattern, *path; /* of |ready| */
  chorus_time ready_timeout;  /* real ns; default 20 s */
  int stop_signal; /* adapters: when half of |stop_within| is over; others: at once. 0: none */
  chorus_time stop_within; /* real ns; default 10 s */
  bool join_helper;        /* Chorus joins the groups for it */
  const struct sut_verb *verbs;
  size_t verb_count;
  bool any_resource;                    /* serves what the scenario asks, within |kinds| */
  const struct ref_resource *resources; /* else these */
  size_t resource_count;
  /* By kind of resource: the path of one of |resources| that may stand for any such; or NULL. */
  const char *map[REF_RESOURCE_FIXED + 1];
  uint32_t kinds;    /* set of 1u << enum ref_resource_kind */
  uint32_t methods;  /* REF_GET | ... that it can serve */
  uint32_t features; /* set of enum sut_feature */
  bool ip4, ip6;
  size_t groups; /* groups at once, beside All CoAP Nodes */
};

struct sut_waiver {
  const char *rule, *versions, *reason, *link, *expires;
};

struct sut_manifest {
  const char *path;   /* of the file, as it was opened */
  const char *folder; /* absolute path of the folder that it lies in */
  const char *stacks; /* what {stacks} stands for */
  const char *name;
  const char *version; /* as text, or NULL: the first line of |version_command| */
  const char *const *version_command;
  const char *setup; /* absolute path of the program that installs it, or NULL */
  enum sut_rung rung;
  const struct sut_part *parts[SUT_ROLES]; /* NULL: it does not play this role */
  bool faketime;                           /* libfaketime works on it */
  const struct sut_waiver *waivers;
  size_t waiver_count;
  void *memory; /* the loader's */
};

/*
 * Reads a manifest. |stacks|: the folder that {stacks} stands for; NULL: the folder of the
 * manifest. NULL: see |errors|.
 */
struct sut_manifest *sut_load(const char *path, const char *stacks, struct scn_errors *errors);
/* The same from memory; |path| gives the folder. */
struct sut_manifest *sut_parse(const char *path, const char *text, size_t length,
                               const char *stacks, struct scn_errors *errors);
void sut_free(struct sut_manifest *manifest);

/* The part that plays nodes of this role, or NULL. */
const struct sut_part *sut_part_for(const struct sut_manifest *manifest, enum scn_role role);
/* A verb of a part, or NULL; and whether it declares the argument. */
const struct sut_verb *sut_verb_find(const struct sut_part *part, const char *name);
bool sut_verb_takes(const struct sut_verb *verb, const char *argument);

/*
 * Writes the version to |text|: from the manifest, or from its command, which gets 20 s. False with
 * a sentence in |why|.
 */
bool sut_version(const struct sut_manifest *manifest, char *text, size_t size, char *why,
                 size_t why_size);

/* The waivers as a file of waivers (JSON is YAML) for run_waivers_parse(); free() it. */
char *sut_waivers_text(const struct sut_manifest *manifest);

/* Why a scenario cannot be played. */
struct sut_gap {
  uint32_t line;  /* of the scenario; 0: none */
  char text[240]; /* a sentence that names what is missing */
};

/*
 * Whether the manifest declares all that |scenario| asks of its nodes of |role|. False, with |gap|:
 * the scenario is unsupported.
 */
bool sut_can_play(const struct sut_manifest *manifest, enum scn_role role,
                  const struct scn_scenario *scenario, struct sut_gap *gap);

/*
 * |scenario| as a server with resources of its own can play it: where its servers have one plain
 * resource that `map` knows another for, its paths are those of that one. Else |scenario| itself.
 * In |arena|; shares what is not changed with |scenario| and |manifest|.
 */
struct scn_arena;
const struct scn_scenario *sut_mapped(const struct sut_manifest *manifest,
                                      const struct scn_scenario *scenario, struct scn_arena *arena);

/*
 * Corrects |ics|, which run_ics() filled from the scenario: what the stack does not follow becomes
 * unknown, and what its statement says wins.
 */
void sut_ics(const struct sut_manifest *manifest, enum scn_role role, struct jdg_ics *ics);

#endif

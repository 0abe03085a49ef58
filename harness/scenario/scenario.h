/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Scenario language: one YAML file, one idea (docs/scenario-language.md describes it for
 * people, scenarios/schema/scenario.schema.json for editors). This header is what is left of a file
 * after decoding: names resolved, units converted, loops unrolled, for one combination of the
 * sweep.
 *
 * Times are virtual nanoseconds since the start of the run. All pointers in a scenario belong to it
 * and live until scn_free().
 */
#ifndef CHORUS_SCENARIO_H
#define CHORUS_SCENARIO_H

#include "chorus/emulator.h"
#include "chorus/node.h"
#include "chorus/reference.h"
#include "chorus/types.h"
#include "scenario/errors.h"

/* Where something stands in the file: line and column from 1 on. */
struct scn_place {
  uint32_t line, column;
};

/* How often something may happen: |max| = UINT64_MAX for "2..". */
struct scn_range {
  uint64_t min, max;
};

/* HOST: a place for programs of others; only in topologies (scn_topology_read). */
enum scn_role { SCN_CLIENT = 0, SCN_SERVER, SCN_TESTER, SCN_HOST };

/* A name that stands for an address: a group, a foreign address, a node. */
struct scn_name {
  const char *name; /* without the $ */
  struct chorus_endpoint endpoint;
};

/* ---- messages that a tester crafts ---- */

struct scn_option {
  uint16_t number;
  uint16_t length;
  const uint8_t *value;
};

/*
 * Where a field of a crafted message comes from. AUTO: Message IDs count upwards; a Token is empty
 * in a `send` and that of the message answered in an `answer`; the type is NON, or ACK in answer to
 * CON.
 */
enum scn_field { SCN_AUTO = 0, SCN_GIVEN, SCN_SAME };

struct scn_message {
  enum scn_field type_from, token_from, mid_from;
  uint8_t type;           /* 0 CON, 1 NON, 2 ACK, 3 RST */
  uint8_t code;           /* class << 5 | detail */
  uint8_t version;        /* 1 unless the scenario wants it wrong; 0 to 3 */
  int token_length_field; /* TKL as written on the wire, 0 to 15; -1: the Token's length */
  uint16_t mid;
  uint8_t token[16];
  uint8_t token_length;             /* octets of |token|, 0 to 16 */
  bool marker;                      /* payload marker even without payload */
  const struct scn_option *options; /* ascending by number */
  size_t option_count;
  const uint8_t *payload;
  size_t payload_length;
  const uint8_t *raw; /* the whole UDP payload instead of everything above; NULL: none */
  size_t raw_length;
  const uint8_t *trailing; /* octets appended at the very end */
  size_t trailing_length;
};

enum scn_kind { SCN_ANY_MESSAGE = 0, SCN_REQUEST, SCN_RESPONSE, SCN_EMPTY };
enum scn_destination { SCN_ANYWHERE = 0, SCN_TO_GROUP, SCN_TO_UNICAST };

/* What a tester does when a message arrives that fits. Every answer that fits is sent. */
struct scn_answer {
  struct scn_place place;
  enum scn_kind kind;               /* default: requests */
  const char *path;                 /* "/light" without query, or NULL: any */
  int code;                         /* -1: any */
  int type;                         /* -1: any */
  enum scn_destination destination; /* how it was addressed */
  struct scn_range nth;             /* which of the fitting messages, from 1 on */
  chorus_time after;                /* delay of the first sending */
  uint32_t copies;                  /* how often it is sent, 1 and up */
  chorus_time every;                /* gap between the copies */
  uint16_t source_port;             /* 0: the port that the message came in on */
  bool has_from, has_to;
  struct chorus_endpoint from, to; /* else: own address, and the sender of the message */
  struct scn_message message;
};

/* ---- nodes ---- */

/* What a node states of itself beyond its configuration (its ICS; docs/ics.md). 0: not stated. */
struct scn_statement {
  unsigned needed_scope;  /* multicast scope that the client's task needs, 1 to 15 */
  unsigned nstart;        /* outstanding interactions with a server, at most */
  unsigned group_size;    /* members, for the lower bound of Leisure */
  unsigned response_size; /* octets, for the same */
  uint64_t group_rate;    /* octets per second, for the same */
  bool sixlowpan, internet, constrained, boundary;
};

struct scn_node {
  const char *name;   /* "s2" */
  const char *family; /* "s" when made by count, else the name */
  struct scn_place place;
  enum scn_role role;
  const struct chorus_endpoint *addresses; /* unicast addresses, port 0 */
  size_t address_count;
  uint32_t link; /* 0: the default link, else the index in |links| plus 1 */
  bool multicast_loopback;
  bool no_icmp;
  chorus_time processing; /* PROC that the node declares, ns; default 2 s */
  struct scn_statement statement;
  struct ref_server_config server;  /* role server; and |groups|, |port| of a tester */
  struct ref_client_config client;  /* role client */
  const struct scn_answer *answers; /* role tester */
  size_t answer_count;
};

struct scn_link {
  const char *name;
  struct emu_link_config config;
};

/* ---- the network ---- */

struct scn_impairment {
  const char *name; /* for `repair`, or NULL */
  struct scn_place place;
  const char *from, *to;               /* as written, for messages */
  const uint32_t *senders, *receivers; /* node numbers; one EMU_ANY: all nodes */
  size_t sender_count, receiver_count;
  struct emu_impairment impairment; /* |clause| is the line */
  bool initial;                     /* there from the start; else a step puts it on */
  bool optional; /* need not change any packet (random impairments that may miss) */
};

struct scn_network {
  unsigned ip; /* 4 or 6 */
  chorus_time latency, reassembly_timeout;
  uint32_t mtu, reassembly_limit;
  bool flood; /* switches of real networks do not snoop; the simulator's receivers are the same */
  const struct scn_link *links;
  size_t link_count;
  const struct scn_impairment *impairments;
  size_t impairment_count;
};

/* ---- steps ---- */

enum scn_step_kind { SCN_COMMAND = 0, SCN_SEND, SCN_IMPAIR, SCN_REPAIR };

struct scn_send {
  bool has_from;
  struct chorus_endpoint from, to; /* |from| may be anybody's: spoofing */
  uint8_t hop_limit;               /* 0: default */
  struct scn_message message;
};

struct scn_step {
  chorus_time at;
  struct scn_place place;
  enum scn_step_kind kind;
  bool optional;                 /* the node may turn it down (a request that is over by then) */
  uint32_t node;                 /* COMMAND, SEND */
  struct chorus_command command; /* COMMAND */
  struct scn_send send;          /* SEND */
  uint32_t impairment;           /* IMPAIR, REPAIR: index in network.impairments */
};

/* ---- expectations ---- */

enum scn_expect_kind {
  SCN_EXPECT_DELIVERIES = 0, /* responses handed to the client's application */
  SCN_EXPECT_EVENTS,         /* application events of any node */
  SCN_EXPECT_PACKETS,        /* CoAP messages sent, as at the sender's interface */
};

/* A Response Code or method, or a class of them. */
struct scn_code {
  bool set, whole_class;
  uint8_t code; /* with |whole_class|: class << 5 */
};

/* Patterns of node names, of which one has to fit; none: any node. */
struct scn_patterns {
  const char *const *list;
  size_t count;
};

struct scn_expectation {
  enum scn_expect_kind kind;
  struct scn_place place;
  const char *text;       /* as written, on one line */
  struct scn_range times; /* per node with |each|, else in all */
  bool each;              /* counted for each node that |from| (or |node|) matches */
  const char *request;    /* request id or pattern ("q1#*"), or NULL */
  struct scn_patterns from, to, node;
  const char *path; /* "/light", without query unless it holds a "?" */
  const char *detail;
  const uint8_t *payload; /* NULL: any */
  size_t payload_length;
  struct scn_code code;
  int type;              /* message type, -1: any */
  enum scn_kind message; /* PACKETS */
  enum scn_destination destination;
  enum chorus_event_type event; /* EVENTS */
  chorus_time within;           /* DELIVERIES: after the request was issued; 0: no limit */
  chorus_time from_time,
      to_time; /* only in [from_time, to_time); to_time = CHORUS_NEVER: to the end */
};

/* ---- the whole ---- */

struct scn_setting {
  const char *key, *value;
};

struct scn_scenario {
  const char *id, *title, *about;
  const char *name;             /* "id", or "id[ip=4,members=30]" for a combination of the sweep */
  const char *path;             /* of the file, as it was opened */
  const char *topic;            /* name of the folder the file lies in */
  uint64_t digest;              /* of the file's text and the settings */
  const char *const *catalogue; /* scenarios of the catalogue */
  size_t catalogue_count;
  const char *const *covers; /* ids of rules that have to be exercised */
  size_t cover_count;
  const struct scn_setting *settings; /* parameters of this combination */
  size_t setting_count;
  bool has_seed; /* the sweep or the file gives the seed */
  uint64_t seed;
  struct scn_network network;
  const struct scn_node *nodes;
  size_t node_count;
  const struct scn_name *names; /* all that a $name can mean, parameters apart */
  size_t name_count;
  const struct scn_step *steps; /* in order of time */
  size_t step_count;
  const struct scn_expectation *expectations;
  size_t expectation_count;
  bool allow_unexpected; /* `unexpected: allow`: no sweep for packets that nothing explains */
  chorus_time end;
  void *memory; /* the loader's */
};

/*
 * A file and the combinations of its sweep. Reading checks the whole file with its default
 * parameters; NULL: see |errors|.
 */
struct scn_variant {
  const char *name; /* as scn_scenario.name */
  const struct scn_setting *settings;
  size_t setting_count;
};

struct scn_file {
  const char *path, *topic, *id, *title, *about;
  const char *text;
  size_t text_length;
  const char *const *covers;
  size_t cover_count;
  const char *const *catalogue;
  size_t catalogue_count;
  bool is_topology;             /* never with variants */
  bool own_resources;           /* a stack under test has resources that the file does not tell:
                                   `set` of others than those of the file is no mistake */
  struct scn_variant *variants; /* one or more */
  size_t variant_count;
  void *memory;
};

struct scn_file *scn_file_read(const char *path, struct scn_errors *errors);
/* The same from memory; |path| is used in messages only. */
struct scn_file *scn_file_parse(const char *path, const char *text, size_t length,
                                struct scn_errors *errors);
void scn_file_free(struct scn_file *file);

/*
 * Decodes the file with |settings| (keys: a parameter, `ip`, `mtu`, `latency`, `seed`, `end`, or a
 * dotted path such as "nodes.s.count"), which win over what is written. NULL: see |errors|.
 */
struct scn_scenario *scn_load(const struct scn_file *file, const char *name,
                              const struct scn_setting *settings, size_t count,
                              struct scn_errors *errors);
void scn_free(struct scn_scenario *scenario);
/* Whether two keys of settings set one thing: `ip` is "network.ip". */
bool scn_same_setting(const char *a, const char *b);

/*
 * A topology: a file of the same language of which `network` and `nodes` suffice, and whose nodes
 * need no role (`host`). A whole scenario is one as well, with the first values of its sweep unless
 * |settings| say otherwise. NULL: see |errors|.
 */
struct scn_scenario *scn_topology_read(const char *path, const struct scn_setting *settings,
                                       size_t count, struct scn_errors *errors);

/* Whether a repair of impairment |index| ends |other|: that one, and all that have its name. */
bool scn_repairs(const struct scn_network *network, size_t index, size_t other);

/* Number of the node with this name, or UINT32_MAX. */
uint32_t scn_node_find(const struct scn_scenario *scenario, const char *name);

/* Whether |text| fits the pattern, in which * stands for any text and ? for one character. */
bool scn_match(const char *pattern, const char *text);

#endif

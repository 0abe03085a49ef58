/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mutant is made of; for the tables and functions of this folder. */
#ifndef CHORUS_MUTANTS_CHANGE_H
#define CHORUS_MUTANTS_CHANGE_H

#include "chorus/emulator.h"
#include "chorus/reference.h"
#include "mutants/message.h"
#include "mutants/mutants.h"

/* A mutated node while a run lasts. */
struct mut_node {
  const struct mutant *mutant;
  const struct scn_node *scenario;
  struct chorus_node inner;
  const struct chorus_host *host; /* the real one */
  struct chorus_host own;         /* what the inner node is handed */
  chorus_time now;
  uint64_t *applied;
  uint64_t count[4];           /* for the mutant's own use, zero at first */
  struct chorus_endpoint peer; /* the same */
  uint8_t octets[64];          /* the same */
  struct chorus_node_ops ops;
  struct mut_change *change;
  chorus_time deadline;  /* of the inner node */
  struct mut_held *held; /* datagrams that it will get, by time */
};

struct mut_change {
  /* One policy of the reference, or several, replaced. policy_context is the struct mut_node. */
  void (*server_policy)(struct ref_server_policy *policy);
  void (*client_policy)(struct ref_client_policy *policy);
  /* Behind the judge's back. */
  void (*server)(struct ref_server_config *config);
  void (*client)(struct ref_client_config *config);
  void (*resource)(struct ref_resource *resource); /* each one of a server */
  /* What the node states of itself. */
  void (*statement)(struct jdg_ics *ics);
  /* The IP stack below. */
  void (*stack)(struct emu_node_config *config);
  /* Messages on their way; they may change all of it. Not called for what cannot be decoded. */
  void (*outgoing)(struct mut_node *node, struct mut_message *message);
  void (*incoming)(struct mut_node *node, struct mut_message *message);
  /* Whatever arrives, as octets, before that; true: it goes no further. */
  bool (*damaged)(struct mut_node *node, const struct chorus_datagram *datagram);
  /* An application event, a copy; false: it is not reported. */
  bool (*event)(struct mut_node *node, struct chorus_event *event);
  /* After start(): further ports and groups by mut_open() and mut_join(). */
  void (*start)(struct mut_node *node);
  /* Whether the host is asked to leave; if not, the node does not learn of it. */
  bool (*leave)(struct mut_node *node, const struct chorus_endpoint *group);
  /* Room for the policies that are handed out. */
  struct ref_server_policy own_server_policy;
  struct ref_client_policy own_client_policy;
};

/* Notes that something was done that the reference would not have done. */
void mut_note(struct mut_node *node);
/* Whose policy it is. */
static inline struct mut_node *mut_of(const struct ref_env *env) {
  return env->context;
}
/* Sends a further message. */
void mut_send(struct mut_node *node, const struct mut_message *message);
/* Hands a message to the inner node. */
void mut_deliver(struct mut_node *node, const struct mut_message *message);
/* Hands in a datagram as it is. */
void mut_hand_in(struct mut_node *node, const struct chorus_datagram *datagram);
/* Keeps a copy of a datagram, and hands it in at |due|. False: no memory. */
bool mut_hold(struct mut_node *node, const struct chorus_datagram *datagram, chorus_time due);
/* What the wrapper does with deadlines: the inner node asks for one, and one has come. */
void mut_hold_deadline(struct mut_node *node, chorus_time at);
void mut_hold_wake(struct mut_node *node);
void mut_hold_free(struct mut_node *node);
/* Reports an event to the host. */
void mut_report(struct mut_node *node, const struct chorus_event *event);
void mut_open(struct mut_node *node, uint16_t port);
void mut_join(struct mut_node *node, const struct chorus_endpoint *group);

/* All that is in one run: hooks.context. */
struct mut_session;
struct mut_session *mut_session_new(const struct mutant *mutant);
void mut_session_free(struct mut_session *session);
const struct run_hooks *mut_session_hooks(struct mut_session *session);
uint64_t mut_session_applied(const struct mut_session *session);

/* Whether |mutant| makes |node| wrong; |first|: no node of its role came before it. */
bool mut_concerns(const struct mutant *mutant, const struct scn_node *node, bool first);

/* How the files of this folder make mut_NAME(), which the table names, of a static NAME. */
#define MUTATION(name, member)                 \
  void mut_##name(struct mut_change *change) { \
    change->member = name;                     \
  }
#define SERVER_POLICY(name, member)                             \
  static void name##_policy(struct ref_server_policy *policy) { \
    policy->member = name;                                      \
  }                                                             \
  void mut_##name(struct mut_change *change) {                  \
    change->server_policy = name##_policy;                      \
  }
#define CLIENT_POLICY(name, member)                             \
  static void name##_policy(struct ref_client_policy *policy) { \
    policy->member = name;                                      \
  }                                                             \
  void mut_##name(struct mut_change *change) {                  \
    change->client_policy = name##_policy;                      \
  }

/* All mut_NAME() of the table. */
#define MUTANT(id, rule, historical, role, scenario, change, breaks) \
  void mut_##change(struct mut_change *);
#include "mutants/mutants.def"
#undef MUTANT

#endif

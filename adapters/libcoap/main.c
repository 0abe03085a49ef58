/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes libcoap drivable by Chorus: docs/plugins.md, rung d; roles server and client. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "role.h"

static const struct role *const roles[] = {&server_role, &client_role, NULL};

const char *start_text(const json_t *start, const char *member, const char *absent) {
  const char *text = json_string_value(json_object_get(start, member));
  return text && *text ? text : absent;
}

uint16_t start_port(const json_t *start, uint16_t absent) {
  json_int_t port = json_integer_value(json_object_get(start, "port"));
  return port > 0 && port <= UINT16_MAX ? (uint16_t)port : absent;
}

const char *start_interface(const json_t *start) {
  return start_text(start, "interface", "lan0");
}

/* "libcoap 4.3.1" */
static const char *version(void) {
  const char *text = coap_package_version(), *space = strchr(text, ' ');
  return space ? space + 1 : text;
}

/* libcoap writes its log to standard output, which belongs to the protocol. */
static void to_standard_error(coap_log_t level, const char *message) {
  fprintf(stderr, "libcoap (%d): %s", level, message);
}

static const struct role *role_of(const json_t *start, struct outcome *outcome) {
  const char *name = start_text(start, "role", "");
  if (json_integer_value(json_object_get(start, "protocol")) != 1) {
    fail(outcome, REFUSED, "this adapter speaks protocol 1");
    return NULL;
  }
  for (size_t i = 0; roles[i]; i++)
    if (strcmp(roles[i]->name, name) == 0) return roles[i];
  fail(outcome, REFUSED, "role %s: this adapter knows server and client", name);
  return NULL;
}

static void reply(json_int_t number, const struct outcome *outcome) {
  const char *status = status_name(outcome->status);
  if (outcome->status == OK)
    say(json_pack("{s:I,s:s}", "reply", number, "status", status));
  else
    say(json_pack("{s:I,s:s,s:s}", "reply", number, "status", status, "why", outcome->why));
}

/* Commands `wait` that are not over. libcoap's clock counts. */
struct waits {
  struct {
    json_int_t number;
    coap_tick_t end;
  } list[8];
  size_t count;
};

static void begin_to_wait(struct waits *waits, json_int_t number, const json_t *pairs,
                          struct outcome *outcome) {
  static const char *const known[] = {"for", NULL};
  uint64_t ns = 0;
  bool given = false;
  if (!arguments_good(pairs, known, NULL, outcome) ||
      !argument_duration(pairs, "for", &ns, &given, outcome))
    return;
  if (!given) {
    fail(outcome, BAD_ARGUMENT, "for is needed");
  } else if (waits->count == sizeof waits->list / sizeof *waits->list) {
    fail(outcome, REFUSED, "too many waits at once");
  } else {
    coap_ticks(&waits->list[waits->count].end);
    waits->list[waits->count].end += ns * COAP_TICKS_PER_SECOND / 1000000000u;
    waits->list[waits->count++].number = number;
  }
}

/* Says which are over; milliseconds until the next one, |most| at most, -1: no limit. */
static int end_waits(struct waits *waits, int most) {
  static const struct outcome over = {OK, ""};
  coap_tick_t now;
  coap_ticks(&now);
  for (size_t i = 0; i < waits->count;) {
    coap_tick_diff_t left = (coap_tick_diff_t)(waits->list[i].end - now);
    if (left > 0) {
      int ms = (int)(left * 1000 / (coap_tick_diff_t)COAP_TICKS_PER_SECOND) + 1;
      if (most < 0 || ms < most) most = ms;
      i++;
    } else {
      reply(waits->list[i].number, &over);
      waits->list[i] = waits->list[--waits->count];
    }
  }
  return most;
}

static void obey(const struct role *role, void *self, struct waits *waits, const json_t *message) {
  const json_t *command = json_object_get(message, "command");
  const json_t *number = json_object_get(message, "id");
  struct outcome outcome = {OK, ""};
  if (!json_is_object(command) || !json_is_integer(number)) {
    complain("neither a command with an id nor stop");
    return;
  }
  const char *verb = json_string_value(json_object_get(command, "verb"));
  json_t *none = json_array();
  const json_t *pairs = json_object_get(command, "arguments");
  if (verb && strcmp(verb, "wait") == 0)
    begin_to_wait(waits, json_integer_value(number), pairs ? pairs : none, &outcome);
  else if (verb)
    role->command(self, verb, pairs ? pairs : none, &outcome);
  else
    fail(&outcome, BAD_ARGUMENT, "a command needs a verb");
  json_decref(none);
  bool waits_on = verb && strcmp(verb, "wait") == 0 && outcome.status == OK;
  if (!waits_on) reply(json_integer_value(number), &outcome);
}

/* Carries out what has been read. False: stop. */
static bool obey_all(const struct role *role, void *self, struct waits *waits,
                     struct lines *lines) {
  json_t *message;
  while ((message = lines_next(lines))) {
    bool stop = json_object_get(message, "stop") != NULL;
    if (!stop) obey(role, self, waits, message);
    json_decref(message);
    if (stop) return false;
  }
  return !lines->ended;
}

static void serve(const struct role *role, void *self, struct lines *lines) {
  struct waits waits = {.count = 0};
  while (obey_all(role, self, &waits, lines)) {
    coap_context_t *context = role->context(self);
    coap_io_process(context, COAP_IO_NO_WAIT);
    struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = coap_context_get_coap_fd(context), .events = POLLIN}};
    int n = poll(watched, 2, end_waits(&waits, role->due(self)));
    if (n < 0 && errno != EINTR) return;
    if (n > 0 && watched[0].revents) lines_read(lines);
  }
}

/* The content of the start message; NULL: none came. */
static json_t *first_message(struct lines *lines) {
  for (;;) {
    json_t *message;
    while ((message = lines_next(lines))) {
      json_t *start = json_object_get(message, "start");
      bool stop = json_object_get(message, "stop") != NULL;
      if (json_is_object(start)) json_incref(start);
      json_decref(message);
      if (stop) return NULL;
      if (json_is_object(start)) return start;
      complain("expected {\"start\": {...}} before anything else");
    }
    if (lines->ended) return NULL;
    lines_read(lines);
  }
}

static void play(const json_t *start, struct lines *lines) {
  struct outcome outcome = {OK, ""};
  const struct role *role = role_of(start, &outcome);
  void *self = role ? role->open(start, &outcome) : NULL;
  if (!self) {
    say(json_pack("{s:s}", "refused", outcome.why));
    return;
  }
  say(json_pack("{s:{s:i,s:s,s:s,s:s}}", "ready", "protocol", 1, "stack", "libcoap", "version",
                version(), "adapter", "1"));
  serve(role, self, lines);
  role->close(self);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    puts(version());
    return 0;
  }
  struct lines lines = {0};
  coap_startup();
  coap_set_log_handler(to_standard_error);
  coap_set_log_level(LOG_WARNING);
  json_t *start = first_message(&lines);
  if (start) play(start, &lines);
  json_decref(start);
  lines_free(&lines);
  coap_cleanup();
  return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Rung b with programs of one line of shell: each call, and each way to go wrong. */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "check_run.h"
#include "sut/sut.h"

#define READY "read a; echo '{\\\"ready\\\":{\\\"protocol\\\":1,\\\"stack\\\":\\\"sh\\\"}}'; "
#define DONE  "echo '{\\\"done\\\":{}}'; "

/* A host that counts. */
struct host {
  unsigned sent, joined, events;
  chorus_time deadline;
  struct chorus_event executed; /* texts are gone by now */
  unsigned refused;
  char of[8], why[40]; /* the latest refusal */
};

static int host_send(void *context, const struct chorus_datagram *d) {
  struct host *h = context;
  ck_assert_uint_eq(d->destination.port, 7);
  h->sent++;
  return CHORUS_OK;
}

static void host_deadline(void *context, chorus_time at) {
  ((struct host *)context)->deadline = at;
}

static int host_open(void *context, uint16_t port) {
  (void)context;
  return port ? CHORUS_OK : CHORUS_BAD_ARGUMENT;
}

static void host_close(void *context, uint16_t port) {
  (void)context;
  (void)port;
}

static int host_join(void *context, const struct chorus_endpoint *group) {
  ck_assert(chorus_is_group(group));
  ((struct host *)context)->joined++;
  return CHORUS_OK;
}

static void host_leave(void *context, const struct chorus_endpoint *group) {
  (void)context;
  (void)group;
}

static void host_event(void *context, const struct chorus_event *event) {
  struct host *h = context;
  if (event->type == CHORUS_EVENT_EXECUTE) {
    h->executed = *event;
  } else if (event->type == CHORUS_EVENT_REFUSED) {
    h->refused++;
    snprintf(h->of, sizeof h->of, "%s", event->request ? event->request : "");
    snprintf(h->why, sizeof h->why, "%s", event->detail ? event->detail : "");
  } else {
    ck_assert_int_eq(event->type, CHORUS_EVENT_NOTE);
    h->events++;
  }
}

static const struct chorus_host_ops host_ops = {.send = host_send,
                                                .deadline = host_deadline,
                                                .open = host_open,
                                                .close = host_close,
                                                .join = host_join,
                                                .leave = host_leave,
                                                .event = host_event};

static struct sut_manifest *manifest;
static struct sut_node *node;
static struct chorus_node functions;
static struct host counted;
static struct chorus_host host = {&host_ops, &counted};
static const struct scn_node config = {.name = "s1", .role = SCN_SERVER};

static int begin_program(const char *shell) {
  char text[4000], why[200];
  struct scn_errors errors;
  scn_errors_init(&errors);
  snprintf(text, sizeof text,
           "name: x\nversion: \"1\"\nrung: b\nroles:\n  server:\n    start: [sh, -c, \"%s\"]\n"
           "    stop: {within: 200ms}\n    verbs: {set: [path]}\n",
           shell);
  manifest = sut_parse("/tmp/x.yaml", text, strlen(text), NULL, &errors);
  ck_assert_msg(manifest != NULL, "%s", errors.count ? errors.list[0].message : "");
  struct sut_node_config c = {
      .manifest = manifest, .node = &config, .watchdog = 500 * CHORUS_MILLISECOND};
  node = sut_node_new(&c, why, sizeof why);
  ck_assert_ptr_nonnull(node);
  functions = sut_node_node(node);
  counted = (struct host){.deadline = 1};
  return functions.ops->start(functions.state, 0, &host);
}

static void end_program(void) {
  sut_node_free(node);
  sut_free(manifest);
}

/* Exactly one trouble, of this kind, with these words. */
static void one_trouble(enum sut_trouble_kind kind, const char *words) {
  const struct sut_trouble *list;
  ck_assert_uint_eq(sut_node_troubles(node, &list), 1);
  ck_assert_str_eq(sut_trouble_name(list[0].kind), sut_trouble_name(kind));
  ck_assert_msg(strstr(list[0].text, words) != NULL, "\"%s\" instead of \"%s\"", list[0].text,
                words);
}

static void no_trouble(void) {
  const struct sut_trouble *list;
  size_t count = sut_node_troubles(node, &list);
  ck_assert_msg(count == 0, "%s", count ? list[0].text : "");
}

static void give_datagram(chorus_time now) {
  static const uint8_t octets[] = {0x40, 1, 2, 3};
  struct chorus_datagram d = {.payload = octets, .length = sizeof octets};
  functions.ops->datagram(functions.state, now, &d);
}

START_TEST(calls_are_obeyed) {
  ck_assert_int_eq(
      begin_program(READY DONE "read a; echo '{\\\"send\\\":{\\\"destination\\\":\\\"[::1]:7\\\","
                               "\\\"payload\\\":\\\"4001\\\"}}'; "
                               "echo '{\\\"join\\\":\\\"[ff35::1]:5683\\\"}'; "
                               "echo '{\\\"event\\\":{\\\"event\\\":\\\"note\\\"}}'; "
                               "echo '{\\\"done\\\":{\\\"deadline\\\":99}}'; read a; " DONE),
      CHORUS_OK);
  ck_assert_str_eq(sut_node_stack(node), "sh");
  ck_assert_uint_eq(counted.deadline, CHORUS_NEVER);
  give_datagram(5);
  ck_assert_uint_eq(counted.sent, 1);
  ck_assert_uint_eq(counted.joined, 1);
  ck_assert_uint_eq(counted.events, 1);
  ck_assert_uint_eq(counted.deadline, 99);
  functions.ops->stop(functions.state, 100);
  no_trouble();
  end_program();
}
END_TEST

START_TEST(commands_are_replied_to) {
  static const struct chorus_argument path = {"path", "/a"};
  static const struct chorus_command set = {"set", &path, 1}, odd = {"odd", NULL, 0};
  const char *why = "";
  begin_program(READY DONE
                "read a; echo "
                "'{\\\"reply\\\":1,\\\"status\\\":\\\"refused\\\",\\\"why\\\":\\\"no\\\"}'; " DONE
                "read a; echo '{\\\"reply\\\":2,\\\"status\\\":\\\"unsupported\\\"}'; " DONE
                "read a; echo '{\\\"reply\\\":3,\\\"status\\\":\\\"unsupported\\\"}'; " DONE
                "read a; " DONE);
  ck_assert_int_eq(functions.ops->command(functions.state, 1, &set, &why), CHORUS_REFUSED);
  ck_assert_str_eq(why, "no");
  ck_assert_int_eq(functions.ops->command(functions.state, 1, &odd, &why), CHORUS_UNSUPPORTED);
  no_trouble();
  ck_assert_int_eq(functions.ops->command(functions.state, 1, &set, &why), CHORUS_UNSUPPORTED);
  one_trouble(SUT_LIE, "unsupported to set");
  functions.ops->stop(functions.state, 2);
  end_program();
}
END_TEST

/* What its events do not tell of messages is taken from the datagrams. */
START_TEST(events_get_their_messages) {
  begin_program(READY DONE
                "read a; echo '{\\\"event\\\":{\\\"event\\\":\\\"execute\\\","
                "\\\"peer\\\":\\\"[::]:0\\\",\\\"code\\\":\\\"GET\\\"}}'; " DONE "read a; " DONE);
  give_datagram(5);
  ck_assert(counted.executed.has_message);
  ck_assert_uint_eq(counted.executed.mid, 0x0203);
  functions.ops->stop(functions.state, 9);
  no_trouble();
  end_program();
}
END_TEST

/* Once, whether the program says the event itself or not. */
START_TEST(refusals_are_events) {
  static const struct chorus_argument id = {"id", "q1"};
  static const struct chorus_command set = {"set", &id, 1};
  const char *why = "";
  begin_program(
      READY DONE
      "read a; echo "
      "'{\\\"reply\\\":1,\\\"status\\\":\\\"refused\\\",\\\"why\\\":\\\"no\\\"}'; " DONE
      "read a; echo '{\\\"event\\\":{\\\"event\\\":\\\"refused\\\",\\\"request\\\":\\\"q2\\\","
      "\\\"detail\\\":\\\"mine\\\"}}'; echo "
      "'{\\\"reply\\\":2,\\\"status\\\":\\\"refused\\\",\\\"why\\\":\\\"no\\\"}'; " DONE
      "read a; " DONE);
  ck_assert_int_eq(functions.ops->command(functions.state, 1, &set, &why), CHORUS_REFUSED);
  ck_assert_uint_eq(counted.refused, 1);
  ck_assert_str_eq(counted.of, "q1");
  ck_assert_str_eq(counted.why, "no");
  ck_assert_int_eq(functions.ops->command(functions.state, 1, &set, &why), CHORUS_REFUSED);
  ck_assert_uint_eq(counted.refused, 2);
  ck_assert_str_eq(counted.why, "mine");
  functions.ops->stop(functions.state, 2);
  no_trouble();
  end_program();
}
END_TEST

START_TEST(starts_that_fail) {
  ck_assert_int_eq(begin_program("exit 0"), CHORUS_REFUSED);
  one_trouble(SUT_CRASH, "ended with status 0 in the call start");
  end_program();
  begin_program("read a; echo '{\\\"refused\\\":\\\"not today\\\"}'; " DONE "read a");
  one_trouble(SUT_NO_START, "not today");
  end_program();
  begin_program("read a; " DONE "read a");
  one_trouble(SUT_PROTOCOL, "never said ready");
  end_program();
  begin_program("read a; echo '{\\\"ready\\\":{\\\"protocol\\\":2}}'; " DONE "read a");
  one_trouble(SUT_PROTOCOL, "another protocol");
  end_program();
  begin_program("read a; sleep 5");
  one_trouble(SUT_HANG, "silent for 500 ms");
  end_program();
}
END_TEST

START_TEST(crash_names_the_datagram) {
  const struct sut_trouble *list;
  begin_program(READY DONE "read a; echo oops >&2; kill -SEGV $$");
  give_datagram(7);
  one_trouble(SUT_CRASH, "signal 11");
  sut_node_troubles(node, &list);
  ck_assert_str_eq(list[0].last, "40010203");
  ck_assert_uint_eq(list[0].last_at, 7);
  ck_assert_ptr_nonnull(strstr(list[0].tail, "oops"));
  give_datagram(8); /* nobody is there: silence */
  functions.ops->stop(functions.state, 9);
  one_trouble(SUT_CRASH, "signal 11");
  end_program();
}
END_TEST

START_TEST(words_outside_of_a_call) {
  begin_program(READY DONE "echo '{\\\"done\\\":{}}'; sleep 5");
  struct timespec moment = {0, 100000000};
  nanosleep(&moment, NULL);
  give_datagram(1);
  one_trouble(SUT_PROTOCOL, "outside of a call");
  end_program();
}
END_TEST

START_TEST(ends_that_fail) {
  begin_program(READY DONE "read a; " DONE "exit 3");
  functions.ops->stop(functions.state, 1);
  one_trouble(SUT_BAD_EXIT, "status 3");
  end_program();
  begin_program(READY DONE "read a; " DONE "sleep 5");
  functions.ops->stop(functions.state, 1);
  one_trouble(SUT_HANG, "within 200 ms");
  end_program();
  begin_program(READY DONE "read a; sleep 60 & " DONE);
  functions.ops->stop(functions.state, 1);
  one_trouble(SUT_LEFTOVER, "behind");
  end_program();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("piped");
  TCase *tests = tcase_create("piped");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, calls_are_obeyed);
  tcase_add_test(tests, commands_are_replied_to);
  tcase_add_test(tests, events_get_their_messages);
  tcase_add_test(tests, refusals_are_events);
  tcase_add_test(tests, starts_that_fail);
  tcase_add_test(tests, crash_names_the_datagram);
  tcase_add_test(tests, words_outside_of_a_call);
  tcase_add_test(tests, ends_that_fail);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}

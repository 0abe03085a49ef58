/* SPDX-License-Identifier: BSD-2-Clause */
/* Rung a with a table of functions that is part of this program. */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "sut/sut.h"

static const char text[] =
    "name: x\nversion: \"1\"\nrung: a\nroles:\n  server: {library: no-such-file.so, verbs: "
    "{restart: "
    "[]}}\n";

/* What the stack saw. */
struct stack {
  unsigned datagrams, stops;
  int status; /* of commands */
};
static struct stack stack;

static void on_datagram(void *state, chorus_time now, const struct chorus_datagram *datagram) {
  (void)now;
  ck_assert_uint_eq(datagram->length, 3);
  ((struct stack *)state)->datagrams++;
}

static int on_command(void *state, chorus_time now, const struct chorus_command *command,
                      const char **why) {
  (void)now;
  (void)command;
  *why = "it knows none";
  return ((struct stack *)state)->status;
}

static void on_stop(void *state, chorus_time now) {
  (void)now;
  ((struct stack *)state)->stops++;
}

static const struct chorus_node_ops ops = {
    .datagram = on_datagram, .command = on_command, .stop = on_stop};

static struct chorus_node make(const char *start_json, const char **why) {
  ck_assert_ptr_nonnull(strstr(start_json, "\"name\":\"s1\""));
  (void)why;
  stack = (struct stack){.status = CHORUS_OK};
  return (struct chorus_node){&ops, &stack};
}

static struct chorus_node refuse(const char *start_json, const char **why) {
  (void)start_json;
  *why = "not today";
  return (struct chorus_node){NULL, NULL};
}

static void release(struct chorus_node node) {
  ck_assert_ptr_eq(node.state, &stack);
  ck_assert_uint_eq(stack.stops, 1);
}

static const struct sut_linked good = {make, release}, bad = {refuse, release};
static const struct scn_node config = {.name = "s1", .role = SCN_SERVER};
static const struct scn_scenario scenario = {.network = {.ip = 6}};
static struct sut_manifest *manifest;
static struct sut_node *node;

static struct chorus_node begin_with(const struct sut_linked *linked) {
  char why[200];
  struct scn_errors errors;
  scn_errors_init(&errors);
  manifest = sut_parse("x.yaml", text, strlen(text), NULL, &errors);
  ck_assert_ptr_nonnull(manifest);
  scn_errors_free(&errors);
  struct sut_node_config c = {
      .manifest = manifest, .scenario = &scenario, .node = &config, .linked = linked};
  node = sut_node_new(&c, why, sizeof why);
  ck_assert_ptr_nonnull(node);
  return sut_node_node(node);
}

static void end(void) {
  sut_node_free(node);
  sut_free(manifest);
}

static void expect_trouble(enum sut_trouble_kind kind, const char *what) {
  const struct sut_trouble *list;
  ck_assert_uint_eq(sut_node_troubles(node, &list), 1);
  ck_assert_int_eq(list[0].kind, kind);
  ck_assert_ptr_nonnull(strstr(list[0].text, what));
}

START_TEST(functions_of_the_table_are_called) {
  const struct sut_trouble *list;
  const char *why = "";
  struct chorus_node n = begin_with(&good);
  struct chorus_datagram datagram = {.payload = (const uint8_t *)"abc", .length = 3};
  struct chorus_command command = {.verb = "restart"};
  ck_assert_int_eq(n.ops->start(n.state, 0, NULL), CHORUS_OK);
  n.ops->datagram(n.state, 1, &datagram);
  ck_assert_int_eq(n.ops->command(n.state, 2, &command, &why), CHORUS_OK);
  n.ops->stop(n.state, 3);
  ck_assert_uint_eq(stack.datagrams, 1);
  ck_assert_uint_eq(sut_node_troubles(node, &list), 0);
}
END_TEST

START_TEST(unsupported_is_a_lie_there_as_well) {
  const char *why = "";
  struct chorus_node n = begin_with(&good);
  struct chorus_command command = {.verb = "restart"};
  n.ops->start(n.state, 0, NULL);
  stack.status = CHORUS_UNSUPPORTED;
  ck_assert_int_eq(n.ops->command(n.state, 2, &command, &why), CHORUS_UNSUPPORTED);
  n.ops->stop(n.state, 3);
  expect_trouble(SUT_LIE, "restart");
}
END_TEST

START_TEST(refusal_is_told) {
  struct chorus_node n = begin_with(&bad);
  ck_assert_int_eq(n.ops->start(n.state, 0, NULL), CHORUS_REFUSED);
  expect_trouble(SUT_NO_START, "not today");
}
END_TEST

START_TEST(without_a_table_the_library_is_opened) {
  struct chorus_node n = begin_with(NULL);
  ck_assert_int_eq(n.ops->start(n.state, 0, NULL), CHORUS_REFUSED);
  expect_trouble(SUT_NO_START, "no-such-file.so");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linked");
  TCase *tests = tcase_create("linked");
  tcase_add_checked_fixture(tests, NULL, end);
  tcase_add_test(tests, functions_of_the_table_are_called);
  tcase_add_test(tests, unsupported_is_a_lie_there_as_well);
  tcase_add_test(tests, refusal_is_told);
  tcase_add_test(tests, without_a_table_the_library_is_opened);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue and the tables of implemented rules: ids are locked, rows are complete, and the
 * tables name only rows that there are.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "judge/model.h"
#include "rules/rules.h"

/* The ALSO rows as they stand, to look at them one by one. */
struct also_row {
  const char *id, *document, *section;
};
#define CHECK(id, d, r, b, hooks, function, requirement, activation)
#define ALSO(id, document, section, level) {id, document, section},
#define WHEN(id, hooks)
static const struct also_row also_rows[] = {
#include "rules/all.def"
};
#undef CHECK
#undef ALSO
#undef WHEN
#define ALSO_COUNT (sizeof also_rows / sizeof also_rows[0])

/*
 * FNV-1a over "id;document;section;level" of every row, in order. An id never changes its meaning
 * and is never used again: if this changes because rows were added, and for no other reason, put
 * the new value here.
 */
#define CATALOGUE_ROWS   594u
#define CATALOGUE_DIGEST UINT64_C(0x9df36016ebdce10c)

static uint64_t digest(uint64_t h, const char *text) {
  for (; *text; text++) h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
  return h;
}

START_TEST(ids_are_locked) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < rule_count(); i++) {
    const struct rule *r = rule_get(i);
    char line[256];
    snprintf(line, sizeof line, "%s;%s;%s;%s\n", r->id, r->document, r->section,
             jdg_level_name(r->level));
    h = digest(h, line);
  }
  ck_assert_uint_eq(rule_count(), CATALOGUE_ROWS);
  ck_assert_msg(h == CATALOGUE_DIGEST, "digest of the catalogue is 0x%016llx",
                (unsigned long long)h);
}
END_TEST

START_TEST(no_id_occurs_twice) {
  for (size_t i = 0; i < rule_count(); i++)
    for (size_t j = 0; j < i; j++) ck_assert_str_ne(rule_get(i)->id, rule_get(j)->id);
}
END_TEST

START_TEST(every_row_cites_document_and_section) {
  for (size_t i = 0; i < rule_count(); i++) {
    const struct rule *r = rule_get(i);
    ck_assert_msg(r->document[0] && r->section[0], "%s cites nothing", r->id);
    ck_assert_msg(r->title[0] && r->roles, "%s has no title or role", r->id);
    ck_assert_msg(r->level != JDG_NOT_APPLICABLE, "%s has no level", r->id);
  }
}
END_TEST

/* Ids begin with the section, so that a finding can be looked up by its id alone. */
START_TEST(ids_name_their_section) {
  for (size_t i = 0; i < rule_count(); i++) {
    const struct rule *r = rule_get(i);
    const char *dash = strchr(r->id, '-'), *last = strrchr(r->id, '-');
    ck_assert_msg(dash && strlen(last) == 3, "%s is no id", r->id);
  }
}
END_TEST

START_TEST(checks_are_rows_of_the_catalogue) {
  for (size_t i = 0; i < rule_check_count(); i++) {
    const struct rule_check *k = rule_check_get(i);
    const struct rule *r = rule_find(k->id);
    ck_assert_msg(r != NULL, "%s is not in the catalogue", k->id);
    ck_assert_msg(rule_check_of(r) == k, "%s is in the tables twice", k->id);
  }
}
END_TEST

START_TEST(further_documents_belong_to_checks) {
  for (size_t i = 0; i < ALSO_COUNT; i++) {
    const struct also_row *a = &also_rows[i];
    const struct rule *r = rule_find(a->id);
    ck_assert_msg(r && rule_check_of(r), "%s has a further document, and is not implemented",
                  a->id);
    ck_assert_msg(a->document[0] && a->section[0], "a further document of %s is not cited", a->id);
    ck_assert_msg(strcmp(a->document, r->document) != 0 || strcmp(a->section, r->section) != 0,
                  "%s names its own section as a further one", a->id);
    for (size_t j = 0; j < i; j++)
      ck_assert_msg(strcmp(a->id, also_rows[j].id) != 0 ||
                        strcmp(a->document, also_rows[j].document) != 0 ||
                        strcmp(a->section, also_rows[j].section) != 0,
                    "%s names %s, section %s twice", a->id, a->document, a->section);
  }
}
END_TEST

START_TEST(requirements_are_sentences) {
  for (size_t i = 0; i < rule_check_count(); i++) {
    const struct rule_check *k = rule_check_get(i);
    size_t n = strlen(k->requirement);
    ck_assert_msg(n > 10 && k->requirement[n - 1] == '.', "%s: no sentence", k->id);
    ck_assert_msg(k->activation[0] != '\0', "%s: nothing activates it", k->id);
  }
}
END_TEST

START_TEST(checks_apply_somewhere_and_are_called) {
  for (size_t i = 0; i < rule_check_count(); i++) {
    const struct rule_check *k = rule_check_get(i);
    bool applies = false;
    for (int p = 0; p < JDG_PROFILE_COUNT; p++) applies |= k->levels[p] != JDG_NOT_APPLICABLE;
    ck_assert_msg(applies, "%s applies in no profile", k->id);
    ck_assert_msg(k->look != NULL && (k->hooks & ~JDG_NEEDS) != 0, "%s is never called", k->id);
    ck_assert_msg(!(k->hooks & JDG_PASSES), "%s: only further rows can pass without a look", k->id);
  }
}
END_TEST

/* A fact is not made stronger by a table, nor is a MUST turned into a mere fact in its own
 * document. */
START_TEST(levels_agree_with_the_catalogue) {
  for (size_t i = 0; i < rule_check_count(); i++) {
    const struct rule_check *k = rule_check_get(i);
    const struct rule *r = rule_find(k->id);
    bool seed = strcmp(r->document, "draft-dijk-core-groupcomm-bis-03") == 0;
    if (!seed || k->levels[JDG_DIJK_03] == JDG_NOT_APPLICABLE) continue;
    ck_assert_msg(k->levels[JDG_DIJK_03] == r->level, "%s: level in dijk-03 is %s, catalogue %s",
                  k->id, jdg_level_name(k->levels[JDG_DIJK_03]), jdg_level_name(r->level));
  }
}
END_TEST

START_TEST(misspelt_ids_are_recognised) {
  ck_assert_str_eq(rule_nearest("COAP-4.2-0l"), "COAP-4.2-01");
  ck_assert_ptr_null(rule_nearest("something else"));
  ck_assert_ptr_null(rule_find("COAP-4.2-0l"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rules_catalogue");
  TCase *tests = tcase_create("catalogue");
  tcase_add_test(tests, ids_are_locked);
  tcase_add_test(tests, no_id_occurs_twice);
  tcase_add_test(tests, every_row_cites_document_and_section);
  tcase_add_test(tests, ids_name_their_section);
  tcase_add_test(tests, checks_are_rows_of_the_catalogue);
  tcase_add_test(tests, further_documents_belong_to_checks);
  tcase_add_test(tests, requirements_are_sentences);
  tcase_add_test(tests, checks_apply_somewhere_and_are_called);
  tcase_add_test(tests, levels_agree_with_the_catalogue);
  tcase_add_test(tests, misspelt_ids_are_recognised);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "scenario/units.h"

int cli_usage(const struct cli_parser *parser, const char *format, ...) {
  va_list arguments;
  fprintf(stderr, "chorus %s: ", parser->command);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, "\n");
  return CLI_USAGE;
}

static void print_help(const struct cli_parser *p) {
  printf("usage: chorus %s %s\n\n%s\n", p->command, p->usage, p->about);
  for (const struct cli_option *o = p->options; o->name; o++) {
    char left[40];
    snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
    printf("%s  %-24s %s\n", o == p->options ? "\n" : "", left, o->help);
  }
}

static int unknown_option(const struct cli_parser *p, const char *name) {
  const char *words[64];
  size_t count = 0;
  for (const struct cli_option *o = p->options; o->name && count < 64; o++)
    words[count++] = o->name;
  const char *near = scn_nearest(name, words, count);
  cli_usage(p, "unknown option %s%s%s%s; see chorus %s --help", name, near ? ", did you mean " : "",
            near ? near : "", near ? "?" : "", p->command);
  return CLI_BAD;
}

/* "--name", "--name=value" or "--name value". */
static int match_option(struct cli_parser *p, const char *argument) {
  size_t length = strcspn(argument, "=");
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)length, argument);
  for (int i = 0; p->options[i].name; i++) {
    const struct cli_option *o = &p->options[i];
    if (strcmp(o->name, name) != 0) continue;
    p->value = argument[length] ? argument + length + 1 : NULL;
    if (!o->value && p->value) {
      cli_usage(p, "option %s takes no value", name);
      return CLI_BAD;
    }
    if (o->value && !p->value && p->next < p->count) p->value = p->arguments[p->next++];
    if (!o->value || p->value) return i;
    cli_usage(p, "option %s needs a value (%s)", name, o->value);
    return CLI_BAD;
  }
  return unknown_option(p, name);
}

int cli_next(struct cli_parser *p) {
  if (p->next >= p->count) return CLI_END;
  char *argument = p->arguments[p->next++];
  p->value = argument;
  if (p->only_positional || argument[0] != '-' || argument[1] == '\0') return CLI_POSITIONAL;
  if (strcmp(argument, "--") == 0) {
    p->only_positional = true;
    return cli_next(p);
  }
  if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
    print_help(p);
    return CLI_HELP;
  }
  return match_option(p, argument);
}

bool cli_number(const struct cli_parser *parser, const char *option, uint64_t min, uint64_t max,
                uint64_t *value) {
  uint64_t number;
  if (scn_integer(parser->value, max, &number) && number >= min) {
    *value = number;
    return true;
  }
  cli_usage(parser, "\"%s\" is not a number from %llu to %llu for %s", parser->value,
            (unsigned long long)min, (unsigned long long)max, option);
  return false;
}

bool cli_add_setting(const struct cli_parser *p, struct scn_setting *list, size_t *count,
                     size_t most) {
  const char *equals = strchr(p->value, '=');
  if (!equals || equals == p->value || *count == most) {
    cli_usage(p, "--set wants KEY=VALUE, not \"%s\"", p->value);
    return false;
  }
  struct scn_setting *s = &list[(*count)++];
  *s = (struct scn_setting){strndup(p->value, (size_t)(equals - p->value)), equals + 1};
  for (size_t i = 0; s->key && list + i < s; i++) {
    if (!scn_same_setting(list[i].key, s->key)) continue;
    cli_usage(p, "--set %s: %s is set to %s already", p->value, list[i].key, list[i].value);
    return false;
  }
  return s->key != NULL;
}

bool cli_append(const struct cli_parser *parser, const char *what, const char **list, size_t most,
                size_t *count) {
  if (*count == most) {
    cli_usage(parser, "more than %zu %s", most, what);
    return false;
  }
  list[(*count)++] = parser->value;
  return true;
}

bool cli_duration(const struct cli_parser *parser, const char *option, chorus_time *value) {
  if (scn_duration(parser->value, value) && *value > 0) return true;
  cli_usage(parser, "%s wants a time such as 90s, not \"%s\"", option, parser->value);
  return false;
}

bool cli_profile(const struct cli_parser *parser, enum jdg_profile *profile) {
  if (jdg_profile_parse(parser->value, profile)) return true;
  const char *names[JDG_PROFILE_COUNT];
  for (int i = 0; i < JDG_PROFILE_COUNT; i++) names[i] = jdg_profile_name((enum jdg_profile)i);
  const char *near = scn_nearest(parser->value, names, JDG_PROFILE_COUNT);
  cli_usage(parser, "there is no profile \"%s\"; there are %s, %s and %s%s%s%s", parser->value,
            names[0], names[1], names[2], near ? ", did you mean " : "", near ? near : "",
            near ? "?" : "");
  return false;
}

/* The key table: every key a configuration knows, said once. The parser, `baton check --explain`, the options
 * of `baton run`, the canonical text and the key list of baton.ini(5) all read it.
 *
 * Nothing but data and libc, so that the manual page can be made by a program of the build machine. */
#ifndef BATON_CONFIG_KEYS_H
#define BATON_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Which kind of section; the order of the canonical text and of the manual. */
enum config_section { SECTION_BATON, SECTION_LISTENER, SECTION_SERVICE, SECTION_COUNT };

/* How a value is written and what it is in its struct. */
enum config_kind {
    KIND_ADDRESS,     /* struct address */
    KIND_NUMBER,      /* uint32_t, min..max */
    KIND_LARGE,       /* uint64_t, min..max */
    KIND_OCTAL,       /* uint32_t, 0..max */
    KIND_FLAG,        /* bool */
    KIND_DURATION,    /* uint64_t milliseconds, min..max, and infinite where max is CONFIG_INFINITE_MS */
    KIND_SIGNAL,      /* int */
    KIND_PATH,        /* char *, absolute */
    KIND_ACCOUNT,     /* char *, a name or number */
    KIND_NAMES,       /* char **, names of listeners */
    KIND_COMMAND,     /* char **, argv */
    KIND_ENVIRONMENT, /* char **, NAME=VALUE */
    KIND_PATTERNS,    /* char ** */
    KIND_OUTPUT,      /* struct config_output */
    KIND_DRAIN,       /* enum config_drain */
    KIND_READY,       /* struct config_check */
    KIND_VERIFY,      /* struct config_check */
};

enum {
    KEY_REQUIRED = 1,  /* its section must say it */
    KEY_REPEATS = 2,   /* may be said again: the values add up */
    KEY_NO_OPTION = 4, /* not an option of `baton run` */
    KEY_NOT_TEXT = 8,  /* not part of the canonical text */
    KEY_UNIX = 16,     /* only for unix: listeners */
    KEY_IPV6 = 32,     /* only for IPv6 listeners */
    KEY_STREAM = 64,   /* not for udp: listeners */
};

struct config_key {
    const char *name;
    enum config_section section;
    size_t offset; /* of the value in the section's struct */
    enum config_kind kind;
    const char *fallback; /* what an unsaid key means, as one would write it; NULL: nothing */
    uint64_t min, max;    /* kinds with a range */
    unsigned flags;
    const char *help; /* for people: one to three sentences */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* "baton", "listener", "service": the first word between the brackets. */
extern const char *const config_section_names[SECTION_COUNT];

/* The key `name` of `section`, or NULL. */
const struct config_key *config_keys_find(enum config_section section, const char *name);

/* Index in config_keys (and in config_where.key_lines). */
size_t config_keys_index(const struct config_key *key);

/* Whether `name` is a key of a later version. */
bool config_keys_is_planned(enum config_section section, const char *name);

/* The key of `section` that `name` was probably meant to be, or NULL. */
const struct config_key *config_keys_nearest(enum config_section section, const char *name);

/* What `key` allows, for people: "a number from 1 to 64". */
void config_keys_print_allowed(const struct config_key *key, FILE *to);

#endif

/* Values: from the words of a configuration to the fields of its structs and back, by the kind of the key. */
#ifndef BATON_CONFIG_VALUE_H
#define BATON_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "supervisor/core/config.h"
#include "supervisor/core/config_keys.h"

enum { CONFIG_VALUE_REFUSED = 1, CONFIG_REASON_BYTES = 200 };

struct config_value {
    const char *text;
    bool literal; /* an option's argument, which a shell has split already: quotes are not read again */
};

/* Parse into `field` (where key->offset points); a list that repeats grows, anything else must be unset
 * before. 0; CONFIG_VALUE_REFUSED with what is wrong in `reason` (field untouched); -ENOMEM. */
int config_value_parse(const struct config_key *key, const struct config_value *value, void *field,
                       char reason[CONFIG_REASON_BYTES]);

/* Whether `field` holds nothing (an optional key that was not said). */
bool config_value_is_unset(const struct config_key *key, const void *field);

/* Write it as config_value_parse() reads it, in its canonical form. */
void config_value_print(const struct config_key *key, const void *field, FILE *to);

void config_value_free(const struct config_key *key, void *field); /* leaves it unset */

/* An unsigned number without sign or blanks in `base` (8 or 10), at most `max`. */
bool config_value_number(const char *text, unsigned base, uint64_t max, uint64_t *number);

bool config_value_is_letter(char c); /* or a digit: ASCII only */

/* The parts of config_value_parse(), with its results: a value of one word; a list of words (`old`: what is
 * there already, or NULL), which is only looked at; the check of `ready` or `verify`. */
int config_scalar_parse(const struct config_key *key, const char *word, void *field,
                        char reason[CONFIG_REASON_BYTES]);
int config_list_check(const struct config_key *key, char *const *old, char *const *words,
                      char reason[CONFIG_REASON_BYTES]);
int config_check_parse(const struct config_key *key, const struct config_value *value,
                       struct config_check *check, char reason[CONFIG_REASON_BYTES]);
void config_check_print(const struct config_check *check, FILE *to);

/* One word of a value: malloc'd in *word. Same results as config_value_parse(). */
int config_value_word(const struct config_value *value, char **word, char reason[CONFIG_REASON_BYTES]);

/* Write a sentence to `reason` and return CONFIG_VALUE_REFUSED. */
int config_value_refuse(char reason[CONFIG_REASON_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

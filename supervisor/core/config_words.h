/* Values are words, written as in a shell: 'single' and "double" quotes, backslash, and $'…' with
 * \n \t \r \\ \' \" \xHH for bytes that cannot stand in a line of text. Nothing is expanded: $, *, ~ and `
 * are literal. A word that can only be a shell's operator (|, &&, >file, 2>&1) is refused unless quoted. */
#ifndef BATON_CONFIG_WORDS_H
#define BATON_CONFIG_WORDS_H

#include <stddef.h>
#include <stdio.h>

enum { CONFIG_WORDS_REFUSED = 1 };

/* Split `text`; *words is malloc'd and NULL-terminated (config_words_free), perhaps empty.
 * 0; CONFIG_WORDS_REFUSED with a sentence in *why (static); -ENOMEM. */
int config_words_split(const char *text, char ***words, const char **why);

/* How many bytes of `text` stand before a comment: a ';' outside quotes with a blank before it. */
size_t config_words_comment(const char *text);

/* Write `word` so that config_words_split() gives it back: one line of valid UTF-8, whatever its bytes are.
 */
void config_words_quote(const char *word, FILE *to);

size_t config_words_count(char *const *words); /* NULL is an empty list */
char **config_words_copy(char *const *words);  /* NULL: out of memory */

/* Append copies of the words of `more` to *words (NULL: a new list). 0 or -ENOMEM (nothing changed). */
int config_words_append(char ***words, char *const *more);
void config_words_free(char **words); /* NULL is fine */

#endif

/* Errors with a sentence for people: what went wrong, where, what is allowed. */
#ifndef BATON_SENTENCE_H
#define BATON_SENTENCE_H

/* Set *reason to the formatted text (malloc'd, the caller's; NULL when memory ran out) and return `error`
 * unchanged, so that a failure is one line:
 *
 *     return sentence(reason, -ENOENT, "working directory %s does not exist", path);
 *
 * `reason` may be NULL: then only the error is wanted. */
int sentence(char **reason, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif

/* The targets of a run, in the order of the command line. What is said about the expected answer belongs to
 * the target before it, and to every target when it stands before the first one.
 * Every setter returns NULL, or a sentence that says what is allowed. Texts are used as long as the list. */
#ifndef BATON_LOAD_TARGETS_H
#define BATON_LOAD_TARGETS_H

#include "tests/bench/load_target.h"

enum { LOAD_TARGETS_MAX = 64 };

struct load_targets {
    struct load_target list[LOAD_TARGETS_MAX];
    unsigned count;
    struct load_target defaults;
    struct load_server server; /* of the last URL; its length is 0 before the first */
};

/* A GET of `url`, or, when it has no path, the server of the posts that follow. */
const char *load_targets_url(struct load_targets *targets, const char *url);

/* A POST of `body` to a URL, or to a path of the last server. */
const char *load_targets_post(struct load_targets *targets, const char *where, const char *body);

/* "200,404" */
const char *load_targets_expect(struct load_targets *targets, const char *list);

/* "any", "same" or the name of a file. */
const char *load_targets_body(struct load_targets *targets, const char *check);

/* Read back what the last post stored, from `path`; and what must stand in it. */
const char *load_targets_verify(struct load_targets *targets, const char *path);
const char *load_targets_contains(struct load_targets *targets, const char *text);

/* When all is said: fill in what is expected by default and read the files. */
const char *load_targets_complete(struct load_targets *targets);

void load_targets_free(struct load_targets *targets);

#endif

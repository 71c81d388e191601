/* The configuration: what a file (or the options of `baton run`) says, checked and typed.
 *
 * Pure: the text is given, includes are fetched through a callback, users are not looked up and no
 * path is touched (the parts of the supervisor that use a value do that, anew for each generation).
 * One key table (name, type, default, range, help) drives the parser, `baton check --explain`,
 * the options of `baton run` and the key list of baton.ini(5). */
#ifndef BATON_CONFIG_H
#define BATON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "supervisor/core/address.h"

/* A duration that never ends ("infinite"). */
#define CONFIG_INFINITE_MS UINT64_MAX

/* Longest name of a service or listener: a letter or digit, then letters, digits, '.', '_' and '-'. */
enum { CONFIG_NAME_MAX = 63 };

enum config_check_kind {
    CHECK_AUTO,   /* the first of native READY and sd_notify READY=1 */
    CHECK_NATIVE, /* READY over the channel */
    CHECK_NOTIFY, /* sd_notify READY=1 */
    CHECK_HTTP,   /* http:/path[=status]: asked on the private "probe" socket */
    CHECK_EXEC,   /* exec:COMMAND exits 0 */
    CHECK_ALIVE,  /* alive:DURATION: still running after that time; only when asked for */
    CHECK_NONE,   /* verify only: what `ready` proved is enough */
};

struct config_check {
    enum config_check_kind kind;
    char *path;       /* CHECK_HTTP: begins with '/' */
    int status;       /* CHECK_HTTP: expected status, 0: any 2xx */
    char **argv;      /* CHECK_EXEC: NULL-terminated */
    uint64_t time_ms; /* CHECK_ALIVE */
};

enum config_output_kind { OUTPUT_STDERR, OUTPUT_JOURNAL, OUTPUT_FILE };

struct config_output {
    enum config_output_kind kind;
    char *path; /* OUTPUT_FILE: absolute */
};

enum config_drain { DRAIN_AUTO, DRAIN_SIGNAL }; /* auto: DRAIN to native workers, the stop signal to others */

/* Where a section and its keys were said; `file` is "command line" for options (owned by struct config). */
struct config_where {
    const char *file;
    int line;       /* of the section; 0: it has none */
    int *key_lines; /* by index in config_keys: the line; 0: not said; -1: said, without a line (an option) */
};

struct config_listener {
    char *name;
    struct address address;
    char *address_text; /* canonical */
    uint32_t backlog;
    bool v6only;
    uint32_t mode;      /* UNIX: permission bits of the path */
    char *socket_user;  /* UNIX: owner of the path, or NULL */
    char *socket_group; /* UNIX: group of the path, or NULL */
    struct config_where where;
};

struct config_service {
    char *name;
    char **command;  /* argv, NULL-terminated, at least one element */
    char **listen;   /* names of listeners, NULL-terminated; or NULL: none */
    char *user;      /* name or number, or NULL: baton's own */
    char *group;     /* or NULL: the user's */
    char *directory; /* working directory, absolute, or NULL: baton's own at its start */
    uint32_t umask;
    uint64_t limit_nofile; /* 0: what baton itself was started with */
    uint32_t workers;
    char **environment;     /* KEY=VALUE, NULL-terminated; or NULL: none */
    char *environment_file; /* absolute, or NULL */
    struct config_output output;
    struct config_check ready;
    uint64_t ready_timeout_ms;
    struct config_check verify;
    enum config_drain drain;
    uint64_t drain_timeout_ms;
    int stop_signal;
    uint64_t stop_timeout_ms;
    uint32_t max_old; /* retired generations alive at once */
    struct config_where where;
};

struct config {
    char *state_dir; /* absolute, or NULL: the default place */
    struct config_output log;
    char **include; /* the patterns as written; what they matched is in `files` */
    struct config_listener *listeners;
    size_t listener_count;
    struct config_service *services;
    size_t service_count;
    char **files; /* every file that was read, the main one first; owns the strings of config_where */
    size_t file_count;
    struct config_where where; /* of [baton] */
};

/* Everything that is wrong, one line each, in the order of the text:
 * `FILE:LINE: key: "value": what; what is allowed`. */
struct config_errors {
    char **lines;
    size_t count;
};

/* Fetches files for `include`. Both return 0 or -errno; what they give is malloc'd, the parser frees it.
 * glob: the paths that match, sorted (0 matches is fine). read: a file's bytes; NULs are allowed (and refused
 * later). */
struct config_io {
    int (*glob)(void *arg, const char *pattern, char ***paths, size_t *count);
    int (*read)(void *arg, const char *path, char **bytes, size_t *length);
    void *arg;
};

/* Parse the file `path` and what it includes, check everything, also across sections (overlapping
 * addresses, a listener in two services, an unused listener, ready = native beside …).
 * Returns 0 and a config that config_free() ends, or -EINVAL with at least one error line and *out untouched;
 * -ENOMEM. `errors` is always to be ended by config_errors_free(). */
int config_parse(const char *path, const struct config_io *io, struct config **out,
                 struct config_errors *errors);

/* The one-line form: the arguments behind `baton run` (options, then "--", then the command; argv[0] is the
 * first option, argv[argc] is NULL). One service with config_name_of() the command, its listeners named by
 * `--listen NAME=ADDR`, else "web", "web2" …. Each key of the service is an option with dashes; so are those
 * of [baton] and the listeners' (for every listener they fit). Values are words as they are, the command is
 * not split. Same results as config_parse(). */
int config_from_options(int argc, char *const argv[], struct config **out, struct config_errors *errors);

/* Canonical INI text that parses to an equal config: every key with its value, in the table's order, no
 * comments. Two definitions are equal exactly when their texts are. malloc'd; NULL: out of memory. */
char *config_text(const struct config *config);                     /* all of it, includes folded in */
char *config_listener_text(const struct config_listener *listener); /* one section */
char *config_service_text(const struct config_service *service);    /* one section */

/* Parse text that config_text() (or the two below it) wrote; a lone service may name listeners that are not
 * there. -EINVAL: it is not such text (says where in `errors`). */
int config_parse_text(const char *text, struct config **out, struct config_errors *errors);

/* Whether `text` can be the name of a service, a listener or an instance. */
bool config_is_name(const char *text);

/* Make a name of `path`'s last component: what cannot be in one becomes '-'. */
void config_name_of(const char *path, char name[CONFIG_NAME_MAX + 1]);

/* Find by name; NULL: none. */
const struct config_service *config_find_service(const struct config *config, const char *name);
const struct config_listener *config_find_listener(const struct config *config, const char *name);

/* The key table for people: `baton check --explain` (every key with its value here, where it was said or
 * "default", and its help), and the roff of the key list for baton.ini(5). */
void config_explain(const struct config *config, FILE *to);
void config_print_manual(FILE *to);

/* The options of the one-line form, a line each, for `baton run --help`. */
void config_print_options(FILE *to);

/* "1.5s", "250ms", "infinite" for people and for config_text(): the shortest exact form. */
void config_format_duration(uint64_t ms, char text[32]);
/* Parse "250ms", "30s", "5m", "1h", "infinite" (a bare 0 is fine). NULL, or a sentence that says what is
 * allowed. */
const char *config_parse_duration(const char *text, uint64_t *ms);

void config_errors_free(struct config_errors *errors);
void config_free(struct config *config); /* NULL is fine */

#endif

/* One mode of load: how many connections do what at which pace. */
#ifndef BATON_LOAD_PLAN_H
#define BATON_LOAD_PLAN_H

#include <stdbool.h>

enum load_mode {
    LOAD_SHORT,         /* one request per connection, with Connection: close */
    LOAD_KEEPALIVE,     /* one request after the other, as real clients do: connections are renewed */
    LOAD_SLOW_RESPONSE, /* reads the answer in small pieces */
    LOAD_SLOW_UPLOAD,   /* sends a body in small pieces */
    LOAD_RATE, /* open loop: requests begin at fixed times, whether the earlier ones are answered or not */
    LOAD_READ_BACK, /* after the load: asks for everything that was acknowledged */
    LOAD_MODES,
};

struct load_plan {
    enum load_mode mode;
    unsigned rate;        /* LOAD_RATE: requests per second */
    unsigned connections; /* at once; LOAD_RATE: the bound */
    unsigned requests;    /* per connection; 1: Connection: close is sent */
    unsigned seconds;     /* age at which a connection is renewed; 0: never */
    unsigned think_ms;    /* between an answer and the next request */
    unsigned chunk_bytes; /* the slow modes: one piece */
    unsigned pause_ms;    /* the slow modes: after each piece */
    unsigned body_bytes;  /* LOAD_SLOW_UPLOAD without --post: the length of the body */
};

const char *load_mode_name(enum load_mode mode);

/* What a mode does when nothing else is said. */
struct load_plan load_plan_default(enum load_mode mode);

/* Parse "N[,KEY=VALUE]..." for `mode`: N is the number of connections, or the rate.
 * Returns NULL and fills `plan`, or a sentence that says what is allowed (valid until the next call). */
const char *load_plan_parse(enum load_mode mode, const char *text, struct load_plan *plan);

/* "keepalive N[,requests=1..][,seconds=..]" of every mode, one line each, for --help. */
void load_plan_usage(void);

#endif
